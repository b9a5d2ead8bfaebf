/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor's front end: it sends the frames received by each port to the next, from buffers that
 * stay in the available rings, so that only indexes change.
 *
 * Thread safety: one thread, which alone changes the cursors of the_floor.front.
 */
#include <string.h>

#include "floor.h"

/*
 * Prefetch the lines of a burst that will be read and written, all at once: they are in the caches
 * of the other core. Beyond some the CPU prefetches by itself.
 */
static void
claim(const struct front *port, unsigned n)
{
	unsigned len = the_floor.options.frame + VNET;

	len = len < CLAIM ? len : CLAIM;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *in = (uint8_t *)port->rx.desc[(port->rx_used + i) % RING].addr;
		const uint8_t *out = (uint8_t *)port->tx.desc[(port->tx_sent + i) % RING].addr;

		for (unsigned at = 0; at < len; at += LINE) {
			__builtin_prefetch(in + at);
			prefetch_write(out + at);
		}
	}
}

/* Read the received frames and write those sent next, a byte of every cache line. */
static uint64_t
touch(const struct front *port, unsigned n)
{
	unsigned len = the_floor.options.frame + VNET;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *in = (uint8_t *)port->rx.desc[(port->rx_used + i) % RING].addr;
		uint8_t *out = (uint8_t *)port->tx.desc[(port->tx_sent + i) % RING].addr;

		for (unsigned at = 0; at < len; at += LINE)
			sum += in[at];
		for (unsigned at = 0; at < len; at += LINE)
			out[at + LINE - 1 < len ? at + LINE - 1 : len - 1]++;
	}
	return sum;
}

/* One of a port's addresses at random. */
static uint64_t
any_mac(unsigned port, uint64_t *state)
{
	uint32_t n = the_floor.addresses;

	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return mac_of(port * n + (uint32_t)((*state >> 32) * n >> 32));
}

/* Write other addresses into the frames sent next. */
static void
readdress(const struct front *port, unsigned number, unsigned n)
{
	static uint64_t state = 1;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *out = (uint8_t *)port->tx.desc[(port->tx_sent + i) % RING].addr + VNET;
		uint64_t to = any_mac(port_after(number), &state), from = any_mac(number, &state);

		memcpy(out, &to, MAC);
		memcpy(out + MAC, &from, MAC);
	}
}

static uint64_t
answer(unsigned number)
{
	struct front *port = &the_floor.front[number];
	uint16_t received = atomic_load_explicit(&port->rx.used->idx, memory_order_acquire);
	uint16_t sent = atomic_load_explicit(&port->tx.used->idx, memory_order_acquire);
	uint16_t room = RING - (uint16_t)(port->tx_sent - sent);
	uint16_t n = received - port->rx_used;
	uint64_t sum = 0;

	n = n < BURST_MAX ? n : BURST_MAX;
	n = n < room ? n : room;
	if (n == 0)
		return 0;
	if (the_floor.options.touch) {
		claim(port, n);
		sum = touch(port, n);
	}
	if (the_floor.addresses > 1)
		readdress(port, number, n);
	port->rx_used += n;
	port->tx_sent += n;
	atomic_store_explicit(
		&port->rx.avail->idx, (uint16_t)(port->rx_used + RING), memory_order_release);
	atomic_store_explicit(&port->tx.avail->idx, port->tx_sent, memory_order_release);
	return sum;
}

void *
front_end(void *arg)
{
	static uint64_t sum; /* kept, so that the reads are not optimized away */

	(void)arg;
	pin(the_floor.options.front_cpu);
	while (!atomic_load_explicit(&the_floor.stop, memory_order_relaxed))
		for (unsigned i = 0; i < the_floor.options.ports; i++)
			sum += answer(i);
	return &sum;
}
