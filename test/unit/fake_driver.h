/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Port drivers that only have a configuration: one key of each kind, and a rule between two keys.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_TEST_FAKE_DRIVER_H
#define SHUNT_TEST_FAKE_DRIVER_H

#include "port/port.h"

enum { FAKE_PATH_MAX = 16 };

/** Keys "path" (required), "speed" (live, 1 to 100), "fast", "mode" (in or out), "perm". */
struct fake_config {
	char path[FAKE_PATH_MAX];
	int64_t speed;
	bool fast;
	int64_t mode;
	int64_t perm;
};

/** Types "fake" and "bare"; the latter has no keys and no rules. */
extern const struct port_driver *const fake_drivers[];

#endif
