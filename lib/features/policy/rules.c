/* SPDX-License-Identifier: BSD-3-Clause */
/* Decides which ports may reach each other: macvlan modes and isolation. */
#include "features/policy/rules.h"

#include "port/port.h"

bool
policy_may_forward(const struct policy *from, const struct policy *to)
{
	if (from->port == to->port || (from->isolated && to->isolated))
		return false;
	if (policy_is_member(from, to) || policy_is_member(to, from))
		return true;
	return from->uplink == to->uplink && from->mode == POLICY_BRIDGE &&
	       to->mode == POLICY_BRIDGE;
}

uint16_t
policy_via_uplink(const struct policy *from, const struct policy *to)
{
	bool direct = from->uplink == to->uplink && from->mode == POLICY_BRIDGE &&
		      to->mode == POLICY_BRIDGE;

	/* Ports isolated from each other must not reach each other via an uplink either. */
	if (from->port == to->port || direct)
		return PORT_NONE;
	return from->uplink != PORT_NONE ? from->uplink : to->uplink;
}

bool
policy_reflective_relay(const struct policy *source, const struct policy *to)
{
	if (to->uplink != source->uplink)
		return true;
	switch (source->mode) {
	case POLICY_VEPA:
		return to->port != source->port &&
		       (to->mode == POLICY_VEPA || to->mode == POLICY_BRIDGE);
	case POLICY_BRIDGE:
		/* Members in bridge mode received the frame directly from the member that sent it. */
		return to->port != source->port && to->mode == POLICY_VEPA;
	default:
		return to->port == source->port;
	}
}
