/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory that its front end takes away while it is in use: a file that is cut short, hugepages
 * that nobody has any more. The next access raises SIGBUS, which by default ends the process.
 *
 * Here the access finds zeros instead, in private pages put where the mapping was, and a flag says
 * that this memory is lost; whoever uses it looks at the flag after each burst and breaks the ring.
 * A SIGBUS anywhere else goes to whoever handled it before, usually to the end of the process.
 *
 * The library has mappings of its own. A thread that is about to call it says so, and a SIGBUS from
 * there is treated the same way.
 *
 * Thread safety: any thread. The handler takes no lock: it reads an array of ranges, each of which
 * counts its changes. A range that changes meanwhile is not the one being used, so it is passed over.
 */
#ifndef SHUNT_VRING_LOST_H
#define SHUNT_VRING_LOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/** Handle SIGBUS from now on, process-wide, unless that is so already. @return 0, -errno */
int lost_install(void);

/**
 * Watch a mapping.
 *
 * @param map, size as given to mmap(), whole pages of the mapping's kind
 * @param lost set when an access found nothing; valid until lost_unwatch()
 * @return a number for lost_unwatch(); -ENOSPC
 */
int lost_watch(void *map, size_t size, atomic_bool *lost);

/** Forget a mapping that nobody uses any more, before it is unmapped. A negative number is none. */
void lost_unwatch(int number);

/** This thread is about to call code that uses mappings of guest memory nobody watches. */
void lost_enter(void);

/**
 * It came back.
 *
 * @return whether it found memory missing since lost_enter(); false without one since the last call
 */
bool lost_leave(void);

#endif
