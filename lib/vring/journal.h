/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far a virtqueue has come, in memory that outlives the process: what a packed ring's front end
 * cannot ask of a back end that died. A front end that reconnects gives the position at which the
 * ring was started last (QEMU, as of 11), for a split ring the used index.
 *
 * A ring's journal holds the position up to which descriptors are used (`done`), the one that is to
 * follow (`taken`), and what it takes to complete the burst between both. Stores are ordered so that
 * a process that ends at any instruction leaves enough to go on with:
 * - `taken` of a ring that is popped is stored before any frame of the burst leaves it. The burst of
 *   a process that died is completed without its frames: they may have been delivered.
 * - Of a burst of single descriptors that is pushed, all but the first are used at once, the first
 *   when all are written (packed.h). Its word is stored before the second is used.
 * - Descriptors of longer chains are listed before the first of them is used.
 * - `taken` is stored before the first descriptor of the burst is used, `done` after it.
 *
 * A journal is trusted only if its ring lies where the journal says, if the front end gives a
 * position that the journal explains, and if the ring's own flags agree (virtq_resume()).
 *
 * Thread safety: written by the polling lcore that pops the ring or holds its lock; by whoever
 * resumes the ring while no lcore uses it.
 */
#ifndef SHUNT_VRING_JOURNAL_H
#define SHUNT_VRING_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "vring/fault.h"

enum { VIRTQ_JOURNAL_CHAINS = 128 }; /* of one burst at most */

struct virtq_setup;

/** Where a ring's descriptors lie. A guest that boots in another process has other files. */
struct virtq_home {
	uint64_t device; /**< of the memory's file, as stat() says */
	uint64_t file;   /**< which one it is there */
	uint64_t offset; /**< of the descriptors in it, bytes */
};

/** A chain that is to be given back. */
struct virtq_journal_chain {
	uint16_t id;    /**< buffer id */
	uint16_t descs; /**< descriptors it takes in the ring */
	uint32_t len;   /**< bytes written; 0 of a chain that is popped */
};

/** All zero: of no ring. Positions are places of a packed ring, indexes of a split one. */
struct virtq_journal {
	/* Written with every burst. */
	_Alignas(64) uint16_t done; /**< up to here descriptors are used */
	uint16_t taken;       /**< up to here they will be, with those of the burst under way */
	uint16_t listed;      /**< chains of the burst that are listed, 0 = single descriptors */
	uint16_t listed_from; /**< `done` of the burst that the list is of */
	uint64_t word;        /**< pushed: what the first descriptor of the burst becomes */

	/* Written when the ring is started. */
	struct virtq_home home;
	uint16_t size; /**< descriptors; 0 = the journal is of no ring */
	uint16_t base; /**< position that the front end gave */
	bool packed;
	bool coarse; /**< written after bursts only: nothing is known of the one under way */

	struct virtq_journal_chain chain[VIRTQ_JOURNAL_CHAINS];
};

/** The ring is started where its setup says, and its front end knows. No lcore may use it yet. */
void virtq_journal_begin(const struct virtq_setup *setup, bool coarse);

/** Nothing is under way in the ring, which has come to this place. Whoever writes the journal. */
static inline void
virtq_journal_set(struct virtq_journal *journal, uint16_t place)
{
	journal->taken = place;
	__atomic_store_n(&journal->done, place, __ATOMIC_RELEASE);
}

/** Is this the journal of the ring that a setup describes? */
bool virtq_journal_is(const struct virtq_setup *setup);

/** The front end was told how far the ring came, or the ring is gone. No lcore may use it any more. */
void virtq_journal_end(struct virtq_journal *journal);

/**
 * A front end that may not know how far a ring came has given a position: find the right one. The
 * burst that was under way is completed, in the ring. The journal begins anew. No lcore may use the
 * ring yet; waits a few milliseconds at most.
 *
 * @param setup complete; last_avail and last_used are what the front end gave, and are corrected
 * @param popped frames are taken out of the ring
 * @param coarse as of the journal
 * @return VIRTQ_GOOD; VIRTQ_BAD_PLACE: a packed ring that is in use at an unknown position
 */
enum virtq_fault virtq_resume(struct virtq_setup *setup, bool popped, bool coarse);

#endif
