/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of received frames: contents, destination and sequence. */
#include <string.h>

#include "base/mac.h"
#include "station_internal.h"

/** Record a latency: 0 if another thread sent the frame after this one read the clock. */
static void
station_time(struct station *station, uint32_t stamp)
{
	int32_t ticks = (int32_t)(frame_stamp(station->now) - stamp);

	histogram_add(station->latency, ticks > 0 ? (uint32_t)ticks : 0);
}

/** @return index of mac among the addresses of a VM; traffic->macs or more if it has no such one */
static uint32_t
station_mac_index(uint64_t first, uint64_t mac)
{
	uint32_t k =
		(uint32_t)(station_mac_number(mac) - station_mac_number(first)) & STATION_MACS_MASK;

	return station_mac(first, k) == mac ? k : UINT32_MAX;
}

/**
 * Check with every frame numbered. Order is checked per source address, since frames from different
 * addresses may overtake each other.
 */
static void
station_check_exact(
	struct station *station, const struct frame_seen *seen, const struct received *received)
{
	struct flow *flow = &station->flows[seen->flow];
	uint32_t macs = station->traffic->macs;
	uint32_t k = station_mac_index(flow->mac, mac_load(received->frame + MAC_BYTES));

	sequence_add(&flow->sequence, &station->orders[seen->flow * macs + (k < macs ? k : 0)],
		seen->mark.number);
}

/** Check with some frames numbered: compare numbers with the count of frames in between. */
static void
station_check_sampled(struct station *station, const struct frame_seen *seen, uint64_t position)
{
	struct flow *flow = &station->flows[seen->flow];
	int32_t numbers = (int32_t)(seen->mark.number - (uint32_t)flow->sampled_number);
	int64_t frames = (int64_t)(position - flow->sampled_count);

	if (flow->sampled && numbers <= 0) {
		/* Frames from different addresses may overtake each other. */
		if (station->traffic->macs == 1)
			station->count.late++;
		else
			station->count.unexpected++;
		return;
	}
	if (flow->sampled && numbers > frames)
		station->count.missing += (uint64_t)(numbers - frames);
	else if (flow->sampled)
		station->count.unexpected += (uint64_t)(frames - numbers);
	flow->sampled = true;
	flow->sampled_number += (uint64_t)numbers;
	flow->sampled_count = position;
}

/** Check whether a frame is addressed to this VM or to a group. */
static bool
station_is_for(const struct station *station, const uint8_t *frame)
{
	uint64_t dst = mac_load(frame);

	return mac_is_group(dst) ||
	       station_mac_index(station->vm->mac, dst) < station->traffic->macs;
}

/** Whether the sender of a frame is not the hostile VM, so that the frame can be checked. */
static bool
station_is_checkable(const struct station *station, const struct received *received)
{
	if (!station->traffic->hostile)
		return true;
	for (unsigned i = 0; received->bytes >= 2 * MAC_BYTES && i < station->n_flows; i++)
		if (station->flows[i].mac == mac_load(received->frame + MAC_BYTES))
			return !station->flows[i].hostile;
	return false;
}

unsigned
station_check(struct station *station, const struct received *received, uint64_t position)
{
	unsigned sample = station->traffic->sample;
	struct frame_seen seen;
	enum frame_verdict verdict =
		station_is_checkable(station, received)
			? frame_check(received->frame, received->bytes, &received->header, &seen)
			: FRAME_FOREIGN;

	station->count.checked++;
	station->count.foreign += verdict == FRAME_FOREIGN;
	station->count.corrupted += verdict == FRAME_CORRUPT ||
				    (verdict == FRAME_GOOD && seen.flow >= station->n_flows);
	if (verdict != FRAME_GOOD || seen.flow >= station->n_flows)
		return 0;
	if (!station_is_for(station, received->frame)) {
		station->count.stray++;
		return 0;
	}
	if (seen.mark.magic == FRAME_STILL)
		return sample - seen.mark.number % sample;
	station_time(station, seen.mark.stamp);
	if (sample == 1)
		station_check_exact(station, &seen, received);
	else
		station_check_sampled(station, &seen, position);
	return sample;
}
