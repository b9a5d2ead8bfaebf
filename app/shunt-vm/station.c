/* SPDX-License-Identifier: BSD-3-Clause */
/* Stations: fill, address and send frames. */
#include "station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"

enum { STATION_PREFETCH = 256 }; /* bytes to prefetch; the CPU's prefetcher does the rest */

uint64_t
station_mac(uint64_t mac, uint32_t k)
{
	uint64_t number = station_mac_number(mac);

	/* The conversion is its own inverse. */
	return station_mac_number(
		(number & ~(uint64_t)STATION_MACS_MASK) | ((number + k) & STATION_MACS_MASK));
}

int
station_open(struct station *station, struct vm *vm, unsigned pair, unsigned flow, unsigned n_flows,
	const struct traffic *traffic)
{
	*station = (struct station){
		.tx = vm_tx(vm, pair),
		.rx = vm_rx(vm, pair),
		.traffic = traffic,
		.vm = vm,
		.pair = pair,
		.flow = flow,
		.n_flows = n_flows,
		.random_state = UINT64_C(0x9e3779b97f4a7c15) * (flow + 1),
	};
	station->orders = calloc((size_t)n_flows * traffic->macs, sizeof(*station->orders));
	station->latency = calloc(1, sizeof(*station->latency));
	station->scratch = malloc(FRAME_BUFFER_MAX + NET_HEADER);
	if (station->orders == NULL || station->latency == NULL || station->scratch == NULL)
		return -ENOMEM;
	return 0;
}

void
station_close(struct station *station)
{
	free(station->orders);
	free(station->latency);
	free(station->scratch);
	*station = (struct station){0};
}

void
station_aim(struct station *station, const struct vm *target, const struct vm *second)
{
	station->target = target;
	station->second = second;
	station->target_mac = target->mac;
}

void
station_aim_address(struct station *station, uint64_t mac)
{
	station->target = station->second = NULL;
	station->target_mac = mac;
}

/** @return address k of the VM whose address 0 is mac; a group address stays as it is */
static uint64_t
station_destination(uint64_t mac, uint32_t k)
{
	return mac_is_group(mac) ? mac : station_mac(mac, k);
}

/** Whether each frame is one buffer and few are read, so that buffers are counted only. */
static bool
station_is_rx_light(const struct station *station)
{
	const struct traffic *traffic = station->traffic;
	bool fits = traffic->shape.max + station->vm->header <= station->rx->config.slot_bytes;

	return traffic->sample != 1 && !traffic->touch && fits;
}

/** @return frame of the load for a slot */
static struct frame_spec
station_spec(const struct station *station, unsigned slot)
{
	const struct traffic *traffic = station->traffic;
	bool second = station->second != NULL && slot % 2 != 0;
	const struct vm *target = second ? station->second : station->target;
	uint64_t dst = second ? target->mac : station->target_mac;
	uint32_t k = slot % traffic->macs;

	return (struct frame_spec){
		.dst = station_destination(dst, k),
		.src = station_mac(station->vm->mac, k),
		.dst_ip = 10U << 24 | (target != NULL ? target->index & 0xff : 0xff) << 16 |
			  (k & 0xffff),
		.src_ip = 10U << 24 | (station->vm->index & 0xff) << 16 | (k & 0xffff),
		.flow = (uint16_t)station->flow,
		.vlan = traffic->vlan,
		.tso = traffic->shape.kind == FRAME_TSO,
		.csum = station->vm->config.csum,
		.bytes = traffic->shape.bytes[slot % traffic->shape.n],
	};
}

void
station_fill(struct station *station)
{
	unsigned header = station->vm->header;

	for (unsigned i = 0; i < queue_space(station->tx); i++) {
		unsigned slot = queue_slot(station->tx, i);
		struct frame_spec spec = station_spec(station, slot);
		struct net_header net = frame_header(&spec);
		uint8_t *data = queue_data(station->tx, slot);

		memcpy(data, &net, header);
		frame_build(data + header, &spec);
		frame_seal(data + header, spec.bytes, FRAME_STILL, slot, 0, false);
		queue_set_length(station->tx, slot, header + spec.bytes);
	}
}

void
station_reset(struct station *station)
{
	station->count = (struct station_counters){0};
	memset(station->orders, 0,
		(size_t)station->n_flows * station->traffic->macs * sizeof(*station->orders));
	for (unsigned i = 0; i < station->n_flows; i++)
		station->flows[i] = (struct flow){
			.mac = station->flows[i].mac, .hostile = station->flows[i].hostile};
	memset(station->latency, 0, sizeof(*station->latency));
	station->until = 0;
}

void
station_tune(struct station *station)
{
	const struct traffic *traffic = station->traffic;

	station->rx_light = station_is_rx_light(station);
	station->tx_light =
		traffic->sample != 1 && !traffic->touch && traffic->macs <= station->tx->slots;
	station->until = 0;
}

