/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/shared.h"

enum { PAGE = 4096, SLOT_SIZE = 1 << 18, AVAIL_OFFSET = 1 << 16, USED_OFFSET = 1 << 17 };

static void
ring_require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "ring_help: %s\n", what);
	abort();
}

void
ring_guest_start(struct ring_guest *guest)
{
	ring_guest_start_sized(guest, RING_REGION_SIZE);
}

void
ring_guest_start_sized(struct ring_guest *guest, uint32_t size)
{
	const uint64_t start[RING_REGIONS] = {RING_LOW, RING_LOW + size, RING_TABLE};
	struct memory_region_desc regions[RING_REGIONS];
	struct err err = {0};

	for (unsigned i = 0; i < RING_REGIONS; i++) {
		guest->fd[i] = memfd_create("guest", MFD_CLOEXEC);
		ring_require(guest->fd[i] >= 0, "memfd_create");
		ring_require(ftruncate(guest->fd[i], size) == 0, "ftruncate");
		regions[i] = (struct memory_region_desc){
			.gpa = start[i], .size = size, .fd = guest->fd[i]};
	}
	ring_require(
		memory_map(&guest->memory, regions, RING_REGIONS, &err) == 0, "memory_map failed");
}

void
ring_guest_stop(struct ring_guest *guest)
{
	memory_unmap(&guest->memory);
	for (unsigned i = 0; i < RING_REGIONS; i++)
		close(guest->fd[i]);
}

uint8_t *
ring_at(const struct ring_guest *guest, uint64_t addr)
{
	for (unsigned i = 0; i < guest->memory.n; i++) {
		const struct memory_region *region = &guest->memory.region[i];
		if (addr >= region->gpa && addr - region->gpa < region->size)
			return region->hva + (addr - region->gpa);
	}
	ring_require(false, "no such address");
	return NULL;
}

/* A page at a time: faster than byte by byte, and still crosses the border of regions. */
static uint32_t
ring_step(uint64_t addr, uint32_t len)
{
	uint32_t step = PAGE - (uint32_t)(addr % PAGE);

	return step < len ? step : len;
}

void
ring_write(const struct ring_guest *guest, uint64_t addr, const void *from, uint32_t len)
{
	const uint8_t *bytes = from;

	for (uint32_t step; len > 0; addr += step, bytes += step, len -= step) {
		step = ring_step(addr, len);
		memcpy(ring_at(guest, addr), bytes, step);
	}
}

void
ring_read(const struct ring_guest *guest, uint64_t addr, void *to, uint32_t len)
{
	uint8_t *bytes = to;

	for (uint32_t step; len > 0; addr += step, bytes += step, len -= step) {
		step = ring_step(addr, len);
		memcpy(bytes, ring_at(guest, addr), step);
	}
}

void
ring_fill(const struct ring_guest *guest, uint64_t addr, uint8_t value, uint32_t len)
{
	for (uint32_t step; len > 0; addr += step, len -= step) {
		step = ring_step(addr, len);
		memset(ring_at(guest, addr), value, step);
	}
}

