/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `shunt capture`: from the switch's rings to files, to another program, or to the terminal.
 *
 * Thread safety: one thread; sets handlers for SIGINT, SIGTERM and SIGPIPE while it runs.
 */
#ifndef SHUNT_CLI_CAPTURE_H
#define SHUNT_CLI_CAPTURE_H

#include <jansson.h>

#include "cli.h"
#include "command.h"

/** Capture until told otherwise. @return an exit code */
int capture_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
