/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses the list of a port's permitted source addresses. */
#include "features/sources/macs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"

/** Parse one address. @return its length without comma; negative errno with the reason in err */
static int
macs_item(const char *item, uint64_t *mac, struct err *err)
{
	char text[MAC_TEXT_MAX] = "";
	size_t length = strcspn(item, ",");

	if (length < sizeof(text))
		memcpy(text, item, length);
	if (mac_parse(text, mac) < 0)
		return err_set(err, EINVAL, "'%.*s' is not an address like 02:00:00:00:00:01",
			(int)(length < 40 ? length : 40), item);
	if (mac_is_group(*mac) || *mac == 0)
		return err_set(err, EINVAL, "%s is no address that a frame may come from", text);
	return (int)length;
}

int
macs_parse(const char *list, struct macs *macs, struct err *err)
{
	char text[MAC_TEXT_MAX];
	uint64_t mac;

	macs->n = 0;
	if (list[0] == '\0')
		return 0;
	for (;; list++) {
		int length = macs_item(list, &mac, err);
		if (length < 0)
			return length;
		if (macs_has(macs, mac))
			return err_set(err, EINVAL, "%s is named twice", mac_format(mac, text));
		if (macs->n == SOURCES_MAX)
			return err_set(err, EINVAL, "more than %d addresses", SOURCES_MAX);
		macs->mac[macs->n++] = mac;
		list += length;
		if (*list == '\0')
			return 0;
	}
}

struct macs *
macs_create(const char *list)
{
	struct macs *macs = malloc(sizeof(*macs));

	if (macs != NULL)
		macs_parse(list, macs, NULL);
	return macs;
}
