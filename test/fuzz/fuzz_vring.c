/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two guests with arbitrary descriptors, indexes and memory, each with a split or a packed ring:
 * frames are popped from one and pushed to the other, and memory changes in between. The pages
 * around guest memory are inaccessible.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "eal_fixture.h"
#include "frame/convert.h"
#include "ring_help.h"

enum {
	REGION = 1 << 16,
	SIZE_MAX_LOG = 9,
	DESC_AT = 0, /**< in the region of the tables */
	AVAIL_AT = 0x4000,
	USED_AT = 0x8000,
	IMAGE_AT = 0x2000, /**< in the first region: the rest of the input */
	BELOW = 256,       /**< addresses begin this many bytes below the first region */
	ROUNDS_MAX = 4,
};

/** Bits of input_ring.flags; the others are offloads. */
enum {
	SHORT = 1 << 3,
	EVENT = 1 << 4,
	MERGE = 1 << 5,
	INSIDE = 1 << 6, /**< the tables are where buffers may be too */
	PACKED = 1 << 7,
};

enum { LOGGED = 1 << 7 }; /**< bit of input.isa */

struct input_ring {
	uint8_t flags;
	uint8_t size_log; /**< packed: half the size */
	uint8_t descs;    /**< packed: repeated for the whole ring */
	uint8_t heads; /**< entries of the available ring; the others count up; packed: the event */
	uint16_t first;
	uint8_t ahead[ROUNDS_MAX]; /**< entries made available before each round */
} __attribute__((packed));

/** The beginning of an input; then descriptors, heads, mutations, and bytes of memory. */
struct input {
	uint8_t isa; /**< with LOGGED: the rings have dirty logs */
	uint8_t rounds;
	uint8_t mutations;
	uint8_t burst;
	struct input_ring ring[2];
} __attribute__((packed));

struct input_desc {
	uint32_t addr; /**< from BELOW on; with the top bit set, far away */
	uint32_t len;
	uint16_t flags; /**< packed: AVAIL and USED are inverted */
	uint16_t next;  /**< packed: buffer id */
} __attribute__((packed));

struct input_mutation {
	uint8_t where; /**< round, side, and memory or descriptors */
	uint16_t at;
	uint8_t value;
} __attribute__((packed));

/** One of the two guests. */
struct side {
	struct ring_guest guest;
	struct dirty_log log;
	struct virtq ring;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	const struct input_desc *given;
	unsigned descs;
	uint32_t count; /**< packed: descriptors made available since the first round */
	uint16_t size;
	bool inside, packed;
};

static struct side sides[2];
static struct virtq_batch *batch;
static const struct virtq_ops *ops[4];
static unsigned ops_count;

/** A reported range lies in one region of that guest. */
static void
check_written(struct dirty_log *log, uint64_t gpa, uint32_t length)
{
	const struct side *side = (const void *)((char *)log - offsetof(struct side, log));
	unsigned hint = 0;

	fuzz_check(length > 0);
	fuzz_check(memory_translate(&side->guest.memory, &hint, gpa, length) != NULL);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_check(eal_fixture_start() == 0);
	batch = aligned_alloc(64, sizeof(*batch));
	for (unsigned i = 0; i < 2; i++) {
		sides[i].log.mark = check_written;
		ring_guest_start_sized(&sides[i].guest, REGION);
	}
	while ((ops[ops_count] = virtq_ops_at(ops_count)) != NULL)
		ops_count++;
	return 0;
}

/** Bytes of the input, from the end of the last call on. @return NULL if there are too few */
static const void *
take(const uint8_t **data, size_t *size, size_t n)
{
	const uint8_t *bytes = *data;

	if (*size < n)
		return NULL;
	*data += n;
	*size -= n;
	return bytes;
}

static uint64_t
address(const struct input_desc *desc)
{
	if (desc->addr >> 31)
		return (uint64_t)desc->addr << 32 | desc->addr;
	return RING_LOW - BELOW + desc->addr;
}

static uint16_t
place(const struct side *side, uint32_t count)
{
	return (uint16_t)((count / side->size % 2 == 0) << 15 | count % side->size);
}

/** Flags of an available descriptor at a position. */
static uint16_t
owner(uint16_t at)
{
	return at >> 15 ? 0x80 : 0x8000;
}

static void
load_split(struct side *side, const struct input_ring *from, const uint8_t *heads)
{
	for (unsigned i = 0; i < side->descs; i++) {
		const struct input_desc *desc = &side->given[i];
		side->desc[i] =
			(struct vring_desc){address(desc), desc->len, desc->flags, desc->next};
	}
	for (unsigned i = 0; i < side->size; i++)
		side->avail->ring[i] = i < from->heads ? heads[i] : (uint16_t)i;
	side->avail->idx = from->first;
}

