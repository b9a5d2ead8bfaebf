/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port types and the keys that `port add` and `port set` take, as help, manual page and
 * completion tell them. They are the switch's own tables (port/keys.h, types.h). What a key may hold
 * is the switch's to decide; nothing is checked here.
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
 * @param type NULL: those that ports of every type have
 * @param print called for each with a term "mode=server|client" and what it means
 */
void portkey_print(FILE *file, const struct port_type *type,
	void (*print)(FILE *file, const char *term, const char *meaning));

/** @return the keys of every type, those of all of them last, as an array of objects */
json_t *portkey_json(void);

#endif
