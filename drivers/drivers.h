/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of port drivers.
 *
 * Thread safety: constant.
 */
#ifndef SHUNT_DRIVERS_DRIVERS_H
#define SHUNT_DRIVERS_DRIVERS_H

#include "port/port.h"

/** Every port type there is, NULL at the end. */
extern const struct port_driver *const drivers[];

#endif
