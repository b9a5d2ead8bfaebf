/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hugepages: the number of free ones, and whether this process can use them. A container sees the
 * hugepages of its host, but may not be permitted to use them.
 *
 * Thread safety: main() only, before other threads are started.
 */
#ifndef SHUNT_SHUNTD_HUGEPAGES_H
#define SHUNT_SHUNTD_HUGEPAGES_H

/** @return free hugepages of all sizes on this host, in KB */
unsigned long hugepages_free_kb(void);

/**
 * Try to map hugepages as the EAL does, in a child process.
 *
 * @param kb memory needed in KB
 * @return NULL if they can be used; else the reason and a remedy
 */
const char *hugepages_obstacle(unsigned long kb);

#endif
