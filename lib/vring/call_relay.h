/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A descriptor for code that signals an eventfd, by write() of 8 bytes that are not zero, whose signals
 * are seen without a system call. It is a file in memory, mapped here: each write fills the slot that
 * is next in the file. Whoever looks clears slots and, after half of the file, has the file begin
 * anew, so that the memory suffices and none is allocated while signals come.
 *
 * Thread safety: one thread opens and closes, while nobody looks; any thread may look.
 */
#ifndef SHUNT_VRING_CALL_RELAY_H
#define SHUNT_VRING_CALL_RELAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_spinlock.h>

struct call_relay {
	/* Written by call_relay_open() and call_relay_close(). */
	_Alignas(64) uint64_t *_Atomic slot; /**< the file; NULL = not open */
	int fd;                              /**< to be signalled; valid while open */

	/* Written under the lock, read by any thread. */
	atomic_uint next; /**< slot that is written next, unless it has been written */
	rte_spinlock_t lock;
};

/** Nothing happens to one that is open. @return 0; negative errno */
int call_relay_open(struct call_relay *relay);

/** The descriptor is closed; duplicates of it may still be written to. Safe on one that is not open. */
void call_relay_close(struct call_relay *relay);

/** call_relay_taken() where the slot that is next has been written. */
bool call_relay_take(struct call_relay *relay, uint64_t *slot);

/**
 * Has it been signalled since the last look of any thread? A signal that was complete before the call
 * is reported by it, or by a call in another thread that has not returned before.
 */
static inline bool
call_relay_taken(struct call_relay *relay)
{
	uint64_t *slot = atomic_load_explicit(&relay->slot, memory_order_acquire);

	if (slot == NULL)
		return false;
	unsigned next = atomic_load_explicit(&relay->next, memory_order_relaxed);
	if (likely(__atomic_load_n(&slot[next], __ATOMIC_RELAXED) == 0))
		return false;
	return call_relay_take(relay, slot);
}

#endif
