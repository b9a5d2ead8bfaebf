/* SPDX-License-Identifier: BSD-3-Clause */
/* Reserved group addresses: parses and applies the list of those that a port forwards. */
#include "features/reserved/reserved.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/classify.h"
#include "datapath/feature.h"
#include "features/reserved/keys.h"
#include "features/vlan/keys.h"

enum { RESERVED_PAUSE = 1, RESERVED_WORD_MAX = 16 };

/** Protocol names by last byte, IEEE 802.1Q tables 8-1 and 8-2. */
static const char *const reserved_names[RESERVED_COUNT] = {
	[0x0] = "stp",
	[RESERVED_PAUSE] = "pause",
	[0x2] = "lacp",
	[0x3] = "eapol",
	[0x7] = "elmi",
	[0x8] = "provider-stp",
	[0xd] = "provider-mvrp",
	[0xe] = "lldp",
};

/** Parse one word of a list. @return last byte of the address; -1: invalid */
static int
reserved_word(const char *word)
{
	char *end;

	for (int last = 0; last < RESERVED_COUNT; last++)
		if (reserved_names[last] != NULL && strcmp(word, reserved_names[last]) == 0)
			return last;
	if (!isxdigit((unsigned char)word[0]))
		return -1;
	unsigned long number = strtoul(word, &end, 16);
	return *end == '\0' && number < RESERVED_COUNT ? (int)number : -1;
}

/** Parse one word of a list, and add its address to a set. @return 0; -EINVAL with the reason */
static int
reserved_add(const char *word, uint16_t *set, struct err *err)
{
	int last = reserved_word(word);

	if (last < 0)
		return err_set(err, EINVAL,
			"'%s' is neither a last byte from 0 to f, in hexadecimal, nor stp, lacp, "
			"eapol, elmi, provider-stp, provider-mvrp or lldp",
			word);
	if (last == RESERVED_PAUSE)
		return err_set(err, EINVAL,
			"01:80:c2:00:00:01 is of pause frames, which are for the link that they "
			"are sent on and must never be forwarded");
	if (*set >> last & 1)
		return err_set(err, EINVAL, "01:80:c2:00:00:%02x is named twice", (unsigned)last);
	*set |= (uint16_t)(1 << last);
	return 0;
}

/** Parse a list. @param list "" = empty @param set receives a bit for each last byte */
static int
reserved_parse(const char *list, uint16_t *set, struct err *err)
{
	char word[RESERVED_WORD_MAX];

	*set = 0;
	if (*list == '\0')
		return 0;
	for (;;) {
		size_t length = strcspn(list, ",");
		size_t kept = length < sizeof(word) ? length : sizeof(word) - 1;

		memcpy(word, list, kept);
		word[kept] = '\0';
		int rc = reserved_add(word, set, err);
		if (rc < 0 || list[length] == '\0')
			return rc;
		list += length + 1;
	}
}

static int
reserved_check(const struct port_config *config, struct err *err)
{
	uint16_t set;
	int rc = reserved_parse(reserved_config(config)->forward, &set, err);

	if (rc < 0)
		err_prefix(err, "forward-reserved");
	return rc;
}

uint16_t
reserved_of(const struct port_config *config)
{
	uint16_t set;

	reserved_parse(reserved_config(config)->forward, &set, NULL);
	return vlan_config(config)->protocol == VLAN_8021AD ? set | RESERVED_BEYOND_8021AD : set;
}

/** Set the reserved addresses that classification accepts. */
static void
reserved_stage(struct burst_context *context, const void *state)
{
	const uint16_t *set = state;

	context->classify.reserved = *set;
}

static int
reserved_compile(const struct feature_input *input, struct feature_stages *stages)
{
	uint16_t set = reserved_of(&input->port->config);

	if (set == 0)
		return 0;
	uint16_t *state = malloc(sizeof(*state));
	if (state == NULL)
		return -ENOMEM;
	*state = set;
	stages->state = state;
	stages->ingress[INGRESS_HEADERS].run = reserved_stage;
	return 0;
}

/** Whether a reserved address passes by the key forward-reserved, not as 802.1ad allows. */
static bool
reserved_is_named(const struct port_config *config, uint64_t mac)
{
	return vlan_config(config)->protocol != VLAN_8021AD ||
	       !classify_reserved_has(RESERVED_BEYOND_8021AD, mac);
}

static bool
reserved_trace(const struct feature_trace *traced)
{
	uint64_t mac = mac_load(traced->bytes);

	if (!mac_is_reserved(mac))
		return false;
	traced->explain(traced->arg, "lookup", "flooded: a reserved address that %s",
		reserved_is_named(&traced->port->config, mac) ? "forward-reserved names"
							      : "802.1ad ports forward");
	return true;
}

const struct feature reserved_feature = {
	.name = "reserved",
	.check = reserved_check,
	.compile = reserved_compile,
	.trace_target = reserved_trace,
};
