/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses lists of VLAN ids. */
#include "vlan/vlan.h"

#include <errno.h>
#include <stdlib.h>

/** Parse a number from 1 to 4094; *text moves behind it. @return the number, 0 if invalid */
static uint16_t
vlan_number_parse(const char **text)
{
	char *end;

	if (**text < '0' || **text > '9')
		return VLAN_NONE;
	unsigned long number = strtoul(*text, &end, 10);
	*text = end;
	return number < VLAN_RESERVED ? (uint16_t)number : VLAN_NONE;
}

/** Parse an id or a range, and add it to a set; *text moves behind it. @return 0; -EINVAL */
static int
vlan_range_parse(const char **text, struct vlan_set *set, struct err *err)
{
	const char *part = *text;
	uint16_t first = vlan_number_parse(text), last = first;

	if (first != VLAN_NONE && **text == '-') {
		++*text;
		last = vlan_number_parse(text);
	}
	if (first == VLAN_NONE || last < first || (**text != ',' && **text != '\0'))
		return err_set(err, EINVAL,
			"'%.20s' begins with no VLAN from 1 to 4094 and no range of them", part);
	for (uint16_t vlan = first; vlan <= last; vlan++) {
		if (vlan_set_has(set, vlan))
			return err_set(err, EINVAL, "VLAN %u is named twice", vlan);
		vlan_set_add(set, vlan);
	}
	return 0;
}

int
vlan_set_parse(const char *list, struct vlan_set *set, struct err *err)
{
	*set = (struct vlan_set){0};
	for (;;) {
		int rc = vlan_range_parse(&list, set, err);
		if (rc < 0 || *list == '\0')
			return rc;
		list++;
	}
}
