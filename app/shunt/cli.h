/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line program, and helpers of its commands: path of the control socket, output
 * streams, errors.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_CLI_H
#define SHUNT_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#define CLI_SOCKET "/run/shunt/shunt.sock"

/** Exit codes; a stable interface for scripts. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_REFUSED = 1, /**< the switch refused, or its answer is invalid */
	CLI_USAGE = 2,
	CLI_ABSENT = 3, /**< no switch listens at the socket */
};

struct command;

/** Global options; constant while a command runs. */
struct cli {
	const struct command *commands; /**< the table of commands, see command.h */
	const char *socket;
	bool json;
	bool color; /**< escape sequences may be written to out */
	FILE *out;
	FILE *err;
};

/**
 * Run the program.
 *
 * @param argv its pointers are reordered
 * @param out receives results
 * @param err receives one line on errors
 * @return an exit code
 */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/** Print an error as one line "shunt: ...". @return code */
int cli_fail(const struct cli *cli, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Print a JSON document: indented on a terminal, in one line elsewhere. @return CLI_DONE */
int cli_json(const struct cli *cli, const json_t *document);

#endif
