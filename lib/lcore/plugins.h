/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's plugins: buses, mempools and drivers as shared objects, which the EAL loads at start from
 * a directory and which distributions package separately.
 *
 * Thread safety: any thread.
 */
#ifndef SHUNT_LCORE_PLUGINS_H
#define SHUNT_LCORE_PLUGINS_H

#include <stdbool.h>

enum { PLUGINS_TEXT_MAX = 256 };

/**
 * Whether a plugin is in the directory of this DPDK; true if this DPDK has no such directory.
 *
 * @param name without "librte_", such as "bus_pci"
 */
bool plugins_present(const char *name);

/** Print that a plugin is missing, its directory and its Debian package. @return text */
char *plugins_missing(const char *name, char text[PLUGINS_TEXT_MAX]);

/** Print the name of the Debian package of a plugin. @return text */
char *plugins_package(const char *name, char text[PLUGINS_TEXT_MAX]);

#endif
