/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The manual page shunt(1), in man(7) macros, from the table of commands.
 *
 * Thread safety: writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_MAN_H
#define SHUNT_CLI_MAN_H

#include <stdio.h>

/** Print the page. @return an exit code */
int man_print(FILE *file);

#endif
