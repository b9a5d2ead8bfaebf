/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding policy between ports: macvlan modes and isolation. */
#include "policy/policy.h"

#include <errno.h>
#include <string.h>

int
policy_check(const struct port_config *config, struct err *err)
{
	if (config->policy != PORT_BRIDGE && config->uplink[0] == '\0')
		return err_set(err, EINVAL, "policy: needs uplink, the port that all frames go to");
	if (strcmp(config->uplink, config->name) == 0)
		return err_set(err, EINVAL, "uplink: a port cannot be its own");
	return 0;
}

struct policy
policy_of(const struct port *port)
{
	return (struct policy){
		.mode = (enum port_policy)port->config.policy,
		.port = port->id,
		.uplink = port->uplink,
		.isolated = port->config.isolated,
	};
}

bool
policy_may_forward(const struct policy *from, const struct policy *to)
{
	if (from->port == to->port || (from->isolated && to->isolated))
		return false;
	if (policy_is_member(from, to) || policy_is_member(to, from))
		return true;
	return from->uplink == to->uplink && from->mode == PORT_BRIDGE && to->mode == PORT_BRIDGE;
}

uint16_t
policy_via_uplink(const struct policy *from, const struct policy *to)
{
	bool neighbours =
		from->uplink == to->uplink && from->mode == PORT_BRIDGE && to->mode == PORT_BRIDGE;

	/* Ports isolated from each other must not reach each other via an uplink either. */
	if (from->port == to->port || neighbours)
		return PORT_NONE;
	return from->uplink != PORT_NONE ? from->uplink : to->uplink;
}

bool
policy_reflective_relay(const struct policy *source, const struct policy *to)
{
	if (to->uplink != source->uplink)
		return true;
	switch (source->mode) {
	case PORT_VEPA:
		return to->port != source->port &&
		       (to->mode == PORT_VEPA || to->mode == PORT_BRIDGE);
	case PORT_BRIDGE:
		/* Members in bridge mode received it directly when it was sent. */
		return to->port != source->port && to->mode == PORT_VEPA;
	default:
		return to->port == source->port;
	}
}
