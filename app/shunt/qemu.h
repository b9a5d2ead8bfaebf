/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command port qemu: arguments for the QEMU of this machine, or for a given version.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_QEMU_H
#define SHUNT_CLI_QEMU_H

#include "cli.h"
#include "command.h"

/** Run the command; gets the version from QEMU unless params have it. @return an exit code */
int qemu_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
