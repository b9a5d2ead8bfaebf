/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The live screen: requests counters from the switch at an interval and shows rates.
 *
 * Thread safety: one thread; one screen in a process.
 */
#ifndef SHUNT_CLI_TOP_H
#define SHUNT_CLI_TOP_H

#include <jansson.h>

#include "cli.h"
#include "command.h"

/** `shunt top`, until the user quits or a signal ends it. @return an exit code */
int top_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
