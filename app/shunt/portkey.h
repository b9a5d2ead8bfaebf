/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port types and the keys that `port add` and `port set` take, for help, manual page and
 * completion. What a key may hold is the switch's to decide; nothing is checked here.
 *
 * Thread safety: constant tables.
 */
#ifndef SHUNT_CLI_PORTKEY_H
#define SHUNT_CLI_PORTKEY_H

#include <stddef.h>

struct portkey_type {
	const char *name;
	const char *help;
};

struct portkey {
	const char *type; /**< NULL: ports of every type have it */
	const char *name;
	const char *value; /**< what to write after '=': choices "a|b", or a noun "PATH" */
	const char *help;
};

/** Every port type; ends with a NULL name. */
extern const struct portkey_type portkey_types[];

/** Every key, those of one type side by side; ends with a NULL name. */
extern const struct portkey portkeys[];

#endif
