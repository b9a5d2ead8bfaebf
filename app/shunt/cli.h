/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program from its arguments to its exit code, and what the commands share: where the switch
 * is, where output goes, how to fail.
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

/** Exit codes; scripts rely on them. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_REFUSED = 1, /**< the switch said no, or nothing that makes sense */
	CLI_USAGE = 2,
	CLI_ABSENT = 3, /**< no switch at the socket */
};

struct command;

/** What the global options say; constant while a command runs. */
struct cli {
	const char *socket;
	bool json;
	bool color; /**< out may get escape sequences */
	FILE *out;
	FILE *err;
};

/**
 * Run the program.
 *
 * @param argv its pointers are reordered
 * @param out for results
 * @param err for the one line that says what went wrong
 * @return an exit code
 */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/** Print "shunt: ..." in one line. @return the exit code given */
int cli_fail(const struct cli *cli, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Print a JSON document: indented on a terminal, in one line elsewhere. @return CLI_DONE */
int cli_json(const struct cli *cli, const json_t *document);

#endif
