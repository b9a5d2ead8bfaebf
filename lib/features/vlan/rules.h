/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN rules of a port, from its keys.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FEATURES_VLAN_RULES_H
#define SHUNT_FEATURES_VLAN_RULES_H

#include "port/port.h"
#include "vlan/vlan.h"

/** Check the keys `vlan`, `trunk` and `native`. @return 0; -EINVAL with the reason in err */
int vlan_check(const struct port_config *config, struct err *err);

/** Fill in rules from a configuration that passed vlan_check(). */
void vlan_rules_of(const struct port_config *config, struct vlan_rules *rules);

#endif
