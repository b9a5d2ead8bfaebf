/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on rings: descriptors, indexes and buffers that a hostile driver writes. */
#include <string.h>

#include "attack.h"
#include "queue_internal.h"
#include "base/shared.h"
#include "base/tsc.h"

enum { KINDS_OF_LENGTH = 5, BIG = 100 * 1024 };

/** Write a ring entry of a slot that will be posted next. */
static void
attack_ring_write(struct queue *queue, unsigned entry, uint64_t addr, uint32_t len, unsigned flags,
	unsigned next)
{
	if (!queue->config.packed) {
		queue->desc[entry] =
			(struct split_desc){addr, len, (uint16_t)flags, (uint16_t)next};
		return;
	}
	struct packed_desc desc = {
		.len = len, .id = (uint16_t)(entry / queue->entries), .flags = (uint16_t)flags};

	queue->pdesc[entry].addr = addr;
	queue->words[entry] = desc.word;
}

/** @return first ring entry of the next slot to post */
static unsigned
attack_ring_entry(const struct queue *queue)
{
	return queue_slot(queue, 0) * queue->entries;
}

/** @return a valid GPA: the buffer of the next slot to post */
static uint64_t
attack_ring_buffer(const struct queue *queue)
{
	return queue_data_gpa(queue, queue_slot(queue, 0));
}

/** @return GPA after the last byte of guest memory */
static uint64_t
attack_ring_memory_end(const struct attack *attack)
{
	return MEMORY_BASE + attack->vm->memory.size;
}

/** Post one slot with a single descriptor and kick. */
static void
attack_ring_post(struct queue *queue, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
	attack_ring_write(queue, attack_ring_entry(queue), addr, len, flags, next);
	queue_post(queue, 1);
	queue_kick(queue);
}

/* The attacks; the table at the end describes each. */

static void
attack_bad_address(struct attack *attack)
{
	const uint64_t addresses[] = {0, MEMORY_BASE - 1, MEMORY_BASE - 4096,
		attack_ring_memory_end(attack), attack_ring_memory_end(attack) + 4096,
		UINT64_MAX - 10, UINT64_MAX, UINT64_C(1) << 47, (uintptr_t)attack->tx->data};

	attack_ring_post(attack->tx,
		addresses[attack->rounds % (sizeof(addresses) / sizeof(*addresses))],
		attack->rounds % 3 == 0 ? 0 : 76, 0, 0);
}

static void
attack_over_region(struct attack *attack)
{
	const uint32_t over[] = {1, 16, 4096, BIG, UINT32_MAX - 100};

	attack_ring_post(attack->tx, attack_ring_memory_end(attack) - 100,
		100 + over[attack->rounds % KINDS_OF_LENGTH], 0, 0);
}

static void
attack_at_end(struct attack *attack)
{
	uint8_t *end = attack->vm->memory.base + attack->vm->memory.size;
	uint32_t length = attack->tx->lengths[0];

	/* Legal: a frame that ends at the end of guest memory. */
	memcpy(end - length, queue_data(attack->tx, 0), length);
	attack_ring_post(attack->tx, attack_ring_memory_end(attack) - length, length, 0, 0);
}

static void
attack_bad_head(struct attack *attack)
{
	struct queue *queue = attack->tx;
	unsigned position = queue->avail & (queue->config.size - 1U);
	const uint16_t heads[] = {
		queue->config.size, (uint16_t)(queue->config.size + 1), UINT16_MAX, 0x8000};

	queue->avail_ring->ring[position] = heads[attack->rounds % 4];
	queue_post(queue, 1);
	queue_kick(queue);
}

static void
attack_bad_next(struct attack *attack)
{
	unsigned size = attack->tx->config.size;
	const unsigned next[] = {size, size + 1, UINT16_MAX, 0x8000};

	attack_ring_post(attack->tx, attack_ring_buffer(attack->tx), 76, VRING_DESC_NEXT,
		next[attack->rounds % 4]);
}

static void
attack_loop(struct attack *attack)
{
	attack_ring_post(attack->tx, attack_ring_buffer(attack->tx), 76, VRING_DESC_NEXT,
		attack_ring_entry(attack->tx));
}

