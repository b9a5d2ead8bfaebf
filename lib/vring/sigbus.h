/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGBUS guard. A front end can make guest memory disappear while it is in use: it truncates a
 * file, or the pool has no hugepage left for a fault. The next access raises SIGBUS, whose default
 * action ends the process.
 *
 * The handler maps private zero pages in place of a guarded mapping and sets the flag of its
 * memory. The data path checks the flag after each burst and breaks the ring. A SIGBUS at any
 * other address is passed to the previous handler, or to the default action.
 *
 * librte_vhost has mappings of its own, which are not guarded. A thread brackets its calls of the
 * library with sigbus_enter() and sigbus_leave(); a SIGBUS in between is handled the same way.
 *
 * Thread safety: any thread. The handler takes no lock: it reads an array of ranges, each with a
 * sequence count. A range that changes meanwhile is not one in use, so it is skipped.
 */
#ifndef SHUNT_VRING_SIGBUS_H
#define SHUNT_VRING_SIGBUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * Install the SIGBUS handler of the process, unless it is installed already.
 *
 * @return 0; negative errno
 */
int sigbus_install(void);

/**
 * Guard a mapping.
 *
 * @param map start as returned by mmap()
 * @param size bytes, a multiple of the mapping's page size
 * @param missing set when an access finds no page; must be valid until sigbus_unguard()
 * @return number for sigbus_unguard(); -ENOSPC: too many mappings
 */
int sigbus_guard(void *map, size_t size, atomic_bool *missing);

/**
 * Remove the guard of a mapping before it is unmapped.
 *
 * @param number from sigbus_guard(); a negative one is ignored
 */
void sigbus_unguard(int number);

/** The calling thread enters code that accesses guest memory through unguarded mappings. */
void sigbus_enter(void);

/**
 * The calling thread leaves that code.
 *
 * @return true if memory was missing since sigbus_enter(); false without sigbus_enter()
 */
bool sigbus_leave(void);

#endif
