/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the rules of a port from its configuration and the other ports. */
#include "datapath/rules.h"

#include <string.h>

#include <rte_cycles.h>

#include "policy/reserved.h"

int
rules_check(const struct port_config *config, struct err *err)
{
	int rc = vlan_check(config, err);

	if (rc == 0)
		rc = policy_check(config, err);
	if (rc == 0)
		rc = reserved_check(config, err);
	return rc < 0 ? rc : guard_check(config, err);
}

static bool
rules_filter_vlans(const struct port_config *config)
{
	return config->vlan != 0 || config->trunk[0] != '\0' ||
	       config->vlan_protocol != PORT_VLAN_8021Q;
}

static bool
rules_concern_all(const struct port_config *config)
{
	return rules_filter_vlans(config) || config->uplink[0] != '\0' || config->isolated;
}

bool
rules_are_needed(struct port *const ports[PORT_MAX])
{
	for (uint16_t id = 0; id < PORT_MAX; id++)
		if (ports[id] != NULL &&
			(ports[id]->snooped || rules_concern_all(&ports[id]->config)))
			return true;
	return false;
}

bool
rules_change_tags(struct port *const ports[PORT_MAX])
{
	for (uint16_t id = 0; id < PORT_MAX; id++)
		if (ports[id] != NULL && rules_filter_vlans(&ports[id]->config))
			return true;
	return false;
}

bool
rules_of_its_own(const struct port *port)
{
	return !port->config.learn || port->meter != NULL || port->config.macs[0] != '\0' ||
	       port->config.storm != 0 || port->config.forward_reserved[0] != '\0';
}

/** Set the ports that a port may forward to, and find its members, a passthru one in particular. */
static void
rules_neighbours(struct rules *rules, struct port *const ports[PORT_MAX])
{
	for (uint16_t id = 0; id < PORT_MAX; id++) {
		if (ports[id] == NULL)
			continue;
		struct policy other = policy_of(ports[id]);
		if (policy_may_forward(&rules->policy, &other))
			rules->may_forward[id / 64] |= UINT64_C(1) << id % 64;
		if (!policy_is_member(&other, &rules->policy))
			continue;
		rules->is_uplink = true;
		if (other.mode == PORT_PASSTHRU)
			rules->fixed = id;
	}
}

static void
rules_storm(struct rules *rules, struct port *port)
{
	if (port->config.storm == 0)
		return;
	rules->storm = &port->storm_due;
	storm_rate_set(&rules->storm_rate, (uint64_t)port->config.storm, rte_get_tsc_hz());
}

void
rules_build(struct rules *rules, const struct port *port, struct port *const ports[PORT_MAX])
{
	*rules = (struct rules){
		.policy = policy_of(port),
		.fixed = PORT_NONE,
		.learn = port->config.learn,
		.flood = port->config.flood,
		.mcast_flood = port->config.mcast_flood,
		.reserved = reserved_of(&port->config),
	};
	vlan_rules_of(&port->config, &rules->vlan);
	rules->vlan.inserts = port->inserts_tags;
	guard_of(&port->config, &rules->guard);
	rules_storm(rules, ports[port->id]);
	rules_neighbours(rules, ports);
	if (rules->policy.mode != PORT_BRIDGE)
		rules->fixed = rules->policy.uplink;
}
