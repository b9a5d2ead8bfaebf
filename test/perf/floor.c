/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor of a guest-to-guest data path on this machine: what is left of a switch when all but
 * the unavoidable is taken away. Every figure of `make bench` stands beside it.
 *
 * Two threads on two CPUs share the split rings of two ports. One is the front end: it sends one
 * frame for every frame that it receives, so that a fixed number circles. The other is the switch:
 * range check, header copied to host memory, source learned and destination looked up in a small
 * hash, payload copied once, both used rings written. No features, no checks beyond these.
 *
 * With --touch the front end reads every cache line that it receives and writes every one that it
 * sends, as guests do: then cache lines cross between the cores.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <getopt.h>
#include <x86intrin.h>

#include "floor.h"

struct options {
	unsigned frame, burst, flight;
	double seconds;
	int front_cpu, switch_cpu;
	bool touch, json;
};

static struct options options = {
	.frame = 64, .burst = 32, .flight = 512, .seconds = 1, .front_cpu = 0, .switch_cpu = 1};
static struct front fronts[PORTS];
static struct back backs[PORTS];
static struct entry hash[HASH] __attribute__((aligned(LINE)));
static uint8_t *memory; /* the guests' */
static size_t memory_size, memory_taken;
static _Atomic bool stop;

/* Written by the switch's thread, read when it has ended. */
static struct {
	uint64_t packets, busy, total, learned, unknown, bad;
	double seconds;
} result;

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		fprintf(stderr, "floor: cannot run on CPU %d\n", cpu);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The front end ------------------------------------------------------------------------------- */

/** Read what was received and write what is sent next, a byte of every cache line. */
static uint64_t
touch(struct front *port, unsigned n)
{
	unsigned len = options.frame + VNET;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *in = (uint8_t *)port->rx.desc[(port->rx_used + i) % RING].addr;
		uint8_t *out = (uint8_t *)port->tx.desc[(port->tx_sent + i) % RING].addr;

		for (unsigned at = 0; at < len; at += LINE)
			sum += in[at];
		for (unsigned at = 0; at < len; at += LINE)
			out[at + LINE - 1 < len ? at + LINE - 1 : len - 1]++;
	}
	return sum;
}

static uint64_t
answer(struct front *port)
{
	uint16_t received = atomic_load_explicit(&port->rx.used->idx, memory_order_acquire);
	uint16_t sent = atomic_load_explicit(&port->tx.used->idx, memory_order_acquire);
	uint16_t room = RING - (uint16_t)(port->tx_sent - sent);
	uint16_t n = received - port->rx_used;
	uint64_t sum = 0;

	if (n > BURST_MAX)
		n = BURST_MAX;
	if (n > room)
		n = room;
	if (n == 0)
		return 0;
	if (options.touch)
		sum = touch(port, n);
	port->rx_used += n;
	port->tx_sent += n;
	/* Buffers stand in the available ring for ever: only indexes move. */
	atomic_store_explicit(
		&port->rx.avail->idx, (uint16_t)(port->rx_used + RING), memory_order_release);
	atomic_store_explicit(&port->tx.avail->idx, port->tx_sent, memory_order_release);
	return sum;
}

static void *
front_end(void *arg)
{
	uint64_t *sum = arg;

	pin(options.front_cpu);
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		for (unsigned i = 0; i < PORTS; i++)
			*sum += answer(&fronts[i]);
	return NULL;
}

/* The switch ---------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void
copy_line(uint8_t *to, const uint8_t *from)
{
	*(line_t *)to = *(const line_t *)from;
}

static inline uint32_t
hash_of(uint64_t mac)
{
	return (uint32_t)(mac * UINT64_C(0x9e3779b97f4a7c15) >> (64 - HASH_BITS));
}

static inline uint64_t
mac_at(const uint8_t *bytes)
{
	uint64_t mac;

	memcpy(&mac, bytes, sizeof(mac));
	return mac & MAC_MASK;
}

/* A burst on its way through the switch. */
struct burst {
	struct desc from[BURST_MAX];
	struct desc to[BURST_MAX];
	unsigned out[BURST_MAX];
	uint8_t head[BURST_MAX][HEADER] __attribute__((aligned(LINE)));
};

