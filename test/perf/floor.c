/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor of a guest-to-guest data path on this machine: a switch reduced to the unavoidable
 * work. Every figure of `make bench` is compared with it.
 *
 * Two threads on two CPUs share the split rings of some ports. One is the front end: it sends one
 * frame for every frame that it receives, each port to the next, so that a fixed number circulates.
 * The other is the switch: range check, header copied to host memory, source learned and
 * destination looked up in a small hash, payload copied once, both used rings written. No features,
 * no further checks.
 *
 * With --touch the front end reads every cache line that it receives and writes every one that it
 * sends, as guests do: then cache lines move between the cores. With many addresses it writes
 * random ones into each frame, and the hash has an entry for each.
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

#include "floor.h"

struct floor the_floor = {.options = {.frame = 64,
				  .burst = 32,
				  .ports = 2,
				  .seconds = 1,
				  .front_cpu = 0,
				  .switch_cpu = 1}};
static size_t memory_taken;

void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		fprintf(stderr, "floor: cannot run on CPU %d\n", cpu);
}

double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Setup --------------------------------------------------------------------------------------- */

static void *
take(size_t size)
{
	void *part = the_floor.memory + memory_taken;

	memory_taken += (size + 4095) & ~(size_t)4095;
	return part;
}

static size_t
buffer_size(void)
{
	return ((size_t)the_floor.options.frame + VNET + 2 * LINE) & ~(size_t)(LINE - 1);
}

/* Zeroed, in huge pages if there are any. */
static void *
map_huge(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (memory == MAP_FAILED) {
		memory = aligned_alloc(HUGE_PAGE, size);
		if (!memory)
			return NULL;
		madvise(memory, size, MADV_HUGEPAGE);
	}
	return memset(memory, 0, size);
}

