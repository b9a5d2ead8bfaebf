/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of all commands of the program. Commands get it from struct cli.
 *
 * Thread safety: constant.
 */
#ifndef SHUNT_CLI_COMMAND_TABLE_H
#define SHUNT_CLI_COMMAND_TABLE_H

#include "command.h"

/** All commands in the order of the overview; ended by NULL words. */
extern const struct command commands[];

#endif
