/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring between a polling lcore and the process that reads a capture, in memory that both share.
 * The switch writes records and never waits; frames that do not fit are counted as lost.
 *
 * Neither side trusts the other. The producer keeps its head in private memory, and reads nothing
 * from the shared memory but the consumer's tail, once each time, and checks it. A consumer that
 * writes invalid values there or into records damages its own capture only. The consumer checks
 * what it reads in the same way.
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
	CAPTURE_ALIGN = 32,    /**< alignment of records */
	CAPTURE_KEPT = 0xffff, /**< in place of a drop reason: the frame was not dropped */
	CAPTURE_SNAPLEN_MAX = 262144,
	CAPTURE_RING_MIN = 1 << 20, /**< bytes for records; three of the longest frame fit */
	CAPTURE_RING_MAX = 4 << 20,
};

/** Directions, from the point of view of the switch. */
enum capture_direction { CAPTURE_RX = 1, CAPTURE_TX = 2, CAPTURE_BOTH = 3 };

/** Header of a record, before the bytes of the frame. Written by the producer. */
struct capture_record {
	uint64_t tsc;
	uint32_t size;     /**< of the whole record: a multiple of CAPTURE_ALIGN */
	uint32_t len;      /**< of the frame */
	uint32_t caplen;   /**< bytes that follow */
	uint16_t reason;   /**< enum drop_reason, or CAPTURE_KEPT */
	uint8_t direction; /**< enum capture_direction; 0 = filler at the end of the ring */
	uint8_t unused[5];
};

_Static_assert(sizeof(struct capture_record) == CAPTURE_ALIGN, "filler fits at any place");

/** Shared words of a ring; head and tail count bytes and never wrap. */
struct capture_words {
	/* Written by the producer, read by the consumer. */
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t lost; /**< frames for which there was no space */
	/* Written by the consumer, read by the producer. */
	_Alignas(64) _Atomic uint64_t tail;
};

enum { CAPTURE_WORDS_SPACE = 4096 }; /**< bytes before the records of a ring */

_Static_assert(sizeof(struct capture_words) <= CAPTURE_WORDS_SPACE, "the words have their room");

/**
 * Get the size of a ring in shared memory.
 *
 * @param size bytes for records, a power of two
 * @return bytes, the words included
 */
static inline size_t
capture_ring_bytes(size_t size)
{
	return CAPTURE_WORDS_SPACE + size;
}

/** The producer, in its private memory. */
struct capture_ring {
	struct capture_words *words;
	uint8_t *data;
	uint64_t size;
	uint64_t head; /**< end of the records written, published or not */
	uint64_t tail; /**< the consumer's tail, the last valid value read */
	uint64_t lost; /**< frames that did not fit so far */
};

/**
 * Set up a producer on zeroed memory of capture_ring_bytes(size).
 *
 * @param memory outlives the producer
 * @param size a power of two
 */
void capture_ring_init(struct capture_ring *ring, void *memory, size_t size);

/**
 * Get space for a record with up to `caplen` bytes of a frame, which follow its header at offset
 * CAPTURE_ALIGN. The space is not allocated yet: the next call returns the same space again.
 *
 * @param caplen bytes, up to CAPTURE_SNAPLEN_MAX
 * @return the space; NULL if the ring is full
 */
uint8_t *capture_ring_space(struct capture_ring *ring, uint32_t caplen);

/**
 * Allocate space for a record and write its header.
 *
 * @param space from the latest capture_ring_space()
 * @param record the header; its size is set here
 * @return the record in the ring. Its reason may be written until it is published. It must not be
 *         read, since the consumer can write there.
 */
struct capture_record *capture_ring_take(
	struct capture_ring *ring, uint8_t *space, struct capture_record *record);

/** Publish all records so far to the consumer. */
void capture_ring_publish(struct capture_ring *ring);

/** Count a frame that did not fit as lost. */
void capture_ring_lose(struct capture_ring *ring);

/** The consumer, in its private memory. */
struct capture_reader {
	struct capture_words *words;
	const uint8_t *data;
	uint64_t size;
	uint64_t head; /**< as read by capture_reader_look() */
	uint64_t tail;
};

/** Set up a consumer. @param memory of the ring @param size bytes for records, a power of two */
void capture_reader_init(struct capture_reader *reader, void *memory, size_t size);

/** Read the producer's head, and with it the records published. @return false if it is invalid */
bool capture_reader_look(struct capture_reader *reader);

/**
 * Get the oldest record of those published at the latest capture_reader_look().
 *
 * @param record receives a copy of its header
 * @return the bytes of the frame; NULL if no record is left, or, with record->size 0, if the ring
 *         is invalid
 */
const uint8_t *capture_reader_next(struct capture_reader *reader, struct capture_record *record);

/** Free the space of the record that capture_reader_next() returned. */
void capture_reader_done(struct capture_reader *reader, const struct capture_record *record);

/** @return the number of frames lost so far; written by the producer */
uint64_t capture_reader_lost(const struct capture_reader *reader);

#endif
