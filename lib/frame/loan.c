/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/loan.h"

#include <rte_malloc.h>

#include "frame/hold.h"

/** Whoever comes first ends the hold, the other one finds nothing. */
static void
loan_end(struct loan *loan)
{
	struct hold_slot *slot = atomic_exchange_explicit(&loan->held, NULL, memory_order_acq_rel);

	if (slot != NULL)
		hold_release(slot);
}

/** The last mbuf of a loan is freed. Any thread. */
static void
loan_returned(void *addr, void *opaque)
{
	struct loan *loan = opaque;

	(void)addr;
	loan_end(loan);
	/* Release: pairs with the acquire in loan_can_give(). Nothing is touched after it. */
	atomic_store_explicit(&loan->out, false, memory_order_release);
}

struct loans *
loans_create(uint32_t n, int numa)
{
	struct loans *loans = rte_zmalloc_socket("loans", sizeof(*loans), 64, numa);

	if (loans == NULL)
		return NULL;
	loans->mask = (uint16_t)(n - 1);
	loans->loan = rte_zmalloc_socket("loan", n * sizeof(*loans->loan), 64, numa);
	if (loans->loan == NULL) {
		loans_destroy(loans);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		loans->loan[i].shared.free_cb = loan_returned;
		loans->loan[i].shared.fcb_opaque = &loans->loan[i];
	}
	return loans;
}

void
loans_destroy(struct loans *loans)
{
	if (loans != NULL)
		rte_free(loans->loan);
	rte_free(loans);
}

bool
loans_are_out(const struct loans *loans)
{
	for (uint32_t i = 0; i <= loans->mask; i++)
		if (atomic_load_explicit(&loans->loan[i].out, memory_order_acquire))
			return true;
	return false;
}

struct rte_mbuf_ext_shared_info *
loan_give(struct loans *loans, struct hold_slot *slot, uint16_t pieces)
{
	struct loan *loan = &loans->loan[loans->next++ & loans->mask];

	atomic_store_explicit(&loans->given,
		atomic_load_explicit(&loans->given, memory_order_relaxed) + 1,
		memory_order_relaxed);
	/* Handing the mbufs on, and the queue's lock, order these for others. */
	rte_mbuf_ext_refcnt_set(&loan->shared, pieces);
	atomic_store_explicit(&loan->held, slot, memory_order_relaxed);
	atomic_store_explicit(&loan->out, true, memory_order_relaxed);
	return &loan->shared;
}

void
loans_mark(struct loans *loans, uint32_t segments)
{
	uint16_t i = atomic_load_explicit(&loans->marked, memory_order_relaxed);

	for (; i != loans->next; i++)
		loans->loan[i & loans->mask].mark = segments;
	atomic_store_explicit(&loans->marked, i, memory_order_relaxed);
}

/** Is the frame's last descriptor done, or a later one? */
static bool
loan_is_done(
	const struct loan *loan, uint32_t segments, uint16_t ring, loan_done_fn *done, void *arg)
{
	uint32_t since = segments - loan->mark;

	/* Where its descriptors are used again its mbufs are free, or about to be. */
	return since < ring && done(arg, (uint16_t)(ring - 1 - since));
}

void
loans_end(struct loans *loans, uint32_t segments, uint16_t ring, loan_done_fn *done, void *arg)
{
	uint16_t marked = atomic_load_explicit(&loans->marked, memory_order_relaxed);
	uint16_t i = atomic_load_explicit(&loans->ended, memory_order_relaxed);
	const struct loan *asked = NULL;

	if (i == marked)
		return;
	/* The youngest first: on a device that has nothing to do that is all there is to ask. */
	bool all = loan_is_done(
		&loans->loan[(uint16_t)(marked - 1) & loans->mask], segments, ring, done, arg);
	for (; i != marked; i++) {
		struct loan *loan = &loans->loan[i & loans->mask];
		bool out = atomic_load_explicit(&loan->out, memory_order_acquire);
		if (out && !all && (asked == NULL || asked->mark != loan->mark) &&
			!loan_is_done(loan, segments, ring, done, arg))
			break;
		/* What left in one burst has one mark, and needs one answer. */
		asked = out ? loan : asked;
		loan_end(loan);
	}
	/* Release: pairs with the acquire in loan_can_give(). */
	atomic_store_explicit(&loans->ended, i, memory_order_release);
}
