/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mode echo: returns every frame with its addresses swapped. Faults on request (--drop-every and
 * the like) test the counting of other programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "mode.h"
#include "report.h"
#include "base/tsc.h"

/* Longer than a switch may be without CPU time, shorter than senders wait for their last frames. */
static const double ECHO_DELAY_SECONDS = 0.1;

struct echo {
	uint64_t drop_every, dup_every, swap_every;
	uint64_t seen, dropped, duplicated, swapped;
	uint64_t refused; /**< frames not returned: no send buffer was free */
	bool delayed;     /**< a frame is delayed until the next one has been returned */
	const struct station *delayed_at;
	struct received delayed_frame;
	uint8_t *delayed_bytes;
};

/** Check whether a fault is due for a frame. @param every interval of the fault in frames; 0 = never */
static bool
mode_echo_is_nth(uint64_t every, uint64_t seen)
{
	return every != 0 && seen % every == 0;
}

/** Swap the addresses in place: the buffer belongs to the driver until it is posted again. */
static void
mode_echo_swap(const struct received *received)
{
	uint8_t addresses[2 * MAC_BYTES], *frame = (uint8_t *)(uintptr_t)received->frame;

	memcpy(addresses, frame + MAC_BYTES, MAC_BYTES);
	memcpy(addresses + MAC_BYTES, frame, MAC_BYTES);
	memcpy(frame, addresses, sizeof(addresses));
}

/** Stage a frame for sending. If no buffer is free it counts as refused. */
static void
mode_echo_return(struct echo *echo, struct station *station, const struct received *received)
{
	struct net_header header = received->header;

	header.num_buffers = 0;
	header.flags &= NET_NEEDS_CSUM; /* DATA_VALID is valid in received frames only */
	if (!station_stage(station, received->frame, received->bytes, &header))
		echo->refused++;
}

/** Delay a frame. It is copied, since its buffer is posted again before it is sent. */
static void
mode_echo_delay(struct echo *echo, const struct station *station, const struct received *received)
{
	memcpy(echo->delayed_bytes, received->frame, received->bytes);
	echo->delayed_frame = *received;
	echo->delayed_frame.frame = echo->delayed_bytes;
	echo->delayed_at = station;
	echo->delayed = true;
}

/** Stage the delayed frame. */
static void
mode_echo_return_delayed(struct echo *echo, struct station *station)
{
	echo->delayed = false;
	mode_echo_return(echo, station, &echo->delayed_frame);
}

/** station_take: return a frame, drop, delay or duplicate it. Frames to groups are ignored. */
static void
mode_echo_take(void *context, struct station *station, const struct received *received)
{
	struct echo *echo = context;

	if (received->bytes < 2 * MAC_BYTES || mac_is_group(mac_load(received->frame)))
		return;
	echo->seen++;
	mode_echo_swap(received);
	if (mode_echo_is_nth(echo->drop_every, echo->seen)) {
		echo->dropped++;
		return;
	}
	if (!echo->delayed && mode_echo_is_nth(echo->swap_every, echo->seen)) {
		mode_echo_delay(echo, station, received);
		return;
	}
	mode_echo_return(echo, station, received);
	if (mode_echo_is_nth(echo->dup_every, echo->seen)) {
		echo->duplicated++;
		mode_echo_return(echo, station, received);
	}
	if (echo->delayed && echo->delayed_at == station) {
		echo->swapped++;
		mode_echo_return_delayed(echo, station);
	}
}

/** Check that the worker has received no frame for ECHO_DELAY_SECONDS. */
static bool
mode_echo_is_quiet(const struct worker *worker)
{
	return tsc_seconds(worker->now - worker->idle_since) > ECHO_DELAY_SECONDS;
}

/** Step: return the frames received. */
static unsigned
mode_echo_step(struct worker *worker, void *context)
{
	struct echo *echo = context;
	unsigned moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];
		unsigned space, burst = station->traffic->burst;

		station->now = worker->now;
		space = station_space(station, station->tx->slots / 2);
		/* Each frame may be duplicated. */
		space = space / 2 < burst ? space / 2 : burst;
		moved += station_walk(station, space, mode_echo_take, context);
		/* No frame follows the last one, which is returned late instead. */
		if (echo->delayed && echo->delayed_at == station && mode_echo_is_quiet(worker))
			mode_echo_return_delayed(echo, station);
		station_flush(station, station->staged);
	}
	return moved;
}

int
mode_echo(struct fleet *fleet, json_t *result, struct err *err)
{
	const struct settings_options *options = &fleet->settings->options;
	struct echo echo = {
		.drop_every = (uint64_t)options->drop_every,
		.dup_every = (uint64_t)options->dup_every,
		.swap_every = (uint64_t)options->swap_every,
		.delayed_bytes = malloc(FRAME_BUFFER_MAX + NET_HEADER),
	};
	struct outcome outcome;
	int code;

	if (echo.delayed_bytes == NULL)
		return err_set(err, ENOMEM, "no memory for a frame");
	code = fleet_run(fleet, mode_echo_step, &echo, fleet->settings->seconds, err);
	free(echo.delayed_bytes);
	fleet->traffic.sample = 0; /* received frames are not checked */
	outcome = report_outcome(fleet, fleet_count(fleet).rx_frames);
	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "dropped", json_integer((json_int_t)echo.dropped));
	json_object_set_new(result, "doubled", json_integer((json_int_t)echo.duplicated));
	json_object_set_new(result, "swapped", json_integer((json_int_t)echo.swapped));
	json_object_set_new(result, "refused", json_integer((json_int_t)echo.refused));
	return code;
}
