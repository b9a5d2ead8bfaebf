/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port types and the keys of `port add` and `port set`, for help, manual page and completion.
 * They come from the switch's tables (port/keys.h, types.h). The switch validates values; nothing
 * is checked here.
 *
 * Thread safety: pure functions over constant tables.
 */
#ifndef SHUNT_CLI_PORTKEY_H
#define SHUNT_CLI_PORTKEY_H

#include <jansson.h>
#include <stdio.h>

#include "types.h"

/**
 * Print every key of a type.
 *
 * @param type NULL: the keys common to all types
 * @param print called for each key with a term "mode=server|client" and its meaning
 */
void portkey_print(FILE *file, const struct port_type *type,
	void (*print)(FILE *file, const char *term, const char *meaning));

/** @return the keys of each type as an array of objects, those common to all types last */
json_t *portkey_json(void);

#endif