static void
make_available(struct side *side, unsigned n)
{
	struct virtq_packed_desc *descs = (struct virtq_packed_desc *)side->desc;

	if (!side->packed) {
		side->avail->idx = (uint16_t)(side->avail->idx + n);
		return;
	}
	for (unsigned i = 0; i < n && side->descs > 0; i++, side->count++) {
		const struct input_desc *desc = &side->given[side->count % side->descs];
		descs[side->count % side->size] = (struct virtq_packed_desc){.addr = address(desc),
			.len = desc->len,
			.id = desc->next,
			.flags = desc->flags ^ owner(place(side, side->count))};
	}
}

static bool
load(struct side *side, const struct input *input, const struct input_ring *from,
	const uint8_t **data, size_t *size)
{
	uint8_t *tables = side->guest.memory.region[from->flags & INSIDE ? 0 : 2].hva;

	for (unsigned i = 0; i < RING_REGIONS; i++)
		memset(side->guest.memory.region[i].hva, 0, REGION);
	side->inside = (from->flags & INSIDE) != 0;
	side->packed = (from->flags & PACKED) != 0;
	side->size = (uint16_t)(side->packed ? 1 + 2 * from->size_log
					     : 1 << from->size_log % (SIZE_MAX_LOG + 1));
	side->desc = (struct vring_desc *)(tables + DESC_AT);
	side->avail = (struct vring_avail *)(tables + AVAIL_AT);
	side->used = (struct vring_used *)(tables + USED_AT);
	side->descs = from->descs;
	side->given = take(data, size, side->descs * sizeof(*side->given));
	const uint8_t *heads = take(data, size, from->heads);
	if (side->given == NULL || heads == NULL)
		return false;
	side->count = from->first;
	if (side->packed)
		memcpy(side->avail, heads, from->heads < 4 ? from->heads : 4);
	else
		load_split(side, from, heads);
	uint16_t first = side->packed ? place(side, from->first) : from->first;
	return virtq_init(&side->ring,
		       &(struct virtq_setup){.ops = ops[(input->isa & ~LOGGED) % ops_count],
			       .desc = side->desc,
			       .avail = side->avail,
			       .used = side->used,
			       .memory = &side->guest.memory,
			       .size = side->size,
			       .last_avail = first,
			       .last_used = first,
			       .packed = side->packed,
			       .header_len = from->flags & SHORT && !side->packed ? 10 : 12,
			       .event_idx = (from->flags & EVENT) != 0,
			       .mergeable = (from->flags & MERGE) != 0,
			       .offloads = from->flags & 7,
			       .dirty_log = input->isa & LOGGED ? &side->log : NULL,
			       .callfd = -1}) == 0;
}

static bool
in_guest(const struct memory *memory, const struct frame_segment *segment)
{
	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		if (segment->data >= region->hva && segment->data < region->hva + region->size)
			return segment->len <= region->hva + region->size - segment->data;
	}
	return false;
}

static void
check_frame(const struct side *side, const struct frame *frame)
{
	const struct frame_offload *offload = &frame->offload;
	uint64_t sum = 0;

	for (uint16_t i = 0; i < frame->segments; i++) {
		fuzz_check(in_guest(&side->guest.memory, &frame->segment[i]));
		sum += frame->segment[i].len;
	}
	fuzz_check(sum == frame->len && sum > 0 && sum <= VIRTQ_FRAME_MAX);
	fuzz_check(frame->segment >= batch->segment &&
		   frame->segment + frame->segments <= batch->segment + VIRTQ_SEGMENTS);
	fuzz_check(frame->head_len == (sum < VIRTQ_HEAD ? sum : VIRTQ_HEAD));
	fuzz_check((offload->flags & ~side->ring.offloads) == 0);
	if (offload->flags & FRAME_CSUM)
		fuzz_check(offload->csum_start + offload->csum_offset + 2u <= frame->len);
	if (offload->flags & FRAME_TSO)
		fuzz_check(offload->gso_size > 0 && offload->header_len < frame->len &&
			   offload->header_len <= FRAME_HEADERS_MAX &&
			   offload->header_len >= offload->csum_start &&
			   (offload->flags & FRAME_CSUM));
}

/** Chains that the ring may yield at most; of a packed ring whether there is one. */
static unsigned
available(const struct side *side)
{
	const struct virtq_packed_desc *descs = (struct virtq_packed_desc *)side->desc;
	uint16_t at = side->ring.last_avail;

	if (!side->packed)
		return (uint16_t)(side->avail->idx - at);
	return (descs[at & 0x7fff].flags & 0x8080) == owner(at) ? side->size : 0;
}

