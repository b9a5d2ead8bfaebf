/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the VLAN keys of a port, and compiles them into its VLAN rules. */
#include "features/vlan/rules.h"

#include <errno.h>

#include "features/vlan/keys.h"

int
vlan_check(const struct port_config *port, struct err *err)
{
	const struct vlan_config *config = vlan_config(port);
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
vlan_rules_of(const struct port_config *port, struct vlan_rules *rules)
{
	const struct vlan_config *config = vlan_config(port);

	*rules = (struct vlan_rules){
		.filters = config->vlan != 0 || config->trunk[0] != '\0',
		.access = config->vlan != 0,
		.pvid = (uint16_t)(config->vlan != 0 ? config->vlan : config->native),
		.tpid = config->protocol == VLAN_8021AD ? VLAN_TPID_S : VLAN_TPID_C,
	};
	if (config->trunk[0] != '\0')
		vlan_set_parse(config->trunk, &rules->carried, NULL);
	if (rules->pvid != VLAN_NONE)
		vlan_set_add(&rules->carried, rules->pvid);
}
