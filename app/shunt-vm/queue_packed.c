/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings, virtio 1.2 section 2.8. Slots have equal numbers of entries, so a count of slots
 * tells position and wrap counter of both sides: completions move on by as many entries as posts.
 */
#include "queue_internal.h"

/** The wrap counter when a count comes to its entry: 1 in the first round. */
static unsigned
packed_wrap(const struct queue *queue, uint16_t count)
{
	return ~((unsigned)count >> queue->slot_shift) & 1;
}

static uint16_t
packed_wrap_flags(const struct queue *queue, uint16_t count)
{
	return packed_wrap(queue, count) ? VRING_PACKED_AVAIL : VRING_PACKED_USED;
}

/** A slot's indirect table: the layout of a packed ring, chained by standing side by side. */
static void
packed_lay_table(struct queue *queue, unsigned slot)
{
	unsigned n = queue->config.segments;
	const struct queue_piece *pieces = &queue->pieces[slot * n];
	struct packed_desc *table = queue_table(queue, slot);

	for (unsigned i = 0; i < n; i++)
		table[i] = (struct packed_desc){
			.addr = pieces[i].addr,
			.len = pieces[i].len,
			.flags = queue->config.write ? VRING_DESC_WRITE : 0,
		};
}

/** The addresses of a slot's entries, which the back end leaves as they are. */
static void
packed_address(struct queue *queue, unsigned slot, unsigned entry)
{
	unsigned n = queue->config.segments;

	if (queue->config.indirect)
		queue->pdesc[entry].addr =
			queue->tables_guest + (uint64_t)slot * n * sizeof(struct packed_desc);
	else
		for (unsigned i = 0; i < n; i++)
			queue->pdesc[entry + i].addr = queue->pieces[slot * n + i].addr;
}

void
packed_lay(struct queue *queue, unsigned slot)
{
	unsigned n = queue->entries, segments = queue->config.segments;
	uint16_t flags = queue->config.write ? VRING_DESC_WRITE : 0;

	if (queue->config.indirect)
		packed_lay_table(queue, slot);
	for (unsigned i = 0; i < n; i++) {
		struct packed_desc desc = {
			.len = queue->config.indirect
				       ? (uint32_t)(segments * sizeof(struct packed_desc))
				       : queue->pieces[slot * segments + i].len,
			.id = (uint16_t)slot,
			.flags = (uint16_t)(queue->config.indirect ? VRING_DESC_INDIRECT
					    : i + 1 < n            ? flags | VRING_DESC_NEXT
								   : flags),
		};
		queue->words[slot * n + i] = desc.word;
	}
	if (queue->ordered && slot < queue->addressed)
		packed_address(queue, slot, slot * n);
}

/** Slots that are posted for the first time: as in a driver's ring, only then have they addresses. */
static void
packed_address_new(struct queue *queue, unsigned n)
{
	unsigned end = queue->avail + n;

	for (; queue->addressed < end && queue->addressed < queue->slots; queue->addressed++)
		packed_address(queue, queue->addressed, queue->addressed * queue->entries);
}

void
packed_reset(struct queue *queue)
{
	for (unsigned i = 0; i < queue->config.size; i++)
		queue->pdesc[i] = (struct packed_desc){0};
	queue->addressed = 0;
	*queue->device_event = (struct packed_event){0};
	*queue->driver_event = (struct packed_event){.flags = VRING_EVENT_DISABLE};
}

/** Has the back end used the entry of this count? */
static bool
packed_is_used(const struct queue *queue, uint16_t count)
{
	const uint16_t both = VRING_PACKED_AVAIL | VRING_PACKED_USED;
	uint16_t flags =
		__atomic_load_n(&queue->pdesc[queue_entry(queue, count)].flags, __ATOMIC_ACQUIRE);

	return (flags & both) == (packed_wrap(queue, count) ? both : 0);
}

/** In order, the first entry of a batch tells the id of its last buffer; the rest are skipped. */
static unsigned
packed_poll_in_order(struct queue *queue, unsigned max)
{
	unsigned flight = queue_flight(queue), n = 0;

	while (n < max && n < flight && packed_is_used(queue, (uint16_t)(queue->used + n))) {
		uint16_t count = (uint16_t)(queue->used + n);
		unsigned id = queue->pdesc[queue_entry(queue, count)].id;

		n += ((id - count) & queue->slot_mask) + 1;
		if (id >= queue->slots || n > flight) {
			queue->broken = true;
			return 0;
		}
	}
	return n;
}

/**
 * How many of n entries from slot `slot` on are used, all in one round of the ring, and whether each
 * names the slot that order demands. One load tells all of an entry: id and flags stand side by
 * side. Everything is in locals: what could alias the ring would be loaded again for each entry.
 */
static unsigned
packed_count_round(const struct packed_desc *desc, unsigned entries, unsigned slot, unsigned n,
	bool wrap, bool *ordered)
{
	const uint32_t both = (uint32_t)(VRING_PACKED_AVAIL | VRING_PACKED_USED) << 16;
	uint32_t wanted = wrap ? both : 0, wrong = 0;
	unsigned i = 0;

	for (; i < n; i++, desc += entries) {
		/* Acquire: pairs with the back end's release of the flags. */
		uint32_t half = (uint32_t)(__atomic_load_n(&desc->word, __ATOMIC_ACQUIRE) >> 32);

		if ((half & both) != wanted)
			break;
		wrong |= (half & UINT16_MAX) ^ (slot + i);
	}
	*ordered &= wrong == 0;
	return i;
}

