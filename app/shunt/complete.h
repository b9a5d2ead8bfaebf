/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A completion script for bash from the table of commands and the table of port keys.
 *
 * The script needs bash alone, not the bash-completion package. Names of ports come from the
 * switch itself, asked quietly and for a second at most.
 *
 * Thread safety: writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_COMPLETE_H
#define SHUNT_CLI_COMPLETE_H

#include <stdio.h>

/** Print the script. @return an exit code */
int complete_bash(FILE *file);

#endif
