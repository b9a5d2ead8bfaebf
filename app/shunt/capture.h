/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `shunt capture`: copies frames from the switch's rings to files, a pipe or the terminal.
 *
 * Thread safety: one thread; sets handlers for SIGINT, SIGTERM and SIGPIPE while it runs.
 */
#ifndef SHUNT_CLI_CAPTURE_H
#define SHUNT_CLI_CAPTURE_H

#include <jansson.h>

#include "cli.h"
#include "command.h"

/** Capture until a signal, the limit of frames or the end of the connection. @return exit code */
int capture_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
