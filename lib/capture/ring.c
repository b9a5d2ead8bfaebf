/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes the records of a capture from the switch to another process in a ring. */
#include "capture/ring.h"

#include <string.h>

/** @return bytes rounded up to the alignment of records */
static uint64_t
ring_aligned(uint64_t bytes)
{
	return (bytes + CAPTURE_ALIGN - 1) & ~(uint64_t)(CAPTURE_ALIGN - 1);
}

void
capture_ring_init(struct capture_ring *ring, void *memory, size_t size)
{
	*ring = (struct capture_ring){
		.words = memory,
		.data = (uint8_t *)memory + CAPTURE_WORDS_SPACE,
		.size = size,
	};
}

/** Whether `bytes` fit into the ring. Reads the consumer's tail only if necessary. */
static bool
ring_fits(struct capture_ring *ring, uint64_t bytes)
{
	if (ring->head + bytes - ring->tail <= ring->size)
		return true;
	/* Acquire: pairs with the release in capture_reader_done(). */
	uint64_t tail = atomic_load_explicit(&ring->words->tail, memory_order_acquire);
	/* A tail that went back or beyond the head is invalid. */
	if (tail < ring->tail || tail > ring->head)
		return false;
	ring->tail = tail;
	return ring->head + bytes - tail <= ring->size;
}

uint8_t *
capture_ring_space(struct capture_ring *ring, uint32_t caplen)
{
	uint64_t bytes = ring_aligned(sizeof(struct capture_record) + (uint64_t)caplen);
	uint64_t at = ring->head & (ring->size - 1);
	uint64_t rest = ring->size - at;

	if (rest >= bytes)
		return ring_fits(ring, bytes) ? ring->data + at : NULL;
	/* Records are contiguous: put a filler at the end of the ring. */
	if (!ring_fits(ring, rest + bytes))
		return NULL;
	const struct capture_record filler = {.size = (uint32_t)rest};
	memcpy(ring->data + at, &filler, sizeof(filler));
	ring->head += rest;
	return ring->data;
}

struct capture_record *
capture_ring_take(struct capture_ring *ring, uint8_t *space, struct capture_record *record)
{
	record->size = (uint32_t)ring_aligned(sizeof(*record) + (uint64_t)record->caplen);
	memcpy(space, record, sizeof(*record));
	ring->head += record->size;
	return (struct capture_record *)(void *)space;
}

void
capture_ring_publish(struct capture_ring *ring)
{
	/* Release: pairs with the acquire in capture_reader_look(). */
	atomic_store_explicit(&ring->words->head, ring->head, memory_order_release);
}

void
capture_ring_lose(struct capture_ring *ring)
{
	atomic_store_explicit(&ring->words->lost, ++ring->lost, memory_order_relaxed);
}

void
capture_reader_init(struct capture_reader *reader, void *memory, size_t size)
{
	*reader = (struct capture_reader){
		.words = memory,
		.data = (const uint8_t *)memory + CAPTURE_WORDS_SPACE,
		.size = size,
	};
}

bool
capture_reader_look(struct capture_reader *reader)
{
	/* Acquire: pairs with the release in capture_ring_publish(). */
	uint64_t head = atomic_load_explicit(&reader->words->head, memory_order_acquire);

	if (head < reader->tail || head - reader->tail > reader->size || head % CAPTURE_ALIGN != 0)
		return false;
	reader->head = head;
	return true;
}

/** Whether a record is valid: contiguous and within the published bytes. */
static bool
capture_record_is_valid(const struct capture_reader *reader, const struct capture_record *record)
{
	uint64_t rest = reader->size - (reader->tail & (reader->size - 1));

	if (record->size < sizeof(*record) || record->size % CAPTURE_ALIGN != 0 ||
		record->size > rest || record->size > reader->head - reader->tail)
		return false;
	return record->direction == 0 ? record->size == rest
				      : record->caplen <= record->size - sizeof(*record) &&
						record->caplen <= record->len;
}

const uint8_t *
capture_reader_next(struct capture_reader *reader, struct capture_record *record)
{
	while (reader->tail != reader->head) {
		const uint8_t *at = reader->data + (reader->tail & (reader->size - 1));

		memcpy(record, at, sizeof(*record));
		if (!capture_record_is_valid(reader, record)) {
			record->size = 0;
			return NULL;
		}
		if (record->direction != 0)
			return at + sizeof(*record);
		capture_reader_done(reader, record);
	}
	record->size = sizeof(*record);
	return NULL;
}

void
capture_reader_done(struct capture_reader *reader, const struct capture_record *record)
{
	reader->tail += record->size;
	/* Release: pairs with the acquire in ring_fits(). */
	atomic_store_explicit(&reader->words->tail, reader->tail, memory_order_release);
}

uint64_t
capture_reader_lost(const struct capture_reader *reader)
{
	return atomic_load_explicit(&reader->words->lost, memory_order_relaxed);
}
