/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty log of guest memory for migration (vhost-user: VHOST_F_LOG_ALL, VHOST_USER_SET_LOG_BASE):
 * the device side of a ring reports every range that it has written, by guest-physical address.
 *
 * Ranges are reported after they were written: buffers before the used ring is published, the used
 * ring after that. A range may include neighbouring bytes of the same ring that were not written.
 *
 * Thread safety: any thread that writes to a ring.
 */
#ifndef SHUNT_VRING_DIRTY_LOG_H
#define SHUNT_VRING_DIRTY_LOG_H

#include <stddef.h>
#include <stdint.h>

struct memory;

/** A dirty log; embedded in the structure of the module that implements it. */
struct dirty_log {
	/**
	 * Called for each range written, by the thread that wrote it: a polling lcore, or one that
	 * sets up or ends a ring.
	 *
	 * @param gpa first GPA of the range, which lies in one region
	 * @param length bytes, from 1
	 */
	void (*mark)(struct dirty_log *log, uint64_t gpa, uint32_t length);
};

/** Slow path of dirty_log_mark(): the log is not NULL. */
void dirty_log_mark_hva(
	struct dirty_log *log, const struct memory *memory, const void *hva, size_t length);

/**
 * Report a range of guest memory as written. Polling lcores, and threads that set up or end a ring.
 *
 * @param log NULL = none is kept
 * @param memory that the range belongs to
 * @param hva first HVA of the range
 * @param length bytes; 0 is ignored
 */
static inline void
dirty_log_mark(struct dirty_log *log, const struct memory *memory, const void *hva, size_t length)
{
	if (__builtin_expect(log != NULL, 0))
		dirty_log_mark_hva(log, memory, hva, length);
}

#endif