static inline __attribute__((always_inline)) void
fetch(const struct ring *ring, uint16_t at, unsigned n, struct desc *desc, int write)
{
	for (unsigned i = 0; i < n; i++) {
		desc[i] = ring->desc[ring->avail->ring[(at + i) % RING] % RING];
		if (write)
			__builtin_prefetch((void *)desc[i].addr, 1);
		else
			__builtin_prefetch((void *)desc[i].addr, 0);
	}
}

static inline __attribute__((always_inline)) void
read_headers(struct burst *burst, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *bytes = (const uint8_t *)burst->from[i].addr;
		uint64_t offset = burst->from[i].addr - (uint64_t)memory;

		if (offset >= memory_size || burst->from[i].len > memory_size - offset) {
			burst->from[i].len = 0;
			result.bad++;
			continue;
		}
		copy_line(burst->head[i], bytes);
		if (burst->from[i].len > LINE)
			copy_line(burst->head[i] + LINE, bytes + LINE);
	}
}

static inline __attribute__((always_inline)) void
classify(struct burst *burst, unsigned n, unsigned port)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t to = mac_at(burst->head[i] + VNET);
		uint64_t from = mac_at(burst->head[i] + VNET + 6);
		struct entry *source = &hash[hash_of(from)];
		const struct entry *destination = &hash[hash_of(to)];

		if (source->mac != from || source->port != port + 1) {
			*source = (struct entry){from, port + 1};
			result.learned++;
		}
		burst->out[i] = (unsigned)destination->port - 1;
		if (destination->mac != to) {
			burst->out[i] = !port;
			result.unknown++;
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

/** One burst of a port. The ring of the other port always has room: few enough frames circle. */
static inline __attribute__((always_inline)) void
forward(unsigned port, struct burst *burst)
{
	struct back *from = &backs[port];
	struct back *to = &backs[!port];
	uint16_t ready = atomic_load_explicit(&from->tx.avail->idx, memory_order_acquire);
	uint16_t space = atomic_load_explicit(&to->rx.avail->idx, memory_order_acquire);
	unsigned n = (uint16_t)(ready - from->tx_taken);
	uint64_t since = __rdtsc();

	if (n > options.burst)
		n = options.burst;
	if (n > (uint16_t)(space - to->rx_filled))
		n = (uint16_t)(space - to->rx_filled);
	if (n == 0)
		return;
	fetch(&from->tx, from->tx_taken, n, burst->from, 0);
	fetch(&to->rx, to->rx_filled, n, burst->to, 1);
	read_headers(burst, n);
	classify(burst, n, port);
	deliver(burst, n, to);
	complete(from, n);
	result.packets += n;
	result.busy += __rdtsc() - since;
}

static inline __attribute__((always_inline)) void
poll_all(void)
{
	static struct burst burst;

	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		for (unsigned i = 0; i < PORTS; i++)
			forward(i, &burst);
}

/* The same loop with the widest stores that the CPU has. */
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

static void *
back_end(void *arg)
{
	double since = now();
	uint64_t cycles = __rdtsc();

	(void)arg;
	pin(options.switch_cpu);
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		poll_avx512();
	else if (__builtin_cpu_supports("avx2"))
		poll_avx2();
	else
		poll_plain();
	result.total = __rdtsc() - cycles;
	result.seconds = now() - since;
	return NULL;
}

/* Setting up ---------------------------------------------------------------------------------- */

static void *
take(size_t size)
{
	void *part = memory + memory_taken;

	memory_taken += (size + 4095) & ~(size_t)4095;
	return part;
}

static size_t
buffer_size(void)
{
	return ((size_t)options.frame + VNET + 2 * LINE) & ~(size_t)(LINE - 1);
}

static bool
map_memory(void)
{
	const size_t huge = 2 << 20;
	size_t rings = 4 * (sizeof(struct desc) * RING + sizeof(struct avail) +
				   sizeof(struct used) + 3 * 4096);

	memory_size = rings + 4 * (buffer_size() * RING + 4096);
	memory_size = (memory_size + huge - 1) & ~(huge - 1);
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (memory == MAP_FAILED) {
		memory = aligned_alloc(huge, memory_size);
		if (!memory)
			return false;
		madvise(memory, memory_size, MADV_HUGEPAGE);
	}
	memset(memory, 0, memory_size);
	return true;
}

static struct ring
make_ring(uint16_t flags)
{
	struct ring ring = {take(sizeof(struct desc) * RING), take(sizeof(struct avail)),
		take(sizeof(struct used))};
	uint8_t *buffers = take(buffer_size() * RING);
	uint32_t len = flags & DESC_WRITE ? buffer_size() : options.frame + VNET;

	for (unsigned i = 0; i < RING; i++) {
		uint64_t addr = (uint64_t)(buffers + i * buffer_size());

		ring.desc[i] = (struct desc){addr, len, flags, 0};
		ring.avail->ring[i] = i;
	}
	return ring;
}

static void
make_port(unsigned port)
{
	struct front *front = &fronts[port];

	front->rx = make_ring(DESC_WRITE);
	front->tx = make_ring(0);
	backs[port].rx = front->rx;
	backs[port].tx = front->tx;
	for (unsigned i = 0; i < RING; i++) {
		uint8_t *bytes = (uint8_t *)front->tx.desc[i].addr + VNET;

		memcpy(bytes, (uint8_t[]){2, 0, 0, 0, 0, !port, 2, 0, 0, 0, 0, port, 0x88, 0xb5},
			14);
	}
	front->tx_sent = options.flight;
	front->rx.avail->idx = RING;
	front->tx.avail->idx = options.flight;
}

static bool
parse(int argc, char **argv)
{
	static const struct option names[] = {{"frame", 1, NULL, 'f'}, {"burst", 1, NULL, 'b'},
		{"flight", 1, NULL, 'n'}, {"seconds", 1, NULL, 's'}, {"touch", 0, NULL, 't'},
		{"cpus", 1, NULL, 'c'}, {"json", 0, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "j", names, NULL)) != -1) {
		if (c == 'f')
			options.frame = strtoul(optarg, NULL, 10);
		else if (c == 'b')
			options.burst = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			options.flight = strtoul(optarg, NULL, 10);
		else if (c == 's')
			options.seconds = strtod(optarg, NULL);
		else if (c == 't')
			options.touch = true;
		else if (c == 'j')
			options.json = true;
		else if (c != 'c' ||
			 sscanf(optarg, "%d,%d", &options.front_cpu, &options.switch_cpu) != 2)
			return false;
	}
	return options.frame >= 14 && options.frame <= FRAME_MAX && options.burst > 0 &&
	       options.burst <= BURST_MAX && options.flight > 0 && options.flight <= RING / 2;
}

