/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and checks the VLAN keys of a port configuration. */
#include "vlan/vlan.h"

#include <errno.h>
#include <stdlib.h>

/** Parse a number from 1 to 4094; *text moves behind it. @return the number, 0 if invalid */
static uint16_t
vlan_number(const char **text)
{
	char *end;

	if (**text < '0' || **text > '9')
		return VLAN_NONE;
	unsigned long number = strtoul(*text, &end, 10);
	*text = end;
	return number < VLAN_RESERVED ? (uint16_t)number : VLAN_NONE;
}

static int
vlan_range_parse(const char **text, struct vlan_set *set, struct err *err)
{
	const char *part = *text;
	uint16_t first = vlan_number(text), last = first;

	if (first != VLAN_NONE && **text == '-') {
		++*text;
		last = vlan_number(text);
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

int
vlan_check(const struct port_config *config, struct err *err)
{
	struct vlan_set set;

	if (config->vlan != 0 && config->trunk[0] != '\0')
		return err_set(err, EINVAL,
			"vlan and trunk: a port is either an access port or a trunk; "
			"for untagged frames on a trunk there is native");
	if (config->native != 0 && config->trunk[0] == '\0')
		return err_set(err, EINVAL, "native: needs trunk; alone, use vlan");
	if (config->trunk[0] == '\0' || vlan_set_parse(config->trunk, &set, err) == 0)
		return 0;
	err_prefix(err, "trunk");
	return -EINVAL;
}

void
vlan_rules_of(const struct port_config *config, struct vlan_rules *rules)
{
	*rules = (struct vlan_rules){
		.filters = config->vlan != 0 || config->trunk[0] != '\0',
		.access = config->vlan != 0,
		.pvid = (uint16_t)(config->vlan != 0 ? config->vlan : config->native),
		.tpid = config->vlan_protocol == PORT_VLAN_8021AD ? VLAN_TPID_S : VLAN_TPID_C,
	};
	if (config->trunk[0] != '\0')
		vlan_set_parse(config->trunk, &rules->carried, NULL);
	if (rules->pvid != VLAN_NONE)
		vlan_set_add(&rules->carried, rules->pvid);
}
