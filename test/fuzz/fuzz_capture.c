/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Input from the reader of a capture: filter programs, which must end and read nothing but the
 * frame if they were accepted, and the shared memory of a ring, outside of which neither end may
 * access anything.
 */
#include "fuzz.h"

#include <string.h>

#include "capture/filter.h"
#include "capture/ring.h"

enum { RING = 4096, FRAME = 64, PROGRAM_MAX = 64 };

/** A program, then a frame for it. */
static void
run_program(const uint8_t *data, size_t size)
{
	struct bpf_insn program[PROGRAM_MAX];
	unsigned n = (unsigned)(size / sizeof(program[0]));

	n = n < PROGRAM_MAX ? n : PROGRAM_MAX;
	if (n == 0)
		return;
	memcpy(program, data, n * sizeof(program[0]));
	struct bpf_program *made = capture_filter_make(program, n, NULL);
	if (made == NULL)
		return;
	/* On the heap, in its exact length, so that sanitizers detect reads behind it. */
	uint32_t left = (uint32_t)(size - n * sizeof(program[0]));
	uint32_t caplen = left < FRAME ? left : FRAME;
	uint8_t *frame = malloc(caplen + (caplen == 0));
	fuzz_check(frame != NULL);
	memcpy(frame, data + size - left, caplen);
	capture_filter_passes(made, frame, left + 10, caplen);
	free(frame);
	free(made);
}

/** Records are written while the other side writes arbitrary values. */
static void
run_producer(const uint8_t *data, size_t size)
{
	uint8_t *memory = calloc(1, capture_ring_bytes(RING));
	struct capture_ring ring;

	fuzz_check(memory != NULL);
	capture_ring_init(&ring, memory, RING);
	for (; size >= 16; data += 16, size -= 16) {
		uint64_t tail;
		uint32_t len = (uint32_t)(data[8] | data[9] << 8) % 1024, at = data[10] * 8u;
		memcpy(&tail, data, sizeof(tail));
		/* In some cases a valid value. */
		atomic_store(&ring.words->tail, data[11] & 1 ? tail : ring.head - tail % RING);
		memcpy(ring.data + at, data, 16);
		uint8_t *room = capture_ring_space(&ring, len);
		fuzz_check(ring.tail <= ring.head && ring.head - ring.tail <= RING);
		if (room == NULL)
			continue;
		struct capture_record record = {.len = len, .caplen = len, .direction = 1};
		memset(room + sizeof(record), data[12], len);
		capture_ring_take(&ring, room, &record)->reason = 1;
		capture_ring_publish(&ring);
	}
	free(memory);
}

/** A ring with arbitrary contents is read. */
static void
run_consumer(const uint8_t *data, size_t size)
{
	uint8_t *memory = calloc(1, capture_ring_bytes(RING));
	struct capture_reader reader;
	struct capture_record record;
	const uint8_t *bytes;
	unsigned sum = 0;

	fuzz_check(memory != NULL);
	if (size > 8) {
		memcpy(memory, data, 8);
		memcpy(memory + CAPTURE_WORDS_SPACE, data + 8, size - 8 < RING ? size - 8 : RING);
	}
	capture_reader_init(&reader, memory, RING);
	if (capture_reader_look(&reader))
		while ((bytes = capture_reader_next(&reader, &record)) != NULL) {
			for (uint32_t i = 0; i < record.caplen; i++)
				sum += bytes[i];
			capture_reader_done(&reader, &record);
		}
	*(volatile unsigned *)memory = sum;
	free(memory);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 3 == 0)
		run_program(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		run_producer(data + 1, size - 1);
	else
		run_consumer(data + 1, size - 1);
	return 0;
}
