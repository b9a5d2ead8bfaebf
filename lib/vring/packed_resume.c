/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a packed ring goes on whose back end died: by its journal, as far as the ring agrees. */
#include <unistd.h>

#include "vring/packed.h"

enum {
	RESUME_TRIES = 3, /* for a driver may be half way through a chain */
	RESUME_PAUSE_US = 1000,
};

/** What there is to be done in a packed ring before it goes on. */
enum resume_rest {
	RESUME_NOTHING,
	RESUME_WORD,  /**< the first descriptor of a burst that was pushed is to be used */
	RESUME_EMPTY, /**< single descriptors that were popped are to be used */
	RESUME_LIST,  /**< chains that the journal lists are to be used */
};

struct resume {
	const struct virtq_setup *setup;
	uint16_t place; /**< where the ring goes on */
	enum resume_rest rest;
	bool dropped;   /**< by the front end: the ring goes on where that says, */
	uint16_t until; /**< once what is available from `place` up to here is used */
};

/** Descriptors of a journal's list. @return 0 when it makes no sense */
static uint32_t
resume_listed(const struct virtq_journal *journal)
{
	uint32_t descs = 0;

	if (journal->listed > VIRTQ_JOURNAL_CHAINS)
		return 0;
	for (unsigned i = 0; i < journal->listed; i++)
		descs += journal->chain[i].descs;
	return descs <= journal->size ? descs : 0;
}

/** Single descriptors of the burst under way that were used behind the first one. */
static uint32_t
resume_pushed(const struct virtq_setup *setup, uint16_t place)
{
	uint32_t n = 0;

	while (n + 1 < setup->size) {
		place = virtq_packed_step(setup->size, place, 1);
		if (virtq_packed_owner(setup, place) != virtq_packed_used(place))
			break;
		n++;
	}
	return n;
}

/** Where the journal and the ring say that it goes on. */
static void
resume_by_journal(struct resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint32_t descs;

	resume->rest = RESUME_NOTHING;
	resume->place = journal->done;
	if (journal->coarse)
		return;
	/* Used, and maybe available again since: the burst was complete. */
	if (virtq_packed_owner(setup, journal->done) != virtq_packed_available(journal->done)) {
		resume->place = journal->taken;
		return;
	}
	if (journal->listed > 0 && journal->listed_from == journal->done &&
		(descs = resume_listed(journal)) > 0) {
		resume->rest = RESUME_LIST;
		resume->place = virtq_packed_step(setup->size, journal->done, descs);
	} else if (popped && journal->taken != journal->done) {
		resume->rest = RESUME_EMPTY;
		resume->place = journal->taken;
	} else if (!popped && (descs = resume_pushed(setup, journal->done)) > 0) {
		resume->rest = RESUME_WORD;
		resume->place = virtq_packed_step(setup->size, journal->done, descs + 1);
	}
}

/** Is the journal one of this ring? */
static bool
resume_is_same(const struct virtq_setup *setup)
{
	const struct virtq_journal *journal = setup->journal;

	return virtq_journal_is(setup) && virtq_packed_position(journal->done) < setup->size &&
	       virtq_packed_position(journal->taken) < setup->size &&
	       virtq_packed_position(journal->base) < setup->size;
}

/**
 * QEMU drops what its guest sends while there is no back end, by its own idea of the ring: it uses
 * what is available at the position that it gave last, and gives the one behind it. What the guest
 * sent before that is still available; it is to be dropped too, for descriptors complete in order.
 */
static bool
resume_by_drops(struct resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint16_t base = journal->base, given = setup->last_avail, at = resume->place, id;
	uint32_t span = virtq_packed_distance(setup->size, journal->done, given);
	uint32_t taken = virtq_packed_distance(setup->size, journal->done, at), n;
	uint32_t left = virtq_packed_distance(setup->size, at, base);

	/* From `done` on there are what was taken, the base, and what was given, in this order. */
	if (span > setup->size || taken > span ||
		virtq_packed_distance(setup->size, journal->done, base) > span ||
		virtq_packed_owner(setup, base) != virtq_packed_used(base))
		return false;
	/* Unless the base is in the burst that had been taken: then there is nothing in between. */
	for (; left <= span - taken && left > 0; left -= n) {
		n = virtq_packed_chain(setup, at, &id);
		if (n == 0 || n > left)
			return false;
		at = virtq_packed_step(setup->size, at, n);
	}
	resume->until = at;
	return true;
}

/** Does a ring that looks fresh stand right behind a chain across its end? */
static bool
resume_is_behind_chain(const struct virtq_setup *setup, uint16_t place)
{
	uint16_t id;

	return virtq_packed_chain(setup, VIRTQ_PACKED_FIRST, &id) == virtq_packed_position(place) &&
	       !virtq_packed_fresh(setup, true);
}

/** Does the journal tell more of a ring that looks fresh than that it is? */
static bool
resume_is_started(const struct resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	/* Its very first burst was under way. */
	bool first = setup->journal->done == VIRTQ_PACKED_FIRST && resume->rest != RESUME_NOTHING;

	return (first || resume_is_behind_chain(setup, resume->place)) &&
	       virtq_packed_plausible(setup, resume->place);
}

