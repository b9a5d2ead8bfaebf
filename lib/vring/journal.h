/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The progress of a virtqueue in memory that outlives the process. A front end cannot read the
 * position of a packed ring from a back end that died: on reconnect it gives the position at which
 * the ring was last started (QEMU, as of 11), or the used index of a split ring.
 *
 * A journal has the position up to which descriptors are used (`used`), the position after the
 * burst in progress (`burst_end`), and the data needed to complete that burst. Stores are ordered
 * so that the ring can be resumed after a crash at any instruction:
 * - Pop stores `burst_end` before any frame of the burst leaves the ring. After a crash the burst
 *   is completed without sending its frames, which may have been delivered.
 * - Push uses single descriptors at once, except the first one of the burst, which is used when all
 *   are written (packed.h). Its word is stored before the second one is used.
 * - Longer chains are listed before the first descriptor of the burst is used.
 * - `burst_end` is stored before the first descriptor of the burst is used, `used` after it.
 *
 * A journal is trusted only if its ring lies where the journal says, if the journal explains the
 * position that the front end gives, and if the flags in the ring agree (virtq_resume()).
 *
 * Thread safety: written by the polling lcore that pops the ring or holds its lock; by one other
 * thread while no lcore uses the ring.
 */
#ifndef SHUNT_VRING_JOURNAL_H
#define SHUNT_VRING_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shared.h"
#include "vring/fault.h"

enum { VIRTQ_JOURNAL_CHAINS = 128 }; /* longest list of a burst */

struct virtq_setup;

/** Location of a ring's descriptors. A guest started in another process has other files. */
struct virtq_location {
	uint64_t device; /**< st_dev of the memory file */
	uint64_t file;   /**< st_ino of the memory file */
	uint64_t offset; /**< of the descriptors in the file, bytes */
};

/** A chain to be used. */
struct virtq_journal_chain {
	uint16_t id;    /**< buffer id */
	uint16_t descs; /**< number of its descriptors in the ring */
	uint32_t len;   /**< bytes written; 0 for a chain that is popped */
};

/**
 * All zero = of no ring. Positions of a packed ring are a descriptor index with the wrap counter in
 * bit 15, those of a split ring are ring indexes.
 */
struct virtq_journal {
	/* Written with every burst. */
	_Alignas(64) uint16_t used; /**< position up to which descriptors are used */
	uint16_t burst_end;         /**< position after the burst in progress */
	uint16_t listed;            /**< chains listed for the burst, 0 = single descriptors */
	uint16_t listed_from;       /**< `used` of the burst that is listed */
	uint64_t word;              /**< push: used word of the burst's first descriptor */

	/* Written when the ring is started. */
	struct virtq_location location;
	uint16_t size; /**< descriptors; 0 = the journal is of no ring */
	uint16_t base; /**< position given by the front end */
	bool packed;
	bool coarse; /**< written only after bursts: no record of a burst in progress */

	struct virtq_journal_chain chain[VIRTQ_JOURNAL_CHAINS];
};

/**
 * Begin the journal of a ring that starts at the position of its setup, which the front end knows.
 * No lcore may use the ring yet.
 *
 * @param coarse the journal will be written only after bursts
 */
void virtq_journal_begin(const struct virtq_setup *setup, bool coarse);

/**
 * Record a position with no burst in progress. The thread that writes the journal.
 *
 * @param position index; packed: with the wrap counter in bit 15
 */
static inline void
virtq_journal_set(struct virtq_journal *journal, uint16_t position)
{
	journal->burst_end = position;
	shared_store_release(&journal->used, position);
}

/** @return true if the setup's journal is of the ring that the setup describes */
bool virtq_journal_matches(const struct virtq_setup *setup);

/**
 * End the journal: the front end has been given the position, or the ring no longer exists. No
 * lcore may use the ring any more.
 */
void virtq_journal_end(struct virtq_journal *journal);

/**
 * Find the position of a ring whose front end may have given an outdated one. A burst that was in
 * progress is completed in the ring, and the journal begins anew. No lcore may use the ring yet;
 * blocks for a few milliseconds at most.
 *
 * @param setup complete; last_avail and last_used are as the front end gave them and are corrected
 * @param popped the ring is popped, not pushed
 * @param coarse the journal will be written only after bursts
 * @return VIRTQ_GOOD; VIRTQ_BAD_BASE: the packed ring is in use at an unknown position
 */
enum virtq_fault virtq_resume(struct virtq_setup *setup, bool popped, bool coarse);

#endif
