/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings and addresses as the floor's two threads share them: virtio 1.2 section 2.7, and no more
 * than that.
 *
 * Thread safety: types only.
 */
#ifndef SHUNT_PERF_FLOOR_H
#define SHUNT_PERF_FLOOR_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	RING = 1024,
	BURST_MAX = 64,
	LINE = 64,
	HEADER = 2 * LINE, /* copied to host memory: virtio-net header, Ethernet, and more */
	VNET = 12,
	HASH_BITS = 10,
	HASH = 1 << HASH_BITS,
	FRAME_MAX = 65550,
	PORTS = 2,
	DESC_WRITE = 2
};

#define MAC_MASK UINT64_C(0xffffffffffff)

typedef uint8_t line_t __attribute__((vector_size(LINE), aligned(1)));

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct avail {
	uint16_t flags;
	_Atomic uint16_t idx;
	uint16_t ring[RING];
};

struct used_elem {
	uint32_t id;
	uint32_t len;
};

struct used {
	uint16_t flags;
	_Atomic uint16_t idx;
	struct used_elem ring[RING];
};

/* The shared memory of a virtqueue; pointers are written before the threads start. */
struct ring {
	struct desc *desc;
	struct avail *avail;
	struct used *used;
};

/* Directions as the guest names them; each side has its own cursors on its own cache lines. */
struct front {
	struct ring rx, tx;
	uint16_t rx_used; /* received so far */
	uint16_t tx_sent;
} __attribute__((aligned(2 * LINE)));

struct back {
	struct ring rx, tx;
	uint16_t rx_filled;
	uint16_t tx_taken;
} __attribute__((aligned(2 * LINE)));

struct entry {
	uint64_t mac;
	uint64_t port; /* and one; 0 is an empty entry */
};

#endif
