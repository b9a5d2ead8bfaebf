/* SPDX-License-Identifier: BSD-3-Clause */
/* Resumes a packed ring of a back end that died, by its journal and the flags in the ring. */
#include <unistd.h>

#include "base/shared.h"
#include "vring/packed.h"

enum {
	PACKED_RESUME_TRIES = 3, /* the driver may be in the middle of adding a chain */
	PACKED_RESUME_PAUSE_US = 1000,
};

/** How to complete the burst that was in progress. */
enum packed_resume_work {
	PACKED_RESUME_NOTHING,
	PACKED_RESUME_FIRST,   /**< push: use the burst's first descriptor */
	PACKED_RESUME_SINGLES, /**< pop: use single descriptors */
	PACKED_RESUME_LIST,    /**< use the chains listed in the journal */
};

/** Where and how to resume a ring. */
struct packed_resume {
	const struct virtq_setup *setup;
	uint16_t idx_wrap; /**< position at which to resume */
	enum packed_resume_work work;
	bool dropped;   /**< the front end dropped frames: resume at the position it gave */
	uint16_t until; /**< with `dropped`: use chains from `idx_wrap` up to here first */
};

/** @return number of descriptors listed in the journal; 0 if the list is invalid */
static uint32_t
packed_resume_listed_descs(const struct virtq_journal *journal)
{
	uint32_t descs = 0;

	if (journal->listed > VIRTQ_JOURNAL_CHAINS)
		return 0;
	for (unsigned i = 0; i < journal->listed; i++)
		descs += journal->chain[i].descs;
	return descs <= journal->size ? descs : 0;
}

/** @return number of single descriptors used after the first one of the burst in progress */
static uint32_t
packed_resume_count_pushed(const struct virtq_setup *setup, uint16_t idx_wrap)
{
	uint32_t n = 0;

	while (n + 1 < setup->size) {
		idx_wrap = virtq_packed_step(setup->size, idx_wrap, 1);
		if (virtq_packed_read_flags(setup, idx_wrap) != virtq_packed_used_flags(idx_wrap))
			break;
		n++;
	}
	return n;
}

/** Find the position to resume at, and the work left, from the journal and the ring. */
static void
packed_resume_by_journal(struct packed_resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint32_t descs;

	resume->work = PACKED_RESUME_NOTHING;
	resume->idx_wrap = journal->used;
	if (journal->coarse)
		return;
	/* Used, and possibly available again since: the burst was complete. */
	if (virtq_packed_read_flags(setup, journal->used) !=
		virtq_packed_avail_flags(journal->used)) {
		resume->idx_wrap = journal->burst_end;
		return;
	}
	if (journal->listed > 0 && journal->listed_from == journal->used &&
		(descs = packed_resume_listed_descs(journal)) > 0) {
		resume->work = PACKED_RESUME_LIST;
		resume->idx_wrap = virtq_packed_step(setup->size, journal->used, descs);
	} else if (popped && journal->burst_end != journal->used) {
		resume->work = PACKED_RESUME_SINGLES;
		resume->idx_wrap = journal->burst_end;
	} else if (!popped && (descs = packed_resume_count_pushed(setup, journal->used)) > 0) {
		resume->work = PACKED_RESUME_FIRST;
		resume->idx_wrap = virtq_packed_step(setup->size, journal->used, descs + 1);
	}
}

/** @return true if the journal is of this ring, with positions inside of it */
static bool
packed_resume_has_journal(const struct virtq_setup *setup)
{
	const struct virtq_journal *journal = setup->journal;

	return virtq_journal_matches(setup) && virtq_packed_index(journal->used) < setup->size &&
	       virtq_packed_index(journal->burst_end) < setup->size &&
	       virtq_packed_index(journal->base) < setup->size;
}

