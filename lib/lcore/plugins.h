/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's plugins: buses, mempools and drivers are shared objects that the EAL loads at start from a
 * directory, and that distributions pack one by one.
 *
 * Thread safety: any thread.
 */
#ifndef SHUNT_LCORE_PLUGINS_H
#define SHUNT_LCORE_PLUGINS_H

#include <stdbool.h>

enum { PLUGINS_TEXT_MAX = 256 };

/**
 * Is a plugin in the directory of this DPDK?
 *
 * @param name without "librte_", such as "bus_pci"
 */
bool plugins_present(const char *name);

/** Print that a plugin is missing, from where, and the Debian package that has it. @return text */
char *plugins_missing(const char *name, char text[PLUGINS_TEXT_MAX]);

/** Print how Debian calls the package of a plugin. @return text */
char *plugins_package(const char *name, char text[PLUGINS_TEXT_MAX]);

#endif