static size_t
round_up(size_t size)
{
	return (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
}

static bool
map_memory(void)
{
	size_t ring = sizeof(struct desc) * RING + sizeof(struct avail) + sizeof(struct used) +
		      buffer_size() * RING + 4 * 4096;

	the_floor.memory_size = round_up(2 * the_floor.options.ports * ring);
	the_floor.memory = map_huge(the_floor.memory_size);
	return the_floor.memory != NULL;
}

/* All addresses are known from the beginning. */
static bool
make_hash(void)
{
	uint32_t n = the_floor.addresses, size = HASH_MIN;

	while (size < 2 * the_floor.options.addresses)
		size *= 2;
	the_floor.hash_mask = size - 1;
	the_floor.hash = map_huge(round_up(size * sizeof(*the_floor.hash)));
	if (!the_floor.hash)
		return false;
	for (uint32_t number = 0; number < n * the_floor.options.ports; number++) {
		uint64_t mac = mac_of(number);

		the_floor.hash[hash_of(mac)] = (struct entry){mac, number / n + 1};
	}
	return true;
}

static struct ring
make_ring(uint16_t flags)
{
	struct ring ring = {take(sizeof(struct desc) * RING), take(sizeof(struct avail)),
		take(sizeof(struct used))};
	uint8_t *buffers = take(buffer_size() * RING);
	uint32_t len = flags & DESC_WRITE ? buffer_size() : the_floor.options.frame + VNET;

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
	struct front *front = &the_floor.front[port];
	uint64_t to = mac_of(port_after(port) * the_floor.addresses);
	uint64_t from = mac_of(port * the_floor.addresses);

	front->rx = make_ring(DESC_WRITE);
	front->tx = make_ring(0);
	the_floor.back[port].rx = front->rx;
	the_floor.back[port].tx = front->tx;
	for (unsigned i = 0; i < RING; i++) {
		uint8_t *bytes = (uint8_t *)front->tx.desc[i].addr + VNET;

		memcpy(bytes, &to, MAC);
		memcpy(bytes + MAC, &from, MAC);
		memcpy(bytes + 2 * MAC, (uint8_t[]){0x88, 0xb5}, 2);
	}
	front->tx_sent = the_floor.options.flight;
	front->rx.avail->idx = RING;
	front->tx.avail->idx = the_floor.options.flight;
}

/* Whether the options are possible. */
static bool
is_sane(const struct options *options)
{
	return options->frame >= 14 && options->frame <= FRAME_MAX && options->burst > 0 &&
	       options->burst <= BURST_MAX && options->ports >= 2 && options->ports <= PORTS_MAX &&
	       options->addresses >= options->ports && options->addresses <= ADDRESSES_MAX &&
	       options->flight > 0 && options->flight <= RING / 2;
}

static bool
parse(int argc, char **argv)
{
	static const struct option names[] = {{"frame", 1, NULL, 'f'}, {"burst", 1, NULL, 'b'},
		{"flight", 1, NULL, 'n'}, {"seconds", 1, NULL, 's'}, {"touch", 0, NULL, 't'},
		{"cpus", 1, NULL, 'c'}, {"json", 0, NULL, 'j'}, {"ports", 1, NULL, 'p'},
		{"addresses", 1, NULL, 'a'}, {NULL, 0, NULL, 0}};
	struct options *options = &the_floor.options;
	int c;

	while ((c = getopt_long(argc, argv, "j", names, NULL)) != -1) {
		if (c == 'f')
			options->frame = strtoul(optarg, NULL, 10);
		else if (c == 'b')
			options->burst = strtoul(optarg, NULL, 10);
		else if (c == 'n')
			options->flight = strtoul(optarg, NULL, 10);
		else if (c == 'p')
			options->ports = strtoul(optarg, NULL, 10);
		else if (c == 'a')
			options->addresses = strtoul(optarg, NULL, 10);
		else if (c == 's')
			options->seconds = strtod(optarg, NULL);
		else if (c == 't')
			options->touch = true;
		else if (c == 'j')
			options->json = true;
		else if (c != 'c' ||
			 sscanf(optarg, "%d,%d", &options->front_cpu, &options->switch_cpu) != 2)
			return false;
	}
	if (options->addresses == 0)
		options->addresses = options->ports;
	if (options->flight == 0)
		options->flight = options->ports > 0 ? RING / options->ports : 0;
	if (!is_sane(options))
		return false;
	the_floor.addresses = options->addresses / options->ports;
	return true;
}

static void
print_result(void)
{
	double mpps = (double)the_floor.result.packets / the_floor.result.seconds / 1e6;
	double cycles = (double)the_floor.result.busy / (double)the_floor.result.packets;
	double busy = 100.0 * (double)the_floor.result.busy / (double)the_floor.result.total;
	const char *format =
		the_floor.options.json
			? "{\"frame\": %u, \"touch\": %s, \"seconds\": %.3f, \"mpps\": "
			  "%.3f, \"cycles\": %.2f, \"busy_percent\": %.1f}\n"
			: "frame %u, touch %s, %.1f s: %.2f Mpps, %.1f cycles per packet, "
			  "%.0f%% busy\n";

	printf(format, the_floor.options.frame, the_floor.options.touch ? "true" : "false",
		the_floor.result.seconds, mpps, cycles, busy);
}

int
main(int argc, char **argv)
{
	pthread_t front, back;

	if (!parse(argc, argv)) {
		fprintf(stderr,
			"usage: floor [-j] [--frame 64] [--touch] [--seconds 1] [--burst 32] "
			"[--ports 2] [--addresses 2] [--flight 512] [--cpus FRONT,SWITCH]\n");
		return 2;
	}
	if (!map_memory() || !make_hash()) {
		fprintf(stderr, "floor: no memory\n");
		return 1;
	}
	for (unsigned i = 0; i < the_floor.options.ports; i++)
		make_port(i);
	if (pthread_create(&back, NULL, back_end, NULL) ||
		pthread_create(&front, NULL, front_end, NULL)) {
		fprintf(stderr, "floor: no thread\n");
		return 1;
	}
	usleep((useconds_t)(the_floor.options.seconds * 1e6));
	atomic_store(&the_floor.stop, true);
	pthread_join(front, NULL);
	pthread_join(back, NULL);
	if (the_floor.result.packets == 0 || the_floor.result.bad || the_floor.result.learned ||
		the_floor.result.unknown) {
		fprintf(stderr, "floor: the loop went wrong: %lu packets, %lu bad, %lu learned\n",
			(unsigned long)the_floor.result.packets,
			(unsigned long)the_floor.result.bad,
			(unsigned long)the_floor.result.learned);
		return 1;
	}
	print_result();
	return 0;
}
