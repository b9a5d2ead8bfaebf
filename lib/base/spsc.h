/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions of a ring with one producer and one consumer at a time. The slots belong to the user
 * of the ring: position modulo their number is the index of a slot. The producer never waits:
 * records that do not fit are counted as lost.
 *
 * Thread safety: said at each function. Several threads may produce if a lock orders them.
 */
#ifndef SHUNT_BASE_SPSC_H
#define SHUNT_BASE_SPSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** All zero at the start. */
struct spsc {
	/* Written by the producer, read by the consumer. */
	_Alignas(64) _Atomic uint32_t head; /**< position of the next slot to fill */
	_Atomic uint64_t lost;              /**< records that did not fit */
	/* Written by the consumer, read by the producer. */
	_Alignas(64) _Atomic uint32_t tail; /**< position of the oldest filled slot */
};

/** Producer: @return the position of the next slot to fill */
static inline uint32_t
spsc_head(const struct spsc *spsc)
{
	return atomic_load_explicit(&spsc->head, memory_order_relaxed);
}

/** Producer: @return the position of the oldest slot that the consumer has not freed */
static inline uint32_t
spsc_tail(const struct spsc *spsc)
{
	/* Acquire: pairs with the release in spsc_pop(). */
	return atomic_load_explicit(&spsc->tail, memory_order_acquire);
}

/** Producer: publish the slot at spsc_head(), which must have been free. */
static inline void
spsc_push(struct spsc *spsc)
{
	/* Release: pairs with the acquire in spsc_front(). */
	atomic_store_explicit(&spsc->head, spsc_head(spsc) + 1, memory_order_release);
}

/** Producer: count a record that does not fit. */
static inline void
spsc_lose(struct spsc *spsc)
{
	uint64_t lost = atomic_load_explicit(&spsc->lost, memory_order_relaxed);

	atomic_store_explicit(&spsc->lost, lost + 1, memory_order_relaxed);
}

/** Any thread: @return records lost so far */
static inline uint64_t
spsc_lost(const struct spsc *spsc)
{
	return atomic_load_explicit(&spsc->lost, memory_order_relaxed);
}

/**
 * Consumer: find the oldest filled slot.
 *
 * @param position receives its position, valid until spsc_pop()
 * @return false if there is none
 */
static inline bool
spsc_front(const struct spsc *spsc, uint32_t *position)
{
	*position = atomic_load_explicit(&spsc->tail, memory_order_relaxed);
	/* Acquire: pairs with the release in spsc_push(). */
	return atomic_load_explicit(&spsc->head, memory_order_acquire) != *position;
}

/** Consumer: free the oldest filled slot. */
static inline void
spsc_pop(struct spsc *spsc)
{
	uint32_t tail = atomic_load_explicit(&spsc->tail, memory_order_relaxed);

	/* Release: pairs with the acquire in spsc_tail(). */
	atomic_store_explicit(&spsc->tail, tail + 1, memory_order_release);
}

#endif