/**
 * Check whether drops by the front end explain the position that it gave, and find the chains left
 * to drop. Without a back end QEMU drops frames that its guest sends: it uses the descriptors
 * available at the position that it gave last, and then gives the position after them. Frames sent
 * before those are still available; they are dropped too, since descriptors complete in order.
 */
static bool
packed_resume_explain_drops(struct packed_resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint16_t base = journal->base, given = setup->last_avail, at = resume->idx_wrap, id;
	uint32_t span = virtq_packed_distance(setup->size, journal->used, given);
	uint32_t taken = virtq_packed_distance(setup->size, journal->used, at), n;
	uint32_t left = virtq_packed_distance(setup->size, at, base);

	/* In order from `used` on: the position to resume at, `base`, and the given position. */
	if (span > setup->size || taken > span ||
		virtq_packed_distance(setup->size, journal->used, base) > span ||
		virtq_packed_read_flags(setup, base) != virtq_packed_used_flags(base))
		return false;
	/* If `base` lies inside of the taken burst, nothing is left to drop. */
	for (; left <= span - taken && left > 0; left -= n) {
		n = virtq_packed_chain_len(setup, at, &id);
		if (n == 0 || n > left)
			return false;
		at = virtq_packed_step(setup->size, at, n);
	}
	resume->until = at;
	return true;
}

/** @return true if a ring that looks fresh is in use, and its last used chain crosses its end */
static bool
packed_resume_chain_crosses_end(const struct virtq_setup *setup, uint16_t idx_wrap)
{
	uint16_t id;

	return virtq_packed_chain_len(setup, VIRTQ_PACKED_START, &id) ==
		       virtq_packed_index(idx_wrap) &&
	       !virtq_packed_is_fresh(setup, true);
}

/** @return true if the journal shows that a ring that looks fresh is in use */
static bool
packed_resume_is_in_use(const struct packed_resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	/* The very first burst was in progress. */
	bool first =
		setup->journal->used == VIRTQ_PACKED_START && resume->work != PACKED_RESUME_NOTHING;

	return (first || packed_resume_chain_crosses_end(setup, resume->idx_wrap)) &&
	       virtq_packed_can_resume(setup, resume->idx_wrap);
}

/** @return true if the journal explains the position that the front end gave */
static bool
packed_resume_explain_base(struct packed_resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint16_t given = setup->last_avail;

	packed_resume_by_journal(resume, popped);
	if (given == journal->base || given == journal->used || given == journal->burst_end)
		return true;
	resume->dropped = popped && packed_resume_explain_drops(resume);
	return resume->dropped;
}

/** Find the position to resume at, by the journal or as given. @return true: it is plausible */
static bool
packed_resume_find(struct packed_resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	uint16_t given = setup->last_avail;
	bool same = packed_resume_has_journal(setup);
	bool fresh = given == VIRTQ_PACKED_START && virtq_packed_is_fresh(setup, false);

	resume->dropped = false;
	bool known = same && packed_resume_explain_base(resume, popped);
	if (fresh && known)
		known = packed_resume_is_in_use(resume);
	/*
	 * The ring is in use, but the front end gives the initial position: it never read the
	 * position from the last back end. Or QEMU dropped frames so that the order is lost.
	 */
	if (!known && !fresh && (given == VIRTQ_PACKED_START || (same && popped)))
		return false;
	if (!known) {
		/* A front end can know any other position only from another back end. */
		resume->idx_wrap = given;
		resume->work = PACKED_RESUME_NOTHING;
		resume->dropped = false;
	}
	return virtq_packed_can_resume(setup, resume->dropped ? given : resume->idx_wrap);
}

/** Store the word of a descriptor. */
static void
packed_resume_store(const struct virtq_setup *setup, uint16_t idx_wrap, uint64_t word)
{
	uint64_t *to = &setup->packed_desc[virtq_packed_index(idx_wrap)].word;

	shared_store_release(to, word); /* the first descriptor of the burst is stored last */
	dirty_log_mark(setup->dirty_log, setup->memory, to, sizeof(*to));
}

