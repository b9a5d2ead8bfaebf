/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding policy between ports: the keys and their defaults. */
#include "features/policy/keys.h"

#include "port/key_rows.h"

static const char *const policy_modes[] = {"bridge", "vepa", "private", "passthru", NULL};

/* clang-format off: rows read better than blocks */
static const struct key policy_keys[] = {
	KEY_ROW(struct policy_config, policy, "policy",
		"forwarding to other members of the uplink: direct (bridge), through the uplink "
		"(vepa), none (private), or there are none (passthru)",
		KEY_ROW_CHOICE(policy_modes)),
	KEY_ROW(struct policy_config, uplink, "uplink",
		"port through which the policy reaches the network; empty = none", KEY_ROW_PORT),
	KEY_ROW(struct policy_config, isolated, "isolated",
		"whether the port is separated from other isolated ports", KEY_ROW_SWITCH),
	{0},
};
/* clang-format on */

const struct port_section policy_section = {
	.keys = policy_keys,
	.size = sizeof(struct policy_config),
};
