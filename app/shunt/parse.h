/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Conversion of the words after a command to the params of its request.
 *
 * Thread safety: no shared state; parse_args() reads the working directory.
 */
#ifndef SHUNT_CLI_PARSE_H
#define SHUNT_CLI_PARSE_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "command.h"

/**
 * Parse a command's arguments.
 *
 * Keys and values of ports are not validated here, only their form key=value.
 *
 * @param params receives a new object, owned by the caller
 * @param err receives the invalid word and the command that prints help
 * @return 0, -EINVAL, or -ENOMEM
 */
int parse_args(const struct command *command, size_t n, char *const *words, json_t **params,
	struct err *err);

/** Parse the value of a command's option into its params. @return 0, -EINVAL, or -ENOMEM */
int parse_option(const struct command *command, const struct command_option *option,
	const char *text, json_t *params, struct err *err);

/** Make a path absolute. @return a string to free(), or NULL with errno set */
char *parse_path(const char *path);

#endif