/** The same across the end of the ring. */
static unsigned
packed_count(const struct queue *queue, unsigned max, bool *ordered)
{
	unsigned slot = queue->used & queue->slot_mask, left = queue->slots - slot;
	unsigned first = max < left ? max : left, n;
	bool wrap = packed_wrap(queue, queue->used);

	*ordered = true;
	n = packed_count_round(
		&queue->pdesc[slot * queue->entries], queue->entries, slot, first, wrap, ordered);
	if (n == first && first < max)
		n += packed_count_round(
			queue->pdesc, queue->entries, 0, max - first, !wrap, ordered);
	return n;
}

unsigned
packed_poll(struct queue *queue, unsigned max)
{
	unsigned flight = queue_flight(queue), n;
	bool ordered;

	n = packed_count(queue, max < flight ? max : flight, &ordered);
	if (n == 0 || (queue->ordered && ordered))
		return n;
	if (queue->config.in_order)
		return packed_poll_in_order(queue, max);
	if (queue->ordered)
		queue_disorder(queue);
	for (unsigned i = 0; i < n; i++) {
		unsigned entry = queue_entry(queue, (uint16_t)(queue->used + i));

		if (!queue_note(queue, i, queue->pdesc[entry].id)) {
			queue->broken = true;
			return i;
		}
	}
	return n;
}

/** Post n slots of one entry each that are where they always are, all in one round. */
static void
packed_post_round(struct queue *queue, unsigned slot, unsigned n, uint16_t flags)
{
	struct packed_desc *desc = &queue->pdesc[slot];
	const uint64_t *words = &queue->words[slot];

	for (unsigned i = 0; i < n; i++)
		desc[i].word = words[i] | (uint64_t)flags << 48;
}

/** Post slots that are where they always are, but for the first. */
static void
packed_post_light(struct queue *queue, unsigned n)
{
	uint16_t next = (uint16_t)(queue->avail + 1);
	unsigned slot = next & queue->slot_mask, left = queue->slots - slot;
	unsigned first = n - 1 < left ? n - 1 : left;

	packed_post_round(queue, slot, first, packed_wrap_flags(queue, next));
	packed_post_round(
		queue, 0, n - 1 - first, packed_wrap_flags(queue, (uint16_t)(next + first)));
}

/** Write the entries of one slot but for the flags of the first. @return those, and the rest */
static uint64_t
packed_write(struct queue *queue, unsigned slot, unsigned entry, uint16_t wrap)
{
	const uint64_t *words = &queue->words[slot * queue->entries];
	struct packed_desc *desc = &queue->pdesc[entry];

	for (unsigned i = 1; i < queue->entries; i++)
		desc[i].word = words[i] | (uint64_t)wrap << 48;
	return words[0] | (uint64_t)wrap << 48;
}

/** Write all entries of post i but the first flags. @return what the first entry gets in the end */
static uint64_t
packed_post_slot(struct queue *queue, unsigned i)
{
	uint16_t count = (uint16_t)(queue->avail + i);
	unsigned entry = queue_entry(queue, count), slot = count & queue->slot_mask;

	if (!queue->ordered) {
		slot = queue_pick(queue, i);
		packed_address(queue, slot, entry);
	}
	return packed_write(queue, slot, entry, packed_wrap_flags(queue, count));
}

void
packed_post(struct queue *queue, unsigned n)
{
	uint64_t first;

	if (n == 0)
		return;
	if (queue->ordered && queue->addressed < queue->slots)
		packed_address_new(queue, n);
	first = packed_post_slot(queue, 0);
	if (queue->ordered && queue->entries == 1)
		packed_post_light(queue, n);
	else
		for (unsigned i = 1; i < n; i++) {
			uint64_t word = packed_post_slot(queue, i);

			queue->pdesc[queue_entry(queue, (uint16_t)(queue->avail + i))].word = word;
		}
	if (!queue->ordered)
		queue->n_free = (uint16_t)(queue->n_free - n);
	/* The first comes last: the back end sees the batch at once, and sees it complete. */
	__atomic_store_n(
		&queue->pdesc[queue_entry(queue, queue->avail)].word, first, __ATOMIC_RELEASE);
	queue->avail = (uint16_t)(queue->avail + n);
}

bool
packed_wants_kick(const struct queue *queue)
{
	struct packed_event event;
	uint32_t word;
	uint16_t size = queue->config.size, now, wanted;

	__atomic_load((uint32_t *)queue->device_event, &word, __ATOMIC_RELAXED);
	event = (struct packed_event){.off_wrap = (uint16_t)word, .flags = (uint16_t)(word >> 16)};
	if (event.flags != VRING_EVENT_DESC)
		return event.flags != VRING_EVENT_DISABLE;
	now = (uint16_t)queue_entry(queue, queue->avail);
	wanted = event.off_wrap & 0x7fff;
	if (event.off_wrap >> 15 != packed_wrap(queue, queue->avail))
		wanted = (uint16_t)(wanted - size);
	return queue_need_event(wanted, now,
		(uint16_t)(now - (uint16_t)(queue->avail - queue->kicked) * queue->entries));
}