static void
attack_zero_loop(struct attack *attack)
{
	attack_ring_post(attack->tx, attack_ring_buffer(attack->tx), 0, VRING_DESC_NEXT,
		attack_ring_entry(attack->tx));
}

/** Post a chain of n descriptors, each with the same address and length, and kick. */
static void
attack_ring_chain(struct queue *queue, unsigned n, uint64_t addr, uint32_t len)
{
	unsigned first = attack_ring_entry(queue);

	for (unsigned i = 0; i < n; i++) {
		unsigned entry = (first + i) % queue->config.size;

		queue->desc[entry] = (struct split_desc){
			.addr = addr,
			.len = len,
			.flags = i + 1 < n ? VRING_DESC_NEXT : 0,
			.next = (uint16_t)((entry + 1) % queue->config.size),
		};
	}
	queue_post(queue, 1);
	queue_kick(queue);
}

static void
attack_long_chain(struct attack *attack)
{
	unsigned size = attack->tx->config.size;
	const unsigned lengths[] = {size / 2, size - 1, size, 33, 300 % size};

	attack_ring_chain(
		attack->tx, lengths[attack->rounds % 5], attack_ring_buffer(attack->tx), 64);
}

static void
attack_huge_chain(struct attack *attack)
{
	attack_ring_chain(attack->tx, 16, attack->tx->data_gpa, BIG);
}

static void
attack_sum_wrap(struct attack *attack)
{
	const uint32_t lengths[] = {UINT32_MAX, 0x80000000, 0x7fffffff, 0x10000000};

	attack_ring_chain(attack->tx, 2 + attack->rounds % 16, attack->tx->data_gpa,
		lengths[attack->rounds % 4]);
}

static void
attack_avail_jump(struct attack *attack)
{
	struct queue *queue = attack->rounds % 2 == 0 ? attack->tx : attack->rx;
	const uint16_t jumps[] = {(uint16_t)(queue->config.size + 1), 0x8000, UINT16_MAX};
	uint16_t idx = (uint16_t)(queue->avail + jumps[attack->rounds / 2 % 3]);

	shared_store_release(&queue->avail_ring->idx, idx);
	queue_kick(queue);
	attack->stuck++;
}

/** Post an indirect descriptor with a given table address and length. */
static void
attack_ring_indirect(struct attack *attack, uint64_t table, uint32_t len)
{
	attack_ring_post(attack->tx, table, len, VRING_DESC_INDIRECT, 0);
}

static void
attack_indirect_length(struct attack *attack)
{
	const uint32_t lengths[] = {
		0, 1, 8, 15, 17, 33, 16 * 1025, 1 << 20, UINT32_MAX, UINT32_MAX - 15};

	attack_ring_indirect(attack, attack->tx->tables_gpa,
		lengths[attack->rounds % (sizeof(lengths) / sizeof(*lengths))]);
}

static void
attack_indirect_nested(struct attack *attack)
{
	unsigned slot = queue_slot(attack->tx, 0);
	struct split_desc *table = queue_table(attack->tx, slot);
	uint16_t flags = VRING_DESC_INDIRECT | (attack->rounds % 2 ? VRING_DESC_NEXT : 0);

	if (attack->tx->config.packed)
		((struct packed_desc *)table)[0].flags = flags;
	else
		table[0].flags = flags;
	queue_post(attack->tx, 1);
	queue_kick(attack->tx);
}

static void
attack_indirect_region(struct attack *attack)
{
	const uint64_t addresses[] = {attack_ring_memory_end(attack) - 16,
		attack_ring_memory_end(attack), 0, UINT64_MAX - 8};

	attack_ring_indirect(attack, addresses[attack->rounds % 4], 32);
}

static void
attack_indirect_loop(struct attack *attack)
{
	unsigned slot = queue_slot(attack->tx, 0);
	struct split_desc *table = queue_table(attack->tx, slot);

	table[0].flags = VRING_DESC_NEXT;
	table[0].next = attack->rounds % 2 ? 0 : UINT16_MAX;
	queue_post(attack->tx, 1);
	queue_kick(attack->tx);
}

static void
attack_short_header(struct attack *attack)
{
	attack_ring_post(attack->tx, attack_ring_buffer(attack->tx), attack->rounds % 13, 0, 0);
}

