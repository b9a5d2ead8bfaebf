/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor's switch, without features and without checks except that of addresses.
 *
 * Thread safety: one thread, which alone changes the cursors of the_floor.back.
 */
#include <string.h>
#include <x86intrin.h>

#include "floor.h"

static inline __attribute__((always_inline)) void
copy_line(uint8_t *to, const uint8_t *from)
{
	*(line_t *)to = *(const line_t *)from;
}

static inline uint64_t
mac_at(const uint8_t *bytes)
{
	uint64_t mac;

	memcpy(&mac, bytes, sizeof(mac));
	return mac & MAC_MASK;
}

/* A burst in the switch. */
struct burst {
	struct desc from[BURST_MAX];
	struct desc to[BURST_MAX];
	unsigned out[BURST_MAX];
	uint64_t source[BURST_MAX], destination[BURST_MAX];
	uint8_t head[BURST_MAX][HEADER] __attribute__((aligned(LINE)));
};

static inline __attribute__((always_inline)) void
fetch(const struct ring *ring, uint16_t at, unsigned n, struct desc *desc, int write)
{
	for (unsigned i = 0; i < n; i++) {
		desc[i] = ring->desc[ring->avail->ring[(at + i) % RING] % RING];
		for (unsigned part = 0; part < HEADER && part < desc[i].len; part += LINE) {
			if (write)
				prefetch_write((uint8_t *)desc[i].addr + part);
			else
				__builtin_prefetch((uint8_t *)desc[i].addr + part);
		}
	}
}

static inline __attribute__((always_inline)) void
read_headers(struct burst *burst, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *bytes = (const uint8_t *)burst->from[i].addr;
		uint64_t offset = burst->from[i].addr - (uint64_t)the_floor.memory;

		if (offset >= the_floor.memory_size ||
			burst->from[i].len > the_floor.memory_size - offset) {
			burst->from[i].len = 0;
			the_floor.result.bad++;
			continue;
		}
		copy_line(burst->head[i], bytes);
		if (burst->from[i].len > LINE)
			copy_line(burst->head[i] + LINE, bytes + LINE);
	}
}

/* With many addresses their entries are prefetched, all at once. */
static inline __attribute__((always_inline)) void
read_addresses(struct burst *burst, unsigned n, bool many)
{
	for (unsigned i = 0; i < n; i++) {
		burst->destination[i] = mac_at(burst->head[i] + VNET);
		burst->source[i] = mac_at(burst->head[i] + VNET + MAC);
		if (many) {
			__builtin_prefetch(&the_floor.hash[hash_of(burst->destination[i])]);
			__builtin_prefetch(&the_floor.hash[hash_of(burst->source[i])]);
		}
	}
}

static inline __attribute__((always_inline)) void
classify(struct burst *burst, unsigned n, unsigned port)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t to = burst->destination[i], from = burst->source[i];
		struct entry *source = &the_floor.hash[hash_of(from)];
		const struct entry *destination = &the_floor.hash[hash_of(to)];

		if (source->mac != from || source->port != port + 1) {
			*source = (struct entry){from, port + 1};
			the_floor.result.learned++;
		}
		burst->out[i] = (unsigned)destination->port - 1;
		if (destination->mac != to) {
			burst->out[i] = port_after(port);
			the_floor.result.unknown++;
		}
	}
}

static inline __attribute__((always_inline)) void
deliver(struct burst *burst, unsigned n, struct back *to)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *in = (const uint8_t *)burst->from[i].addr;
		uint8_t *out = (uint8_t *)burst->to[i].addr;
		uint32_t len = burst->from[i].len;

		if (len > burst->to[i].len)
			len = burst->to[i].len;
		copy_line(out, burst->head[i]);
		if (len > LINE)
			copy_line(out + LINE, burst->head[i] + LINE);
		for (uint32_t at = HEADER; at < len; at += LINE)
			copy_line(out + at, in + at);
		to->rx.used->ring[(to->rx_filled + i) % RING] =
			(struct used_elem){(to->rx_filled + i) % RING, len};
	}
	to->rx_filled += n;
	atomic_store_explicit(&to->rx.used->idx, to->rx_filled, memory_order_release);
}

static inline __attribute__((always_inline)) void
complete(struct back *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		from->tx.used->ring[(from->tx_taken + i) % RING] =
			(struct used_elem){(from->tx_taken + i) % RING, 0};
	from->tx_taken += n;
	atomic_store_explicit(&from->tx.used->idx, from->tx_taken, memory_order_release);
}

/** One burst of a port. The ring of the next port always has space: few enough frames circulate. */
static inline __attribute__((always_inline)) void
forward(unsigned port, struct burst *burst)
{
	struct back *from = &the_floor.back[port];
	struct back *to = &the_floor.back[port_after(port)];
	uint16_t ready = atomic_load_explicit(&from->tx.avail->idx, memory_order_acquire);
	uint16_t space = atomic_load_explicit(&to->rx.avail->idx, memory_order_acquire);
	unsigned n = (uint16_t)(ready - from->tx_taken);
	uint64_t since = __rdtsc();

	if (n > the_floor.options.burst)
		n = the_floor.options.burst;
	if (n > (uint16_t)(space - to->rx_filled))
		n = (uint16_t)(space - to->rx_filled);
	if (n == 0)
		return;
	fetch(&from->tx, from->tx_taken, n, burst->from, 0);
	fetch(&to->rx, to->rx_filled, n, burst->to, 1);
	read_headers(burst, n);
	read_addresses(burst, n, the_floor.addresses > 1);
	classify(burst, n, port);
	deliver(burst, n, to);
	complete(from, n);
	the_floor.result.packets += n;
	the_floor.result.busy += __rdtsc() - since;
}

static inline __attribute__((always_inline)) void
poll_all(void)
{
	static struct burst burst;

	while (!atomic_load_explicit(&the_floor.stop, memory_order_relaxed))
		for (unsigned i = 0; i < the_floor.options.ports; i++)
			forward(i, &burst);
}

/* The same loop with the widest stores of the CPU. */
__attribute__((target("avx512f,avx512vl,avx512bw"))) static void
poll_avx512(void)
{
	poll_all();
}

__attribute__((target("avx2"))) static void
poll_avx2(void)
{
	poll_all();
}

static void
poll_plain(void)
{
	poll_all();
}

void *
back_end(void *arg)
{
	double since = now();
	uint64_t cycles = __rdtsc();

	(void)arg;
	pin(the_floor.options.switch_cpu);
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		poll_avx512();
	else if (__builtin_cpu_supports("avx2"))
		poll_avx2();
	else
		poll_plain();
	the_floor.result.total = __rdtsc() - cycles;
	the_floor.result.seconds = now() - since;
	return NULL;
}
