/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of port drivers, and the files by which they resume after a restart of the process.
 *
 * Thread safety: the table is constant; the functions are the control thread's.
 */
#ifndef SHUNT_DRIVERS_DRIVERS_H
#define SHUNT_DRIVERS_DRIVERS_H

#include "port/port.h"

/** All port drivers, terminated by NULL. */
extern const struct port_driver *const drivers[];

/**
 * Open the files by which drivers resume; a warning is logged if that fails. Before the first port.
 *
 * @param control path of the control socket, by which a later process finds the files
 */
void drivers_open(const char *control);

/** Close these files. After the last port. */
void drivers_close(void);

#endif