static uint16_t
pop(struct side *side, struct frame frames[], uint16_t most)
{
	uint64_t bad = 0;
	unsigned can = available(side), descs = 0;
	uint16_t n = virtq_pop(&side->ring, batch, frames, most, &bad);

	fuzz_check(n + bad == batch->popped && batch->popped <= most);
	fuzz_check(batch->popped <= can);
	for (uint16_t i = 0; i < batch->popped && side->packed; i++) {
		fuzz_check(batch->descs[i] > 0);
		descs += batch->descs[i];
	}
	fuzz_check(descs <= side->size);
	for (uint16_t i = 0; i < n; i++)
		check_frame(side, &frames[i]);
	/* A ring that is not broken makes progress. */
	fuzz_check(can == 0 || batch->popped > 0 || side->ring.broken != VIRTQ_GOOD);
	return n;
}

static void
check_pushed(const struct side *side, const struct virtq_result *result, uint16_t before)
{
	const struct virtq_packed_desc *descs = (struct virtq_packed_desc *)side->desc;
	uint16_t used = (uint16_t)(side->ring.last_used - before);
	uint64_t bytes = 0;

	if (side->packed) {
		fuzz_check(side->ring.first_used == NULL);
		fuzz_check((side->ring.last_used & 0x7fff) < side->size);
		fuzz_check(result->sent <= side->size);
		fuzz_check(side->inside || result->sent == 0 ||
			   (descs[before & 0x7fff].flags & 0x8080) == (before >> 15 ? 0x8080 : 0));
		return;
	}
	fuzz_check(used >= result->sent && used <= side->size);
	if (side->inside)
		return;
	for (uint16_t i = 0; i < used; i++)
		bytes += side->used->ring[(uint16_t)(before + i) % side->size].len;
	fuzz_check(bytes == result->bytes + (uint64_t)result->sent * side->ring.header_len);
	fuzz_check(used == 0 || side->used->idx == side->ring.last_used);
}

static void
push(struct side *side, struct frame frames[], uint16_t n)
{
	struct frame *list[FRAME_BURST];
	struct virtq_result result;
	uint16_t before = side->ring.last_used;

	for (uint16_t i = 0; i < n; i++)
		list[i] = &frames[i];
	uint16_t done = virtq_push(&side->ring, list, n, &result);
	virtq_notify((struct virtq *[]){&side->ring}, 1);
	fuzz_check(done <= n && result.sent + __builtin_popcount(result.too_long) == done);
	check_pushed(side, &result, before);
}

static void
convert(struct frame *frame)
{
	frame->l2_len = FRAME_ETH_LEN;
	if (frame->head_len < FRAME_ETH_LEN)
		return;
	struct rte_mbuf *mbuf = convert_to_mbuf(frame, eal_fixture_pool());
	fuzz_check(mbuf != NULL && rte_pktmbuf_pkt_len(mbuf) == frame->len);
	rte_mbuf_sanity_check(mbuf, 1);
	rte_pktmbuf_free(mbuf);
	fuzz_check(rte_mempool_full(eal_fixture_pool()));
}

static void
mutate(const struct input *input, const struct input_mutation *mutations, unsigned round)
{
	for (unsigned i = 0; i < input->mutations; i++) {
		struct side *side = &sides[mutations[i].where & 1];
		uint8_t *memory = side->guest.memory.region[mutations[i].where & 2].hva;
		if ((mutations[i].where >> 2) % ROUNDS_MAX == round)
			memory[mutations[i].at] ^= mutations[i].value;
	}
}

static void
run(const struct input *input, const struct input_mutation *mutations)
{
	struct frame frames[FRAME_BURST];
	uint16_t most = (uint16_t)(1 + input->burst % FRAME_BURST);

	for (unsigned round = 0; round < 1u + input->rounds % ROUNDS_MAX; round++) {
		for (unsigned i = 0; i < 2; i++)
			make_available(&sides[i], input->ring[i].ahead[round]);
		uint16_t n = pop(&sides[0], frames, most);
		mutate(input, mutations, round);
		push(&sides[1], frames, n);
		if (n > 0)
			convert(&frames[n - 1]);
		virtq_pop_done(&sides[0].ring, batch);
		virtq_notify((struct virtq *[]){&sides[0].ring}, 1);
		fuzz_check(sides[0].ring.last_avail == sides[0].ring.last_used);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct input *input = take(&data, &size, sizeof(*input));

	if (input == NULL)
		return 0;
	for (unsigned i = 0; i < 2; i++)
		if (!load(&sides[i], input, &input->ring[i], &data, &size))
			return 0;
	const struct input_mutation *mutations =
		take(&data, &size, input->mutations * sizeof(*mutations));
	if (mutations == NULL)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *image = sides[i].guest.memory.region[0].hva + IMAGE_AT;
		/* Tables inside the buffers may be overwritten: the input requests it. */
		memcpy(image, data, size < REGION - IMAGE_AT ? size : REGION - IMAGE_AT);
	}
	run(input, mutations);
	return 0;
}
