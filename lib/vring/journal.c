/* SPDX-License-Identifier: BSD-3-Clause */
/* Begins and ends the journal of a ring. */
#include "vring/journal.h"

#include <string.h>

#include "base/shared.h"
#include "vring/vring.h"

void
virtq_journal_begin(const struct virtq_setup *setup, bool coarse)
{
	struct virtq_journal *journal = setup->journal;

	virtq_journal_end(journal);
	journal->used = journal->burst_end = journal->base = setup->last_avail;
	journal->listed = 0;
	journal->location = setup->location;
	journal->packed = setup->packed;
	journal->coarse = coarse;
	shared_store_release(&journal->size, setup->size);
}

void
virtq_journal_end(struct virtq_journal *journal)
{
	journal->size = 0;
	/* The stores that follow must come later, in case the process ends in between. */
	atomic_signal_fence(memory_order_seq_cst);
}

bool
virtq_journal_matches(const struct virtq_setup *setup)
{
	const struct virtq_journal *journal = setup->journal;

	return journal->size == setup->size && journal->packed == setup->packed &&
	       memcmp(&journal->location, &setup->location, sizeof(setup->location)) == 0;
}
