/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file descriptor that replaces an eventfd for code that signals by write() of 8 non-zero bytes.
 * Its signals are read without a system call: it is a memory file, mapped here, and each write()
 * fills the next slot. The reader clears slots and, past half of the file, rewinds the file offset,
 * so that a file of fixed size suffices and no memory is allocated while signals arrive.
 *
 * Thread safety: one thread opens and closes while no thread reads; any thread may read.
 */
#ifndef SHUNT_VRING_CALL_RELAY_H
#define SHUNT_VRING_CALL_RELAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_spinlock.h>

#include "base/shared.h"

/** A relay; zeroed before the first call_relay_open(). */
struct call_relay {
	/* Written by call_relay_open() and call_relay_close(). */
	_Alignas(64) uint64_t *_Atomic slot; /**< mapping of the file; NULL = not open */
	int fd;                              /**< to write signals to; valid while open */

	/* Written under the lock, read by any thread. */
	atomic_uint next; /**< first slot that has not been read */
	rte_spinlock_t lock;
};

/** Open a relay; does nothing if it is open. @return 0; negative errno */
int call_relay_open(struct call_relay *relay);

/** Close a relay, if it is open. Duplicates of its descriptor may still be written to. */
void call_relay_close(struct call_relay *relay);

/**
 * Slow path of call_relay_read(): the next slot has been written.
 *
 * @param slot the mapping of the file
 * @return as call_relay_read()
 */
bool call_relay_read_slow(struct call_relay *relay, uint64_t *slot);

/**
 * Read and clear pending signals. A signal complete before the call is reported by it, or by a
 * concurrent call in another thread.
 *
 * @return true if signals were pending
 */
static inline bool
call_relay_read(struct call_relay *relay)
{
	uint64_t *slot = atomic_load_explicit(&relay->slot, memory_order_acquire);

	if (slot == NULL)
		return false;
	unsigned next = atomic_load_explicit(&relay->next, memory_order_relaxed);
	if (likely(shared_load_relaxed(&slot[next]) == 0))
		return false;
	return call_relay_read_slow(relay, slot);
}

#endif
