/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of features' keys in the configurations of tests. */
#ifndef SHUNT_TEST_SECTIONS_H
#define SHUNT_TEST_SECTIONS_H

#include "features/flood/keys.h"
#include "features/learn/keys.h"
#include "features/mirror/keys.h"
#include "features/neighbours/keys.h"
#include "features/police/keys.h"
#include "features/policy/keys.h"
#include "features/reserved/keys.h"
#include "features/shape/keys.h"
#include "features/sources/keys.h"
#include "features/storm/keys.h"
#include "features/vlan/keys.h"

/** The writable section of a feature in a configuration. */
#define SECTION(config, feature)                                                                   \
	((struct feature##_config *)port_section_change(config, &feature##_section))

#endif