/** Use the chains listed in the journal: from the second one on, then the first. */
static void
packed_resume_use_list(const struct virtq_setup *setup, bool popped)
{
	const struct virtq_journal *journal = setup->journal;
	uint16_t idx_wrap = journal->used;

	for (unsigned i = 0; i < journal->listed; i++) {
		struct virtq_journal_chain chain = journal->chain[i];
		if (i > 0)
			packed_resume_store(setup, idx_wrap,
				virtq_packed_used_word(idx_wrap, chain.id, chain.len,
					popped ? 0 : VRING_DESC_F_WRITE));
		idx_wrap = virtq_packed_step(setup->size, idx_wrap, chain.descs);
	}
	packed_resume_store(setup, journal->used,
		virtq_packed_used_word(journal->used, journal->chain[0].id, journal->chain[0].len,
			popped ? 0 : VRING_DESC_F_WRITE));
}

/** Use single descriptors of frames that may have been delivered; the ring holds their ids. */
static void
packed_resume_use_singles(const struct packed_resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	uint16_t first = setup->journal->used, idx_wrap = first;

	do {
		idx_wrap = virtq_packed_step(setup->size, idx_wrap, 1);
		uint16_t at = idx_wrap == resume->idx_wrap ? first : idx_wrap;
		uint16_t id = shared_load_relaxed(&setup->packed_desc[virtq_packed_index(at)].id);
		packed_resume_store(setup, at, virtq_packed_used_word(at, id, 0, 0));
	} while (idx_wrap != resume->idx_wrap);
}

/** Complete the burst that was in progress. Can be repeated after a crash at any instruction. */
static void
packed_resume_complete(const struct packed_resume *resume, bool popped)
{
	struct virtq_journal *journal = resume->setup->journal;

	shared_store_release(&journal->burst_end, resume->idx_wrap);
	atomic_signal_fence(memory_order_seq_cst);
	if (resume->work == PACKED_RESUME_LIST)
		packed_resume_use_list(resume->setup, popped);
	else if (resume->work == PACKED_RESUME_SINGLES)
		packed_resume_use_singles(resume);
	else if (resume->work == PACKED_RESUME_FIRST)
		packed_resume_store(resume->setup, journal->used, journal->word);
	shared_store_release(&journal->used, resume->idx_wrap);
}

/** Drop the frames before those that the front end dropped: use their chains one by one. */
static void
packed_resume_drop(const struct packed_resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	struct virtq_journal *journal = setup->journal;
	uint16_t at = resume->idx_wrap, id;
	uint32_t n;

	while (at != resume->until && (n = virtq_packed_chain_len(setup, at, &id)) > 0) {
		shared_store_release(&journal->listed, 0);
		journal->chain[0] = (struct virtq_journal_chain){id, (uint16_t)n, 0};
		journal->listed_from = at;
		shared_store_release(&journal->listed, 1);
		shared_store_release(&journal->burst_end, virtq_packed_step(setup->size, at, n));
		packed_resume_store(setup, at, virtq_packed_used_word(at, id, 0, 0));
		at = journal->burst_end;
		shared_store_release(&journal->used, at);
	}
	virtq_journal_set(journal, setup->last_avail);
}

enum virtq_fault
virtq_packed_resume(struct virtq_setup *setup, bool popped)
{
	struct packed_resume resume = {.setup = setup};

	for (unsigned tries = 1; !packed_resume_find(&resume, popped); tries++) {
		if (tries == PACKED_RESUME_TRIES)
			return VIRTQ_BAD_BASE;
		usleep(PACKED_RESUME_PAUSE_US);
	}
	packed_resume_complete(&resume, popped);
	if (resume.dropped)
		packed_resume_drop(&resume);
	else
		setup->last_avail = resume.idx_wrap;
	setup->last_used = setup->last_avail;
	return VIRTQ_GOOD;
}
