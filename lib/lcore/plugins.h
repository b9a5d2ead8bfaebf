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
 * Look for a plugin in the directory of this DPDK.
 *
 * @param name without "librte_", such as "bus_pci"
 * @return true if it is there, or if this DPDK has no such directory
 */
bool plugins_present(const char *name);

/**
 * Print that a plugin is missing, its directory and its Debian package.
 *
 * @param name as for plugins_present()
 * @return `text`, cut at its size
 */
char *plugins_missing(const char *name, char text[PLUGINS_TEXT_MAX]);

/**
 * Print the name of the Debian package of a plugin.
 *
 * @param name as for plugins_present()
 * @return `text`, cut at its size
 */
char *plugins_package(const char *name, char text[PLUGINS_TEXT_MAX]);

#endif
