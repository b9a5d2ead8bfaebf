/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of port types, for the command line, which knows no driver.
 *
 * Thread safety: constant.
 */
#ifndef SHUNT_DRIVERS_TYPES_H
#define SHUNT_DRIVERS_TYPES_H

#include "port/keys.h"

/** The type of every driver in drivers.h, in the same order, NULL at the end. */
extern const struct port_type *const port_types[];

#endif