void
station_start(struct station *station)
{
	station_fill(station);
	station_reset(station);
	station_tune(station);
	queue_post(station->rx, queue_space(station->rx));
	queue_kick(station->rx);
}

unsigned
station_space(struct station *station, unsigned wanted)
{
	unsigned space = queue_space(station->tx);

	queue_notify(station->tx);
	/* No completions while frames are staged: free slots could change their order. */
	if (space >= wanted || station->staged > 0)
		return space;
	queue_consume(station->tx, queue_poll(station->tx, station->tx->slots));
	return queue_space(station->tx);
}

/** @return index of the address of the next frame, in sequential or random order */
static uint32_t
station_next_mac(struct station *station)
{
	uint32_t macs = station->traffic->macs;

	if (station->traffic->random) {
		station->random_state ^= station->random_state << 13;
		station->random_state ^= station->random_state >> 7;
		station->random_state ^= station->random_state << 17;
		return (uint32_t)((station->random_state >> 32) * macs >> 32);
	}
	if (++station->mac_next >= macs)
		station->mac_next = 0;
	return station->mac_next;
}

/** Write the next addresses into a frame, for loads with more addresses than buffers. */
static void
station_readdress(struct station *station, uint8_t *frame)
{
	uint32_t k = station_next_mac(station);
	uint64_t dst = station_destination(station->target_mac, k);
	uint64_t src = station_mac(station->vm->mac, k);

	memcpy(frame, &dst, MAC_BYTES);
	memcpy(frame + MAC_BYTES, &src, MAC_BYTES);
}

/** Dirty every cache line, as a guest that builds the frame. */
static void
station_write_lines(uint8_t *data, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i += FRAME_LINE) {
		volatile uint32_t *word = (volatile uint32_t *)(data + i);

		/* cppcheck-suppress selfAssignment ; dirties the line without a change */
		*word = *word;
	}
}

/**
 * Prefetch the cache lines of a burst for writing. The switch's lcore has read them, and one miss
 * after the other would take most of the generator's time.
 */
static void
station_prefetch(const struct station *station, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned slot = queue_slot(station->tx, i);
		const uint8_t *data = queue_data(station->tx, slot);
		uint32_t bytes = station->tx->lengths[slot];

		bytes = bytes < STATION_PREFETCH ? bytes : STATION_PREFETCH;
		for (uint32_t at = 0; at < bytes; at += FRAME_LINE)
			/* In assembly, since the compiler emits a prefetch for reading. */
			__asm__ volatile("prefetchw %0" : : "m"(data[at]));
	}
}

/** Update the frame of a slot before it is sent with the given number. */
static void
station_write(struct station *station, unsigned slot, uint64_t number)
{
	const struct traffic *traffic = station->traffic;
	uint8_t *data = queue_data(station->tx, slot);
	unsigned header = station->vm->header;
	uint32_t bytes = station->tx->lengths[slot] - header;

	if (traffic->touch)
		station_write_lines(data, header + bytes);
	if (traffic->macs > station->tx->slots)
		station_readdress(station, data + header);
	if (traffic->sample != 0 && slot % traffic->sample == 0)
		frame_seal(data + header, bytes, FRAME_LIVE, (uint32_t)number,
			frame_stamp(station->now), traffic->sample == 1);
}

/** Update the sampled ones of the next n frames; slots are in order. */
static void
station_write_sampled(struct station *station, unsigned n)
{
	unsigned sample = station->traffic->sample;
	unsigned first = queue_slot(station->tx, 0);

	for (unsigned i = (sample - first % sample) % sample; i < n; i += sample)
		station_write(station, queue_slot(station->tx, i), station->count.tx_frames + i);
}

void
station_send(struct station *station, unsigned n)
{
	if (!station->tx_light || !station->tx->ordered) {
		station_prefetch(station, n);
		for (unsigned i = 0; i < n; i++)
			station_write(
				station, queue_slot(station->tx, i), station->count.tx_frames + i);
	} else if (station->traffic->sample != 0)
		station_write_sampled(station, n);
	queue_post(station->tx, n);
	station->count.tx_frames += n;
}

bool
station_stage(struct station *station, const uint8_t *frame, uint32_t bytes,
	const struct net_header *header)
{
	unsigned slot, size = station->vm->header;
	uint8_t *data;

	if (size + bytes > station->tx->config.slot_bytes ||
		station_space(station, station->staged + 1) <= station->staged)
		return false;
	slot = queue_slot(station->tx, station->staged++);
	data = queue_data(station->tx, slot);
	memcpy(data, header, size);
	memcpy(data + size, frame, bytes);
	queue_set_length(station->tx, slot, size + bytes);
	station->count.tx_bytes += bytes;
	return true;
}

void
station_flush(struct station *station, unsigned n)
{
	n = n < station->staged ? n : station->staged;
	if (n == 0)
		return;
	queue_post(station->tx, n);
	station->count.tx_frames += n;
	station->staged -= n;
	queue_notify(station->tx);
}
