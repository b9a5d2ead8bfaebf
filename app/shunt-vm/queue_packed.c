/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packed rings, virtio 1.2 section 2.8. All slots have the same number of entries, so that index
 * and wrap counter of both sides derive from a count of slots.
 */
#include "queue_internal.h"

#include "base/shared.h"

/** @return the wrap counter that belongs to a count; it begins with 1 */
static unsigned
queue_packed_wrap(const struct queue *queue, uint16_t count)
{
	return ~((unsigned)count >> queue->slot_shift) & 1;
}

/** @return the flags AVAIL and USED that make the descriptor of a count available */
static uint16_t
queue_packed_wrap_flags(const struct queue *queue, uint16_t count)
{
	return queue_packed_wrap(queue, count) ? VRING_PACKED_AVAIL : VRING_PACKED_USED;
}

/** Write a slot's indirect table: descriptors in sequence, without NEXT (virtio 1.2 2.8.7). */
static void
queue_packed_lay_table(struct queue *queue, unsigned slot)
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

/** Write the addresses of a slot's entries. The back end does not change them. */
static void
queue_packed_address(struct queue *queue, unsigned slot, unsigned entry)
{
	unsigned n = queue->config.segments;

	if (queue->config.indirect)
		queue->pdesc[entry].addr =
			queue->tables_gpa + (uint64_t)slot * n * sizeof(struct packed_desc);
	else
		for (unsigned i = 0; i < n; i++)
			queue->pdesc[entry + i].addr = queue->pieces[slot * n + i].addr;
}

void
queue_packed_lay(struct queue *queue, unsigned slot)
{
	unsigned n = queue->entries, segments = queue->config.segments;
	uint16_t flags = queue->config.write ? VRING_DESC_WRITE : 0;

	if (queue->config.indirect)
		queue_packed_lay_table(queue, slot);
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
		queue_packed_address(queue, slot, slot * n);
}

/** Write the addresses of slots posted for the first time; like drivers, not before that. */
static void
queue_packed_address_new(struct queue *queue, unsigned n)
{
	unsigned end = queue->avail + n;

	for (; queue->addressed < end && queue->addressed < queue->slots; queue->addressed++)
		queue_packed_address(queue, queue->addressed, queue->addressed * queue->entries);
}

void
queue_packed_reset(struct queue *queue)
{
	for (unsigned i = 0; i < queue->config.size; i++)
		queue->pdesc[i] = (struct packed_desc){0};
	queue->addressed = 0;
	*queue->device_event = (struct packed_event){0};
	*queue->driver_event = (struct packed_event){.flags = VRING_EVENT_DISABLE};
}

/** @return true if the entry of this count is a used descriptor */
static bool
queue_packed_is_used(const struct queue *queue, uint16_t count)
{
	const uint16_t both = VRING_PACKED_AVAIL | VRING_PACKED_USED;
	uint16_t flags = shared_load_acquire(&queue->pdesc[queue_entry(queue, count)].flags);

	return (flags & both) == (queue_packed_wrap(queue, count) ? both : 0);
}

