/* SPDX-License-Identifier: BSD-3-Clause */
/* Tx completion of in-flight frames by descriptor status, before drivers free the mbufs. */
#include "frame/tx_completion.h"

#include <rte_malloc.h>

#include "frame/inflight.h"

/** Release the slot of a frame, once: of two callers the second finds NULL. */
static void
tx_completion_end(struct tx_completion *completion)
{
	struct inflight_slot *slot =
		atomic_exchange_explicit(&completion->slot, NULL, memory_order_acq_rel);

	if (slot != NULL)
		inflight_release(slot);
}

/** free_cb of rte_mbuf_ext_shared_info: the last mbuf of a frame is freed. Any thread. */
static void
tx_completion_mbuf_freed(void *addr, void *opaque)
{
	struct tx_completion *completion = opaque;

	(void)addr;
	tx_completion_end(completion);
	/* Release: pairs with the acquire in tx_completion_can_add(). No access follows it. */
	atomic_store_explicit(&completion->in_use, false, memory_order_release);
}

struct tx_completions *
tx_completions_create(uint32_t n, int numa)
{
	struct tx_completions *completions =
		rte_zmalloc_socket("completions", sizeof(*completions), 64, numa);

	if (completions == NULL)
		return NULL;
	completions->mask = (uint16_t)(n - 1);
	completions->completion =
		rte_zmalloc_socket("completions", n * sizeof(*completions->completion), 64, numa);
	if (completions->completion == NULL) {
		tx_completions_destroy(completions);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		completions->completion[i].shared.free_cb = tx_completion_mbuf_freed;
		completions->completion[i].shared.fcb_opaque = &completions->completion[i];
	}
	return completions;
}

void
tx_completions_destroy(struct tx_completions *completions)
{
	if (completions != NULL)
		rte_free(completions->completion);
	rte_free(completions);
}

bool
tx_completions_in_use(const struct tx_completions *completions)
{
	for (uint32_t i = 0; i <= completions->mask; i++)
		if (atomic_load_explicit(&completions->completion[i].in_use, memory_order_acquire))
			return true;
	return false;
}

struct rte_mbuf_ext_shared_info *
tx_completion_add(struct tx_completions *completions, struct inflight_slot *slot, uint16_t pieces)
{
	struct tx_completion *completion =
		&completions->completion[completions->next++ & completions->mask];

	atomic_store_explicit(&completions->added,
		atomic_load_explicit(&completions->added, memory_order_relaxed) + 1,
		memory_order_relaxed);
	/* Relaxed: passing the mbufs on and the queue's lock order these for other threads. */
	rte_mbuf_ext_refcnt_set(&completion->shared, pieces);
	atomic_store_explicit(&completion->slot, slot, memory_order_relaxed);
	atomic_store_explicit(&completion->in_use, true, memory_order_relaxed);
	return &completion->shared;
}

void
tx_completions_mark(struct tx_completions *completions, uint32_t segments)
{
	uint16_t i = atomic_load_explicit(&completions->marked, memory_order_relaxed);

	for (; i != completions->next; i++)
		completions->completion[i & completions->mask].mark = segments;
	atomic_store_explicit(&completions->marked, i, memory_order_relaxed);
}

/** @return true if the frame's last descriptor, or a later one, is done */
static bool
tx_completion_is_done(const struct tx_completion *completion, uint32_t segments, uint16_t ring,
	tx_completion_done_fn *done, void *arg)
{
	uint32_t since = segments - completion->mark;

	/* If its descriptors are reused, the driver frees its mbufs, which releases the slot. */
	return since < ring && done(arg, (uint16_t)(ring - 1 - since));
}

void
tx_completions_reap(struct tx_completions *completions, uint32_t segments, uint16_t ring,
	tx_completion_done_fn *done, void *arg)
{
	uint16_t marked = atomic_load_explicit(&completions->marked, memory_order_relaxed);
	uint16_t i = atomic_load_explicit(&completions->ended, memory_order_relaxed);
	const struct tx_completion *checked = NULL;

	if (i == marked)
		return;
	/* Check the youngest frame first: on an idle device this is the only check needed. */
	bool all = tx_completion_is_done(
		&completions->completion[(uint16_t)(marked - 1) & completions->mask], segments,
		ring, done, arg);
	for (; i != marked; i++) {
		struct tx_completion *completion = &completions->completion[i & completions->mask];
		bool in_use = atomic_load_explicit(&completion->in_use, memory_order_acquire);
		if (in_use && !all && (checked == NULL || checked->mark != completion->mark) &&
			!tx_completion_is_done(completion, segments, ring, done, arg))
			break;
		/* Frames of one burst have the same mark and need only one check. */
		checked = in_use ? completion : checked;
		tx_completion_end(completion);
	}
	/* Release: pairs with the acquire in tx_completion_can_add(). */
	atomic_store_explicit(&completions->ended, i, memory_order_release);
}