static void
attack_runt(struct attack *attack)
{
	attack_ring_post(
		attack->tx, attack_ring_buffer(attack->tx), 12 + attack->rounds % 15, 0, 0);
}

static void
attack_giant(struct attack *attack)
{
	const uint32_t lengths[] = {9018 + 12, 65535, 65536, 65550, 70000};
	uint32_t most = (uint32_t)(attack->tx->slots * attack->tx->stride / 2);
	uint32_t length = lengths[attack->rounds % KINDS_OF_LENGTH];

	attack_ring_post(attack->tx, attack->tx->data_gpa, length < most ? length : most, 0, 0);
}

static void
attack_header_pieces(struct attack *attack)
{
	struct queue *queue = attack->tx;
	unsigned first = attack_ring_entry(queue), slot = queue_slot(queue, 0),
		 n = attack->vm->header;
	uint64_t addr = attack_ring_buffer(queue);

	/* Legal: each byte of the header has its own descriptor. */
	for (unsigned i = 0; i <= n; i++) {
		unsigned entry = (first + i) % queue->config.size;

		queue->desc[entry] = (struct split_desc){
			.addr = addr + i,
			.len = i < n ? 1 : queue->lengths[slot] - n,
			.flags = i < n ? VRING_DESC_NEXT : 0,
			.next = (uint16_t)((entry + 1) % queue->config.size),
		};
	}
	queue_post(queue, 1);
	queue_kick(queue);
}

static void
attack_tx_writable(struct attack *attack)
{
	attack_ring_post(attack->tx, attack_ring_buffer(attack->tx), 76, VRING_DESC_WRITE, 0);
}

/** Post all free receive buffers with the given length and WRITE flag, and kick. */
static void
attack_ring_spoil_rx(struct attack *attack, bool write, uint32_t len)
{
	struct queue *queue = attack->rx;
	unsigned n = queue_poll(queue, queue->slots);

	queue_consume(queue, n);
	for (unsigned i = 0; i < queue_space(queue); i++) {
		unsigned slot = queue_slot(queue, i);

		attack_ring_write(queue, slot * queue->entries, queue_data_gpa(queue, slot), len,
			write ? VRING_DESC_WRITE : 0, 0);
	}
	queue_post(queue, queue_space(queue));
	queue_kick(queue);
}

static void
attack_rx_short(struct attack *attack)
{
	attack_ring_spoil_rx(attack, true, (uint32_t)(attack->rounds % 20));
}

static void
attack_rx_readonly(struct attack *attack)
{
	attack_ring_spoil_rx(attack, false, VM_SLOT_MERGEABLE);
}

static void
attack_rx_address(struct attack *attack)
{
	struct queue *queue = attack->rx;
	unsigned n = queue_poll(queue, queue->slots);

	queue_consume(queue, n);
	for (unsigned i = 0; i < queue_space(queue); i++)
		attack_ring_write(queue, queue_slot(queue, i) * queue->entries,
			attack_ring_memory_end(attack) - attack->rounds % 100, VM_SLOT_MERGEABLE,
			VRING_DESC_WRITE, 0);
	queue_post(queue, queue_space(queue));
	queue_kick(queue);
}

static void
attack_offload_grid(struct attack *attack)
{
	const uint16_t values[] = {
		0, 1, 13, 14, 33, 34, 54, 59, 60, 61, 1448, 0x7fff, 0xfff0, 0xffff};
	const uint8_t types[] = {0, 1, 3, 4, 5, 0x80, 0x81, 0xff};
	const unsigned n = sizeof(values) / sizeof(*values);
	unsigned slot = queue_slot(attack->tx, 0);
	uint64_t round = attack->rounds;
	struct net_header header = {
		.flags = (uint8_t)(round % 4),
		.gso_type = types[round / 4 % sizeof(types)],
		.hdr_len = values[round / 3 % n],
		.gso_size = values[round / 5 % n],
		.csum_start = values[round / 7 % n],
		.csum_offset = values[round / 11 % n],
	};

	memcpy(queue_data(attack->tx, slot), &header, attack->vm->header);
	queue_post(attack->tx, 1);
	queue_kick(attack->tx);
}