/** Poll with IN_ORDER: only the first entry of a batch is written, with the last buffer's id. */
static unsigned
queue_packed_poll_in_order(struct queue *queue, unsigned max)
{
	unsigned flight = queue_flight(queue), n = 0;

	while (n < max && n < flight && queue_packed_is_used(queue, (uint16_t)(queue->used + n))) {
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
 * Count the used ones of n slots from `slot` on, up to the end of the ring, and clear *ordered if
 * one has an id out of order. A single load gets id and flags. All values are in locals, since the
 * ring could alias members of the queue, which would be reloaded per entry.
 */
static unsigned
queue_packed_count_round(const struct packed_desc *desc, unsigned entries, unsigned slot,
	unsigned n, bool wrap, bool *ordered)
{
	const uint32_t both = (uint32_t)(VRING_PACKED_AVAIL | VRING_PACKED_USED) << 16;
	uint32_t wanted = wrap ? both : 0, wrong = 0;
	unsigned i = 0;

	for (; i < n; i++, desc += entries) {
		/* Acquire: pairs with the back end's release of the flags. */
		uint32_t half = (uint32_t)(shared_load_acquire(&desc->word) >> 32);

		if ((half & both) != wanted)
			break;
		wrong |= (half & UINT16_MAX) ^ (slot + i);
	}
	*ordered &= wrong == 0;
	return i;
}

/** As queue_packed_count_round(), across the end of the ring. */
static unsigned
queue_packed_count(const struct queue *queue, unsigned max, bool *ordered)
{
	unsigned slot = queue->used & queue->slot_mask, left = queue->slots - slot;
	unsigned first = max < left ? max : left, n;
	bool wrap = queue_packed_wrap(queue, queue->used);

	*ordered = true;
	n = queue_packed_count_round(
		&queue->pdesc[slot * queue->entries], queue->entries, slot, first, wrap, ordered);
	if (n == first && first < max)
		n += queue_packed_count_round(
			queue->pdesc, queue->entries, 0, max - first, !wrap, ordered);
	return n;
}

unsigned
queue_packed_poll(struct queue *queue, unsigned max)
{
	unsigned flight = queue_flight(queue), n;
	bool ordered;

	n = queue_packed_count(queue, max < flight ? max : flight, &ordered);
	if (n == 0 || (queue->ordered && ordered))
		return n;
	if (queue->config.in_order)
		return queue_packed_poll_in_order(queue, max);
	if (queue->ordered)
		queue_general_enter(queue);
	for (unsigned i = 0; i < n; i++) {
		unsigned entry = queue_entry(queue, (uint16_t)(queue->used + i));

		if (!queue_general_note(queue, i, queue->pdesc[entry].id)) {
			queue->broken = true;
			return i;
		}
	}
	return n;
}

/** Post n ordered slots of one entry each, up to the end of the ring. */
static void
queue_packed_post_round(struct queue *queue, unsigned slot, unsigned n, uint16_t flags)
{
	struct packed_desc *desc = &queue->pdesc[slot];
	const uint64_t *words = &queue->words[slot];

	for (unsigned i = 0; i < n; i++)
		desc[i].word = words[i] | (uint64_t)flags << 48;
}

/** Post n ordered slots of one entry each, except the first. */
static void
queue_packed_post_light(struct queue *queue, unsigned n)
{
	uint16_t next = (uint16_t)(queue->avail + 1);
	unsigned slot = next & queue->slot_mask, left = queue->slots - slot;
	unsigned first = n - 1 < left ? n - 1 : left;

	queue_packed_post_round(queue, slot, first, queue_packed_wrap_flags(queue, next));
	queue_packed_post_round(
		queue, 0, n - 1 - first, queue_packed_wrap_flags(queue, (uint16_t)(next + first)));
}

/** Write the entries of a slot except len, id and flags of the first. @return these */
static uint64_t
queue_packed_write(struct queue *queue, unsigned slot, unsigned entry, uint16_t wrap)
{
	const uint64_t *words = &queue->words[slot * queue->entries];
	struct packed_desc *desc = &queue->pdesc[entry];

	for (unsigned i = 1; i < queue->entries; i++)
		desc[i].word = words[i] | (uint64_t)wrap << 48;
	return words[0] | (uint64_t)wrap << 48;
}

/** Write the entries of post i except len, id and flags of the first. @return these */
static uint64_t
queue_packed_post_slot(struct queue *queue, unsigned i)
{
	uint16_t count = (uint16_t)(queue->avail + i);
	unsigned entry = queue_entry(queue, count), slot = count & queue->slot_mask;

	if (!queue->ordered) {
		slot = queue_general_pick(queue, i);
		queue_packed_address(queue, slot, entry);
	}
	return queue_packed_write(queue, slot, entry, queue_packed_wrap_flags(queue, count));
}

void
queue_packed_post(struct queue *queue, unsigned n)
{
	uint64_t first;

	if (n == 0)
		return;
	if (queue->ordered && queue->addressed < queue->slots)
		queue_packed_address_new(queue, n);
	first = queue_packed_post_slot(queue, 0);
	if (queue->ordered && queue->entries == 1)
		queue_packed_post_light(queue, n);
	else
		for (unsigned i = 1; i < n; i++) {
			uint64_t word = queue_packed_post_slot(queue, i);

			queue->pdesc[queue_entry(queue, (uint16_t)(queue->avail + i))].word = word;
		}
	if (!queue->ordered)
		queue->n_free = (uint16_t)(queue->n_free - n);
	/* The first entry is written last, so that the whole batch becomes available at once. */
	shared_store_release(&queue->pdesc[queue_entry(queue, queue->avail)].word, first);
	queue->avail = (uint16_t)(queue->avail + n);
}

bool
queue_packed_wants_kick(const struct queue *queue)
{
	struct packed_event event;
	uint32_t word;
	uint16_t size = queue->config.size, now, wanted;

	word = shared_load_relaxed((uint32_t *)queue->device_event);
	event = (struct packed_event){.off_wrap = (uint16_t)word, .flags = (uint16_t)(word >> 16)};
	if (event.flags != VRING_EVENT_DESC)
		return event.flags != VRING_EVENT_DISABLE;
	now = (uint16_t)queue_entry(queue, queue->avail);
	wanted = event.off_wrap & 0x7fff;
	if (event.off_wrap >> 15 != queue_packed_wrap(queue, queue->avail))
		wanted = (uint16_t)(wanted - size);
	return queue_need_event(wanted, now,
		(uint16_t)(now - (uint16_t)(queue->avail - queue->kicked) * queue->entries));
}
