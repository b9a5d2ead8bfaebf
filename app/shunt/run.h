/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that call a method of the switch and print its result.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_RUN_H
#define SHUNT_CLI_RUN_H

#include <jansson.h>

#include "cli.h"
#include "command.h"

/** Call the command's method and print its result. @return an exit code */
int run_call(struct cli *cli, const struct command *command, const json_t *params);

/** Wait until the switch answers, at most params' "seconds". @return an exit code */
int run_wait(struct cli *cli, const struct command *command, const json_t *params);

/** Request the switch to stop, and wait until it closes the connection. @return an exit code */
int run_stop(struct cli *cli, const struct command *command, const json_t *params);

#endif