/** Post frames and change their contents and descriptors while the back end reads them. */
static void
attack_flip(struct attack *attack)
{
	struct queue *queue = attack->tx;
	unsigned n = queue_space(queue) < 32 ? queue_space(queue) : 32, slots[32];
	uint64_t until = tsc_now() + tsc_of(0.0005);

	for (unsigned i = 0; i < n; i++)
		slots[i] = queue_slot(queue, i);
	queue_post(queue, n);
	queue_kick(queue);
	for (unsigned k = 0; n > 0 && tsc_now() < until; k++) {
		unsigned slot = slots[k % n];
		volatile uint8_t *data = queue_data(queue, slot);

		data[k / n % (attack->vm->header + 34)] ^= (uint8_t)(1 + k % 255);
		if (!queue->config.packed && k % 3 == 0) {
			volatile struct split_desc *desc = &queue->desc[slot * queue->entries];

			desc->len = k % 2 ? UINT32_MAX : 76;
			desc->addr ^= UINT64_C(1) << (k % 64);
		}
	}
	for (unsigned i = 0; i < n; i++)
		queue_set_length(queue, slots[i], 76);
}

static void
attack_kick_storm(struct attack *attack)
{
	for (unsigned i = 0; i < 1000; i++) {
		queue_kick(attack->tx);
		queue_kick(attack->rx);
	}
}

const struct attack_kind attack_ring_kinds[] = {
	{"bad-address", "descriptors with addresses outside of memory", 0, attack_bad_address},
	{"over-region", "descriptors that extend beyond the memory", 0, attack_over_region},
	{"at-end", "a frame that ends exactly at the end of memory (legal)", 0, attack_at_end},
	{"bad-head", "heads in the available ring beyond the ring size", ATTACK_SPLIT,
		attack_bad_head},
	{"bad-next", "next fields beyond the ring size", ATTACK_SPLIT, attack_bad_next},
	{"loop-chain", "a descriptor that is its own next", ATTACK_SPLIT, attack_loop},
	{"zero-loop", "the same with length 0", ATTACK_SPLIT, attack_zero_loop},
	{"long-chain", "chains of up to a whole ring", ATTACK_SPLIT, attack_long_chain},
	{"huge-chain", "a frame of 1.6 MB", ATTACK_SPLIT, attack_huge_chain},
	{"sum-wrap", "lengths whose 32-bit sum wraps", ATTACK_SPLIT, attack_sum_wrap},
	{"avail-jump", "available indexes that jump by more than the ring size", ATTACK_SPLIT,
		attack_avail_jump},
	{"indirect-length", "indirect tables with invalid lengths", ATTACK_INDIRECT,
		attack_indirect_length},
	{"indirect-nested", "indirect descriptors in an indirect table", ATTACK_INDIRECT,
		attack_indirect_nested},
	{"indirect-region", "indirect tables outside the memory", ATTACK_INDIRECT,
		attack_indirect_region},
	{"indirect-loop", "an indirect table that loops", ATTACK_INDIRECT | ATTACK_SPLIT,
		attack_indirect_loop},
	{"short-header", "chains shorter than the virtio-net header", 0, attack_short_header},
	{"header-pieces", "a virtio-net header in descriptors of one byte (legal)", ATTACK_SPLIT,
		attack_header_pieces},
	{"runt", "frames of 0 to 14 bytes", 0, attack_runt},
	{"giant", "frames of 9 KB to 70 KB without offload", 0, attack_giant},
	{"tx-writable", "frames to send in device-writable descriptors", 0, attack_tx_writable},
	{"rx-short", "receive buffers of 0 to 19 bytes", 0, attack_rx_short},
	{"rx-readonly", "receive buffers in device-readable descriptors", 0, attack_rx_readonly},
	{"rx-address", "receive buffers that extend beyond the memory", 0, attack_rx_address},
	{"offload-grid", "invalid checksum and segmentation requests", 0, attack_offload_grid},
	{"flip", "headers and descriptors that change while they are read", 0, attack_flip},
	{"kick-storm", "a million kicks a second", ATTACK_LOAD, attack_kick_storm},
	{NULL, NULL, 0, NULL},
};
