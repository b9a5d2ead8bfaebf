/* SPDX-License-Identifier: BSD-3-Clause */
/* Resumes a ring of a back end that died, by its journal: split rings, and dispatch by format. */
#include "base/shared.h"
#include "vring/packed.h"
#include "vring/split.h"

/**
 * Resume a split ring. The front end gives the used index; frames popped beyond it may have been
 * delivered, so their buffers are returned and the frames are not sent again.
 */
static void
resume_split(struct virtq_setup *setup, bool popped)
{
	const struct virtq_journal *journal = setup->journal;
	uint16_t used = setup->last_used, mask = (uint16_t)(setup->size - 1);
	uint16_t n = (uint16_t)(journal->burst_end - used);
	uint16_t available = (uint16_t)(shared_load_acquire(&setup->avail->idx) - used);

	if (!popped || !virtq_journal_matches(setup) || journal->coarse ||
		setup->last_avail != used ||
		(uint16_t)(used - journal->used) > (uint16_t)(journal->burst_end - journal->used) ||
		n > setup->size || n > available)
		return;
	for (uint16_t i = 0; i < n; i++) {
		uint16_t at = (uint16_t)(used + i) & mask;
		uint16_t head = shared_load_relaxed(&setup->avail->ring[at]);
		virtq_split_use(setup->used, at, head, 0);
		dirty_log_mark(setup->dirty_log, setup->memory, &setup->used->ring[at],
			sizeof(setup->used->ring[at]));
	}
	shared_store_release(&setup->used->idx, journal->burst_end);
	dirty_log_mark(
		setup->dirty_log, setup->memory, &setup->used->idx, sizeof(setup->used->idx));
	setup->last_avail = setup->last_used = journal->burst_end;
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
	if (!virtq_journal_matches(setup) || journal->used != setup->last_avail ||
		journal->burst_end != setup->last_avail)
		virtq_journal_begin(setup, coarse);
	journal->listed = 0;
	journal->coarse = coarse;
	journal->base = given;
	return VIRTQ_GOOD;
}
