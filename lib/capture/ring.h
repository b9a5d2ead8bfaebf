/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring between a polling lcore and whoever reads a capture: memory that the switch and another
 * process share. The switch writes records and never waits; what does not fit is counted as lost.
 *
 * The two do not trust each other with memory: the producer keeps its own place to itself, takes
 * from the shared memory the consumer's place alone, once, and checks it. A consumer that writes
 * nonsense there, or into records, harms nobody but itself. The consumer checks what it reads alike.
 *
 * Thread safety: one producer and one consumer for each ring.
 */
#ifndef SHUNT_CAPTURE_RING_H
#define SHUNT_CAPTURE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CAPTURE_ALIGN = 32,    /**< where records begin */
	CAPTURE_KEPT = 0xffff, /**< in place of a drop reason: the frame did not end there */
	CAPTURE_SNAPLEN_MAX = 262144,
	CAPTURE_RING_MIN = 1 << 20, /**< bytes of records; takes the longest frame three times */
	CAPTURE_RING_MAX = 4 << 20,
};

/** Directions, as the switch sees them. */
enum capture_direction { CAPTURE_RX = 1, CAPTURE_TX = 2, CAPTURE_BOTH = 3 };

/** What stands before the bytes of a frame. Written by the producer. */
struct capture_record {
	uint64_t tsc;
	uint32_t size;     /**< of the whole record: a multiple of CAPTURE_ALIGN */
	uint32_t len;      /**< of the frame */
	uint32_t caplen;   /**< bytes that follow */
	uint16_t reason;   /**< enum drop_reason, or CAPTURE_KEPT */
	uint8_t direction; /**< enum capture_direction; 0 = filler before the end of the ring */
	uint8_t unused[5];
};

_Static_assert(sizeof(struct capture_record) == CAPTURE_ALIGN, "filler fits at any place");

/** The words of a ring; places count bytes, and never wrap. */
struct capture_words {
	/* Written by the producer, read by the consumer. */
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t lost; /**< frames for which there was no space */
	/* Written by the consumer, read by the producer. */
	_Alignas(64) _Atomic uint64_t tail;
};

enum { CAPTURE_WORDS_SPACE = 4096 }; /**< in front of the records of a ring */

_Static_assert(sizeof(struct capture_words) <= CAPTURE_WORDS_SPACE, "the words have their room");

/** Bytes of a ring in shared memory. @param size of its records, a power of two */
static inline size_t
capture_ring_bytes(size_t size)
{
	return CAPTURE_WORDS_SPACE + size;
}

/** The producer's end; its own memory. */
struct capture_ring {
	struct capture_words *words;
	uint8_t *data;
	uint64_t size;
	uint64_t head; /**< written up to here, published or not */
	uint64_t tail; /**< the consumer's, as last seen and found good */
	uint64_t lost;
};

/** Set up a ring in zeroed shared memory of capture_ring_bytes(). @param size a power of two */
void capture_ring_init(struct capture_ring *ring, void *memory, size_t size);

/**
 * Room for a record of up to that many bytes of a frame, which begin CAPTURE_ALIGN behind it. Nothing
 * is written for good yet: the next call gives the same space again.
 *
 * @return NULL: full
 */
uint8_t *capture_ring_space(struct capture_ring *ring, uint32_t caplen);

/**
 * A record takes its space.
 *
 * @param record what is to stand before the bytes; its size is found here
 * @return where it is; its reason may still be changed until it is published, but nothing may be
 *         read there
 */
struct capture_record *capture_ring_take(
	struct capture_ring *ring, uint8_t *space, struct capture_record *record);

/** Show the consumer all records so far. */
void capture_ring_publish(struct capture_ring *ring);

/** A frame did not fit. */
void capture_ring_lose(struct capture_ring *ring);

/** The consumer's end; its own memory. */
struct capture_reader {
	struct capture_words *words;
	const uint8_t *data;
	uint64_t size;
	uint64_t head; /**< as last looked at */
	uint64_t tail;
};

/** @param memory of a ring; @param size of its records, a power of two */
void capture_reader_init(struct capture_reader *reader, void *memory, size_t size);

/** See what is there now. @return false: the ring makes no sense */
bool capture_reader_look(struct capture_reader *reader);

/**
 * The oldest record of those that were there when last looked.
 *
 * @param record receives a copy of what stands before the bytes
 * @return the bytes; NULL: none is left, or, with record->size 0, the ring makes no sense
 */
const uint8_t *capture_reader_next(struct capture_reader *reader, struct capture_record *record);

/** Done with a record that capture_reader_next() gave: its space may be used again. */
void capture_reader_done(struct capture_reader *reader, const struct capture_record *record);

/** Frames that did not fit so far. */
uint64_t capture_reader_lost(const struct capture_reader *reader);

#endif
