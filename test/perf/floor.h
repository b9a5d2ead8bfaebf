/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shared by the floor's two threads: rings (the parts of virtio 1.2 section 2.7 in use), addresses
 * in use, options.
 *
 * Thread safety: everything is written before the threads start, except where noted.
 */
#ifndef SHUNT_PERF_FLOOR_H
#define SHUNT_PERF_FLOOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RING = 1024,
	BURST_MAX = 64,
	LINE = 64,
	HEADER = 2 * LINE, /* copied to host memory: virtio-net header, Ethernet, and more */
	VNET = 12,
	MAC = 6,
	CLAIM = 4 * LINE, /* bytes of a frame prefetched before it is accessed */
	HUGE_PAGE = 2 << 20,
	HASH_MIN = 1 << 10, /* entries; twice the addresses when these are many */
	ADDRESSES_MAX = 1 << 20,
	FRAME_MAX = 65550,
	PORTS_MAX = 16,
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

struct options {
	unsigned frame, burst, ports, addresses;
	unsigned flight; /* frames in transit from each port */
	double seconds;
	int front_cpu, switch_cpu;
	bool touch, json;
};

/* Written by the switch's thread, read after its end. */
struct result {
	uint64_t packets, busy, total, learned, unknown, bad;
	double seconds;
};

struct floor {
	struct options options;
	struct front front[PORTS_MAX]; /* cursors: by the front end */
	struct back back[PORTS_MAX];   /* cursors: by the switch */
	uint32_t addresses;            /* of each port */
	struct entry *hash;            /* by the switch */
	uint32_t hash_mask;
	uint8_t *memory; /* the guests' */
	size_t memory_size;
	_Atomic bool stop; /* by the main thread, read by both */
	struct result result;
};

extern struct floor the_floor;

/* The address with a number; the numbers of a port are consecutive. */
static inline uint64_t
mac_of(uint32_t number)
{
	return 2 | (uint64_t)number << 8;
}

/* No two numbers below the size share an entry: the multiplier is odd. */
static inline uint32_t
hash_of(uint64_t mac)
{
	return (uint32_t)(mac >> 8) * 0x9e3779b1u & the_floor.hash_mask;
}

/* In baseline x86-64; without naming it the compiler emits a prefetch for reading. */
static inline void
prefetch_write(const uint8_t *line)
{
	__asm__ volatile("prefetchw %0" : : "m"(*line));
}

static inline unsigned
port_after(unsigned port)
{
	return port + 1 == the_floor.options.ports ? 0 : port + 1;
}

/* floor_front.c, floor_switch.c: the bodies of the threads; arg is not used. */
void *front_end(void *arg);
void *back_end(void *arg);

/* floor.c */
void pin(int cpu);
double now(void);

#endif
