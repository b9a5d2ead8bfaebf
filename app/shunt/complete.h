/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A completion script for bash from the table of commands and the table of port keys.
 *
 * The script needs bash only, not the bash-completion package. It requests the names of ports from
 * the switch, without error messages and with a timeout of a second.
 *
 * Thread safety: writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_COMPLETE_H
#define SHUNT_CLI_COMPLETE_H

#include <stdio.h>

/** Print the script. @return an exit code */
int complete_bash(FILE *file);

#endif
