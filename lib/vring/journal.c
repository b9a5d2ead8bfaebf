/* SPDX-License-Identifier: BSD-3-Clause */
/* Journal of a ring: begin, end, and resuming the ring from it. */
#include "vring/journal.h"

#include "vring/packed.h"

void
virtq_journal_begin(const struct virtq_setup *setup, bool coarse)
{
	struct virtq_journal *journal = setup->journal;

	virtq_journal_end(journal);
	journal->done = journal->taken = journal->base = setup->last_avail;
	journal->listed = 0;
	journal->home = setup->home;
	journal->packed = setup->packed;
	journal->coarse = coarse;
	__atomic_store_n(&journal->size, setup->size, __ATOMIC_RELEASE);
}

void
virtq_journal_end(struct virtq_journal *journal)
{
	journal->size = 0;
	/* The stores that follow must come later, in case the process ends in between. */
	atomic_signal_fence(memory_order_seq_cst);
}

bool
virtq_journal_is(const struct virtq_setup *setup)
{
	const struct virtq_journal *journal = setup->journal;

	return journal->size == setup->size && journal->packed == setup->packed &&
	       memcmp(&journal->home, &setup->home, sizeof(setup->home)) == 0;
}

/**
 * The front end of a split ring gives the used index. Frames popped beyond it may have been
 * delivered: their buffers are used, and they are not sent again.
 */
static void
resume_split(struct virtq_setup *setup, bool popped)
{
	const struct virtq_journal *journal = setup->journal;
	uint16_t used = setup->last_used, mask = (uint16_t)(setup->size - 1);
	uint16_t n = (uint16_t)(journal->taken - used);
	uint16_t available =
		(uint16_t)(__atomic_load_n(&setup->avail->idx, __ATOMIC_ACQUIRE) - used);

	if (!popped || !virtq_journal_is(setup) || journal->coarse || setup->last_avail != used ||
		(uint16_t)(used - journal->done) > (uint16_t)(journal->taken - journal->done) ||
		n > setup->size || n > available)
		return;
	for (uint16_t i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(used + i) & mask;
		uint16_t head = __atomic_load_n(&setup->avail->ring[at], __ATOMIC_RELAXED);
		virtq_use(setup->used, at, head, 0);
	}
	__atomic_store_n(&setup->used->idx, journal->taken, __ATOMIC_RELEASE);
	setup->last_avail = setup->last_used = journal->taken;
}

enum virtq_fault
virtq_resume(struct virtq_setup *setup, bool popped, bool coarse)
{
	struct virtq_journal *journal = setup->journal;
	uint16_t given = setup->last_avail;
	enum virtq_fault fault = VIRTQ_GOOD;

	if (setup->packed)
		fault = virtq_packed_resume(setup, popped);
	else
		resume_split(setup, popped);
	if (fault != VIRTQ_GOOD)
		return fault;
	/* A journal that is correct already must stay so at any instruction. */
	if (!virtq_journal_is(setup) || journal->done != setup->last_avail ||
		journal->taken != setup->last_avail)
		virtq_journal_begin(setup, coarse);
	journal->listed = 0;
	journal->coarse = coarse;
	journal->base = given;
	return VIRTQ_GOOD;
}