static void
print_result(void)
{
	double mpps = (double)result.packets / result.seconds / 1e6;
	double cycles = (double)result.busy / (double)result.packets;
	double busy = 100.0 * (double)result.busy / (double)result.total;
	const char *format =
		options.json ? "{\"frame\": %u, \"touch\": %s, \"seconds\": %.3f, \"mpps\": "
			       "%.3f, \"cycles\": %.2f, \"busy_percent\": %.1f}\n"
			     : "frame %u, touch %s, %.1f s: %.2f Mpps, %.1f cycles per packet, "
			       "%.0f%% busy\n";

	printf(format, options.frame, options.touch ? "true" : "false", result.seconds, mpps,
		cycles, busy);
}

int
main(int argc, char **argv)
{
	pthread_t front, back;
	uint64_t sum = 0;

	if (!parse(argc, argv)) {
		fprintf(stderr,
			"usage: floor [-j] [--frame 64] [--touch] [--seconds 1] [--burst 32] "
			"[--flight 512] [--cpus FRONT,SWITCH]\n");
		return 2;
	}
	if (!map_memory()) {
		fprintf(stderr, "floor: no memory\n");
		return 1;
	}
	for (unsigned i = 0; i < PORTS; i++)
		make_port(i);
	if (pthread_create(&back, NULL, back_end, NULL) ||
		pthread_create(&front, NULL, front_end, &sum)) {
		fprintf(stderr, "floor: no thread\n");
		return 1;
	}
	usleep((useconds_t)(options.seconds * 1e6));
	atomic_store(&stop, true);
	pthread_join(front, NULL);
	pthread_join(back, NULL);
	if (result.packets == 0 || result.bad || result.learned > PORTS || result.unknown > RING) {
		fprintf(stderr, "floor: the loop went wrong: %lu packets, %lu bad, %lu learned\n",
			(unsigned long)result.packets, (unsigned long)result.bad,
			(unsigned long)result.learned);
		return 1;
	}
	print_result();
	return 0;
}
