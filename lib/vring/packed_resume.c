/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a packed ring goes on whose back end died: by its journal, as far as the ring agrees. */
#include <unistd.h>

#include "vring/packed.h"

enum {
	RESUME_FIRST = VIRTQ_PACKED_WRAP, /* where a packed ring begins */
	RESUME_TRIES = 3,                 /* for a driver may be half way through a chain */
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
};

static uint16_t
resume_owner(const struct virtq_setup *setup, uint16_t place)
{
	const struct virtq_packed_desc *desc = &setup->packed_desc[virtq_packed_position(place)];

	return __atomic_load_n(&desc->flags, __ATOMIC_ACQUIRE) & VIRTQ_PACKED_OWNER;
}

/**
 * Can a ring go on here? Available descriptors follow one another. Behind them is what was used in
 * the round before: no descriptor whose AVAIL flag has been written in the round that this place
 * sees.
 */
static bool
resume_plausible(const struct virtq_setup *setup, uint16_t place)
{
	bool available = true;

	for (uint32_t i = 0; i < setup->size; i++) {
		uint16_t owner = resume_owner(setup, place);
		available = available && owner == virtq_packed_available(place);
		bool avail_flag = (owner & 1 << VRING_PACKED_DESC_F_AVAIL) != 0;
		if (!available && avail_flag == ((place & VIRTQ_PACKED_WRAP) != 0))
			return false;
		place = virtq_packed_step(setup->size, place, 1);
	}
	return true;
}

/**
 * Has no device used this ring since its driver cleared it? Then no USED flag is set, which a device
 * sets in its first round and the driver in its second, and what is available begins at the first
 * descriptor. A ring that is in use may look so too: when its device stands at the first descriptor
 * with a wrap counter of 1, where a fresh one stands as well, or right behind a chain across the
 * ring's end all of whose predecessors are used. Then descriptors that are not available still have
 * addresses.
 *
 * @param strictly nor may descriptors that are not available have addresses
 */
static bool
resume_fresh(const struct virtq_setup *setup, bool strictly)
{
	bool any = false, first = false;

	/* Backwards, since the driver may be adding descriptors. */
	for (uint32_t i = setup->size; i-- > 0;) {
		uint16_t owner = resume_owner(setup, (uint16_t)i);
		first = owner == virtq_packed_available(RESUME_FIRST);
		any = any || first;
		if (owner & 1 << VRING_PACKED_DESC_F_USED)
			return false;
		if (strictly && !first &&
			__atomic_load_n(&setup->packed_desc[i].addr, __ATOMIC_RELAXED) != 0)
			return false;
	}
	return first || !any;
}

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
		if (resume_owner(setup, place) != virtq_packed_used(place))
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
	if (resume_owner(setup, journal->done) != virtq_packed_available(journal->done)) {
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

/** Is the journal one of this ring, and one that explains the position given? */
static bool
resume_is_known(const struct virtq_setup *setup)
{
	const struct virtq_journal *journal = setup->journal;
	uint16_t given = setup->last_avail;

	/* Any other position a front end can only have been told by another back end. */
	return virtq_journal_is(setup) && virtq_packed_position(journal->done) < setup->size &&
	       virtq_packed_position(journal->taken) < setup->size &&
	       (given == journal->base || given == journal->done || given == journal->taken);
}

/** Does the journal tell more of a ring that looks fresh than that it is? */
static bool
resume_is_started(const struct resume *resume)
{
	const struct virtq_setup *setup = resume->setup;
	bool first = setup->journal->done == RESUME_FIRST && resume->rest != RESUME_NOTHING;

	/* Its very first burst was under way, or it stands behind a chain across the end. */
	return (first || !resume_fresh(setup, true)) && resume_plausible(setup, resume->place);
}

/** @return whether there is a place, by journal or as given */
static bool
resume_find(struct resume *resume, bool popped)
{
	const struct virtq_setup *setup = resume->setup;
	uint16_t given = setup->last_avail;
	bool known = resume_is_known(setup);
	bool fresh = given == RESUME_FIRST && resume_fresh(setup, false);

	if (known)
		resume_by_journal(resume, popped);
	if (fresh && known)
		known = resume_is_started(resume);
	/* In use, and this is where every ring begins: nobody has asked the last back end. */
	if (!known && !fresh && given == RESUME_FIRST)
		return false;
	if (!known) {
		resume->place = given;
		resume->rest = RESUME_NOTHING;
	}
	return resume_plausible(setup, resume->place);
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
	setup->last_avail = setup->last_used = resume.place;
	return VIRTQ_GOOD;
}
