/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A captured frame as a line of text: time, direction, addresses, VLAN, type, length, a summary of
 * the payload and the drop reason. No byte of a frame is written to the terminal unchanged, since
 * frames may contain escape sequences.
 *
 * Thread safety: writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_CAPTURE_PRINT_H
#define SHUNT_CLI_CAPTURE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "pcapng.h"

/**
 * Print a line.
 *
 * @param reason of the drop; NULL: not dropped
 * @param color whether escape sequences may be used
 */
void capture_print(FILE *file, const struct pcapng_frame *frame, const char *reason, bool color);

#endif