uint64_t
ring_digest(const struct ring_guest *guest, uint32_t len)
{
	uint64_t digest = 0, word;

	for (unsigned i = 0; i < 2; i++) {
		const struct memory_region *region = &guest->memory.region[i];
		for (uint32_t at = 0; at < 2 * len; at += sizeof(word)) {
			uint64_t offset = at < len ? at : region->size - 2 * (uint64_t)len + at;
			memcpy(&word, region->hva + offset, sizeof(word));
			digest = (digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		}
	}
	return digest;
}

uint16_t
ring_idx_wrap(const struct ring_driver *driver, uint32_t count)
{
	uint32_t wrap = count / driver->size % 2 == 0;

	return (uint16_t)(wrap << 15 | count % driver->size);
}

static uint16_t
ring_owner_flags(const struct ring_driver *driver, uint32_t count)
{
	return ring_idx_wrap(driver, count) >> 15 ? 1 << VRING_PACKED_DESC_F_AVAIL
						  : 1 << VRING_PACKED_DESC_F_USED;
}

/** Start as if this number of descriptors had been used before. */
static void
ring_start_packed(struct ring_driver *driver, uint32_t first)
{
	uint32_t rounds = first / driver->size, more = first % driver->size;

	for (uint32_t i = 0; i < driver->size && first > i; i++) {
		uint32_t last = i < more ? rounds : rounds - 1;
		driver->packed_desc[i].flags = last % 2 == 0 ? 0x8080 : 0;
	}
}

void
ring_start(struct ring_driver *driver, struct ring_guest *guest, unsigned slot,
	const struct ring_options *options)
{
	uint8_t *base = ring_at(guest, RING_TABLE + slot * (uint64_t)SLOT_SIZE);
	uint16_t size = options->size > 0 ? options->size : 256;

	*driver = (struct ring_driver){
		.guest = guest,
		.packed = options->packed,
		.desc = (struct vring_desc *)base,
		.avail = (struct vring_avail *)(base + AVAIL_OFFSET),
		.used = (struct vring_used *)(base + USED_OFFSET),
		.size = size,
		.avail_next = options->first,
		.used_seen = options->first,
		.descs_avail = options->first,
		.descs_used = options->first,
		.callfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	memset(base, 0, SLOT_SIZE);
	if (driver->packed) {
		ring_start_packed(driver, options->first);
	} else {
		driver->avail->idx = options->first;
		driver->used->idx = options->first;
	}
	uint16_t first = driver->packed ? ring_idx_wrap(driver, options->first) : options->first;
	driver->setup = (struct virtq_setup){
		.ops = options->ops,
		.desc = driver->desc,
		.avail = driver->avail,
		.used = driver->used,
		.memory = &guest->memory,
		.size = size,
		.last_avail = first,
		.last_used = first,
		.packed = options->packed,
		.header_len = options->short_header ? 10 : 12,
		.event_idx = options->event_idx,
		.mergeable = options->mergeable,
		.offloads = options->offloads,
		.callfd = driver->callfd,
		.journal = options->journal,
		.location = {1, 2, slot},
		.dirty_log = options->dirty_log,
	};
	if (options->journal != NULL)
		virtq_journal_begin(&driver->setup, false);
	ring_require(virtq_init(&driver->ring, &driver->setup) == 0, "virtq_init");
}

void
ring_stop(struct ring_driver *driver)
{
	close(driver->callfd);
}

void
ring_restart(struct ring_driver *driver, const struct virtq_ops *ops, bool packed,
	const struct ring_options *options)
{
	struct ring_options with = *options;

	with.ops = ops;
	with.packed = packed;
	with.short_header = with.short_header && !packed;
	ring_stop(driver);
	ring_start(driver, driver->guest, 0, &with);
}

void
ring_add_head(struct ring_driver *driver, uint16_t head)
{
	driver->avail->ring[driver->avail_next % driver->size] = head;
	driver->posted[driver->avail_next % RING_SIZE_MAX].id = head;
	driver->avail_next++;
	shared_store_release(&driver->avail->idx, driver->avail_next);
}

/** The flags of the head are written last, all at once (virtio 1.2 section 2.8.21). */
static uint16_t
ring_add_packed(struct ring_driver *driver, const struct ring_part parts[], unsigned n)
{
	uint16_t id = driver->next_desc;
	uint32_t first = driver->descs_avail;

	ring_require(n > 0 && driver->descs_avail + n - driver->descs_used <= driver->size,
		"no free descriptors");
	for (unsigned i = n; i-- > 0;) {
		struct virtq_packed_desc *desc = &driver->packed_desc[(first + i) % driver->size];
		uint16_t flags = ring_owner_flags(driver, first + i) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0) | parts[i].flags;
		struct virtq_packed_desc with = {
			.len = parts[i].len, .id = i + 1 < n ? 0xbad : id, .flags = flags};
		desc->addr = parts[i].addr;
		shared_store_release(&desc->word, with.word);
	}
	uint16_t slot = driver->avail_next++ % RING_SIZE_MAX;
	driver->posted[slot].id = id;
	driver->posted[slot].descs = (uint16_t)n;
	driver->posted[slot].idx_wrap = first;
	driver->addr[id] = parts[0].addr;
	driver->next_desc = (uint16_t)((id + n) % driver->size);
	driver->descs_avail += n;
	return id;
}

uint16_t *
ring_flags(struct ring_driver *driver)
{
	unsigned slot = (uint16_t)(driver->avail_next - 1) % RING_SIZE_MAX;

	return driver->packed
		       ? &driver->packed_desc[driver->posted[slot].idx_wrap % driver->size].flags
		       : &driver->desc[driver->posted[slot].id].flags;
}

uint16_t
ring_add(struct ring_driver *driver, const struct ring_part parts[], unsigned n)
{
	uint16_t head = driver->next_desc, at = head;

	if (driver->packed)
		return ring_add_packed(driver, parts, n);
	driver->addr[head] = parts[0].addr;

	for (unsigned i = 0; i < n; i++) {
		uint16_t next = (uint16_t)((at + 1) % driver->size);
		uint16_t flags = i + 1 < n ? VRING_DESC_F_NEXT : 0;
		driver->desc[at] = (struct vring_desc){
			parts[i].addr, parts[i].len, parts[i].flags | flags, next};
		at = next;
	}
	driver->next_desc = at;
	ring_add_head(driver, head);
	return head;
}

uint16_t
ring_add_indirect(
	struct ring_driver *driver, uint64_t table, const struct ring_part parts[], unsigned n)
{
	const struct ring_part part = {
		table, n * (uint32_t)sizeof(struct vring_desc), VRING_DESC_F_INDIRECT};

	for (unsigned i = 0; i < n; i++) {
		uint16_t flags = i + 1 < n ? VRING_DESC_F_NEXT : 0;
		struct vring_desc desc = {
			parts[i].addr, parts[i].len, parts[i].flags | flags, (uint16_t)(i + 1)};
		const struct virtq_packed_desc entry = {.addr = parts[i].addr,
			.len = parts[i].len,
			.id = 0xbad,
			.flags = parts[i].flags};
		ring_write(driver->guest, table + i * sizeof(desc),
			driver->packed ? (const void *)&entry : &desc, sizeof(desc));
	}
	uint16_t head = ring_add(driver, &part, 1);
	driver->addr[head] = parts[0].addr;
	return head;
}

static bool
ring_used_packed(struct ring_driver *driver, struct vring_used_elem *entry)
{
	const uint16_t both = 1 << VRING_PACKED_DESC_F_AVAIL | 1 << VRING_PACKED_DESC_F_USED;
	unsigned slot = driver->used_seen % RING_SIZE_MAX;
	struct virtq_packed_desc desc;

	desc.word =
		shared_load_acquire(&driver->packed_desc[driver->descs_used % driver->size].word);
	if ((desc.flags & both) != (ring_idx_wrap(driver, driver->descs_used) >> 15 ? both : 0))
		return false;
	ring_require(driver->used_seen != driver->avail_next, "more used than available");
	ring_require(desc.id == driver->posted[slot].id, "used out of order");
	ring_require((desc.flags & ~both) == (desc.len > 0 ? VRING_DESC_F_WRITE : 0),
		"flags of a used descriptor");
	*entry = (struct vring_used_elem){desc.id, desc.len};
	driver->descs_used += driver->posted[slot].descs;
	driver->used_seen++;
	return true;
}

bool
ring_used(struct ring_driver *driver, struct vring_used_elem *entry)
{
	if (driver->packed)
		return ring_used_packed(driver, entry);
	if (driver->used_seen == shared_load_acquire(&driver->used->idx))
		return false;
	*entry = driver->used->ring[driver->used_seen++ % driver->size];
	return true;
}

void
ring_reclaim(struct ring_driver *driver)
{
	struct vring_used_elem entry;

	while (ring_used(driver, &entry))
		;
}

void
ring_set_event(struct ring_driver *driver, uint16_t index)
{
	if (driver->packed)
		*driver->driver_event =
			(struct virtq_packed_event){.off_wrap = ring_idx_wrap(driver, index),
				.flags = VRING_PACKED_EVENT_FLAG_DESC};
	else
		driver->avail->ring[driver->size] = index;
}

void
ring_notify(struct ring_driver *driver)
{
	virtq_notify((struct virtq *[]){&driver->ring}, 1);
}

unsigned
ring_calls(struct ring_driver *driver)
{
	eventfd_t value = 0;

	return eventfd_read(driver->callfd, &value) == 0 ? (unsigned)value : 0;
}

void
ring_frame_read(const struct frame *frame, uint8_t *to)
{
	uint32_t at = 0;

	for (uint16_t i = 0; i < frame->segments; i++) {
		memcpy(to + at, frame->segment[i].data, frame->segment[i].len);
		at += frame->segment[i].len;
	}
	ring_require(at == frame->len, "segments are not the frame");
	memcpy(to, frame->head, frame->head_len);
}

void
ring_pattern(uint8_t *to, uint32_t len, uint32_t seed)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = (uint8_t)((i + seed * 31) * 0x9e3779b1u >> 23);
}
