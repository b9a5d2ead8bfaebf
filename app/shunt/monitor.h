/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command monitor.
 *
 * Thread safety: one thread; monitor_run() sets signal handlers.
 */
#ifndef SHUNT_CLI_MONITOR_H
#define SHUNT_CLI_MONITOR_H

#include <jansson.h>
#include <stdio.h>

#include "cli.h"

/** Print events until a signal or the end of the switch. @return an exit code */
int monitor_run(struct cli *cli, const struct command *command, const json_t *params);

/**
 * Print an event as one line of text.
 *
 * @param event untrusted: what it lacks is printed as a question mark
 */
void monitor_print(FILE *file, const json_t *event);

#endif
