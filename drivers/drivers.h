/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of port drivers, and what they keep beyond the life of the process.
 *
 * Thread safety: the table is constant; the functions are the control thread's.
 */
#ifndef SHUNT_DRIVERS_DRIVERS_H
#define SHUNT_DRIVERS_DRIVERS_H

#include "port/port.h"

/** Every port type there is, NULL at the end. */
extern const struct port_driver *const drivers[];

/**
 * Before the first port: find what an earlier process left. What cannot be kept is warned of.
 *
 * @param control path of the control socket, which tells switches apart
 */
void drivers_open(const char *control);

/** After the last port. */
void drivers_close(void);

#endif
