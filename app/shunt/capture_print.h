/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A captured frame as a line that people read: time, direction, addresses, VLAN, type, length, what
 * is inside of it in short, and why it was dropped. Frames hold anything; no byte of them reaches the
 * terminal as it is.
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
 * @param reason why it was dropped; NULL = it was not
 * @param color whether escape sequences may be used
 */
void capture_print(FILE *file, const struct pcapng_frame *frame, const char *reason, bool color);

#endif
