/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hugepages: how many are free, and whether this process gets any. A container sees those of its
 * host, and may not have them.
 *
 * Thread safety: main() only, before there are other threads.
 */
#ifndef SHUNT_SHUNTD_HUGEPAGES_H
#define SHUNT_SHUNTD_HUGEPAGES_H

/** @return hugepages of all sizes that are free on this host, in KB */
unsigned long hugepages_free_kb(void);

/**
 * Try to use hugepages as the EAL will, in a process of its own.
 *
 * @param kb how much is needed
 * @return NULL: they can be used; else why not, and what to do
 */
const char *hugepages_obstacle(unsigned long kb);

#endif