/** @return whether the journal, or the front end's word with it, tells of this ring */
static bool
resume_is_known(struct resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	const struct virtq_journal *journal = setup->journal;
	uint16_t given = setup->last_avail;

	resume_by_journal(resume, popped);
	if (given == journal->base || given == journal->done || given == journal->taken)
		return true;
	resume->dropped = popped && resume_by_drops(resume);
	return resume->dropped;
}

/** @return whether there is a place, by journal or as given */
static bool
resume_find(struct resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	uint16_t given = setup->last_avail;
	bool same = resume_is_same(setup);
	bool fresh = given == VIRTQ_PACKED_FIRST && virtq_packed_fresh(setup, false);

	resume->dropped = false;
	bool known = same && resume_is_known(resume, popped);
	if (fresh && known)
		known = resume_is_started(resume);
	/*
	 * In use, and this is where every ring begins: nobody has asked the last back end. Or QEMU
	 * has dropped frames in a way that leaves no order.
	 */
	if (!known && !fresh && (given == VIRTQ_PACKED_FIRST || (same && popped)))
		return false;
	if (!known) {
		/* Any other position a front end can only have been told by another back end. */
		resume->place = given;
		resume->rest = RESUME_NOTHING;
		resume->dropped = false;
	}
	return virtq_packed_plausible(setup, resume->dropped ? given : resume->place);
}

static void
resume_store(const struct virtq_setup *setup, uint16_t place, uint64_t word)
{
	/* Release: the first descriptor of the burst comes last. */
	__atomic_store_n(
		&setup->packed_desc[virtq_packed_position(place)].word, word, __ATOMIC_RELEASE);
}

/** Use the chains that the journal lists, from the second on, and then the first. */
static void
resume_use_list(const struct virtq_setup *setup, bool popped)
{
	const struct virtq_journal *journal = setup->journal;
	uint16_t place = journal->done;

	for (unsigned i = 0; i < journal->listed; i++) {
		struct virtq_journal_chain chain = journal->chain[i];
		if (i > 0)
			resume_store(setup, place,
				virtq_packed_word(place, chain.id, chain.len,
					popped ? 0 : VRING_DESC_F_WRITE));
		place = virtq_packed_step(setup->size, place, chain.descs);
	}
	resume_store(setup, journal->done,
		virtq_packed_word(journal->done, journal->chain[0].id, journal->chain[0].len,
			popped ? 0 : VRING_DESC_F_WRITE));
}

/** Use single descriptors of frames that may have been delivered; the ring still has their ids. */
static void
resume_use_singles(const struct resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	uint16_t first = setup->journal->done, place = first;

	do {
		place = virtq_packed_step(setup->size, place, 1);
		uint16_t at = place == resume->place ? first : place;
		uint16_t id = __atomic_load_n(
			&setup->packed_desc[virtq_packed_position(at)].id, __ATOMIC_RELAXED);
		resume_store(setup, at, virtq_packed_word(at, id, 0, 0));
	} while (place != resume->place);
}

/** Complete the burst that was under way; a process that dies here can do so again. */
static void
resume_complete(const struct resume *resume, bool popped)
{
	struct virtq_journal *journal = resume->setup->journal;

	__atomic_store_n(&journal->taken, resume->place, __ATOMIC_RELEASE);
	atomic_signal_fence(memory_order_seq_cst);
	if (resume->rest == RESUME_LIST)
		resume_use_list(resume->setup, popped);
	else if (resume->rest == RESUME_EMPTY)
		resume_use_singles(resume);
	else if (resume->rest == RESUME_WORD)
		resume_store(resume->setup, journal->done, journal->word);
	__atomic_store_n(&journal->done, resume->place, __ATOMIC_RELEASE);
}

/** Use what is available before the position from which the front end dropped. */
static void
resume_drop(const struct resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	struct virtq_journal *journal = setup->journal;
	uint16_t at = resume->place, id;
	uint32_t n;

	while (at != resume->until && (n = virtq_packed_chain(setup, at, &id)) > 0) {
		__atomic_store_n(&journal->listed, 0, __ATOMIC_RELEASE);
		journal->chain[0] = (struct virtq_journal_chain){id, (uint16_t)n, 0};
		journal->listed_from = at;
		__atomic_store_n(&journal->listed, 1, __ATOMIC_RELEASE);
		__atomic_store_n(
			&journal->taken, virtq_packed_step(setup->size, at, n), __ATOMIC_RELEASE);
		resume_store(setup, at, virtq_packed_word(at, id, 0, 0));
		at = journal->taken;
		__atomic_store_n(&journal->done, at, __ATOMIC_RELEASE);
	}
	virtq_journal_set(journal, setup->last_avail);
}

enum virtq_fault
virtq_packed_resume(struct virtq_setup *setup, bool popped)
{
	struct resume resume = {.setup = setup};

	for (unsigned tries = 1; !resume_find(&resume, popped); tries++) {
		if (tries == RESUME_TRIES)
			return VIRTQ_BAD_PLACE;
		usleep(RESUME_PAUSE_US);
	}
	resume_complete(&resume, popped);
	if (resume.dropped)
		resume_drop(&resume);
	else
		setup->last_avail = resume.place;
	setup->last_used = setup->last_avail;
	return VIRTQ_GOOD;
}
