/* SPDX-License-Identifier: BSD-3-Clause */
/* Receiving: the light path counts buffers, the general path reads each frame. */
#include <string.h>

#include "station_internal.h"

/** @return number of buffers of the frame that begins with completion i */
static unsigned
station_buffers(const struct station *station, unsigned i)
{
	struct net_header header;

	if (!station->vm->config.mrg)
		return 1;
	memcpy(&header, queue_data(station->rx, queue_done_slot(station->rx, i)), sizeof(header));
	return header.num_buffers;
}

/** Copy the parts of a frame into station->scratch. @return bytes copied */
static uint32_t
station_copy(struct station *station, unsigned i, unsigned n)
{
	const uint32_t space = FRAME_BUFFER_MAX + NET_HEADER;
	uint32_t at = 0;

	for (unsigned k = i; k < i + n; k++) {
		uint32_t length = queue_done_length(station->rx, k);

		if (length > space - at)
			length = space - at;
		memcpy(station->scratch + at,
			queue_data(station->rx, queue_done_slot(station->rx, k)), length);
		at += length;
	}
	return at;
}

/** Get a frame of n buffers that begins with completion i of the last poll. */
static struct received
station_gather(struct station *station, unsigned i, unsigned n)
{
	unsigned header = station->vm->header;
	struct received received = {0};
	const uint8_t *data = queue_data(station->rx, queue_done_slot(station->rx, i));
	uint32_t length = queue_done_length(station->rx, i);

	if (n > 1) {
		length = station_copy(station, i, n);
		data = station->scratch;
	}
	if (length < header)
		return received;
	memcpy(&received.header, data, header);
	received.frame = data + header;
	received.bytes = length - header;
	return received;
}

/**
 * Call take for each frame in the n completions of the last poll.
 *
 * @param max limit of frames
 * @param frames receives the number of frames
 * @return number of completions that they span
 */
static unsigned
station_show(struct station *station, unsigned n, unsigned max, unsigned *frames, station_take take,
	void *context)
{
	unsigned i = 0;

	*frames = 0;
	while (i < n && *frames < max) {
		unsigned buffers = station_buffers(station, i);

		if (buffers == 0 || buffers > station->rx->slots) {
			station->count.corrupted++;
			buffers = 1;
		}
		if (i + buffers > n)
			break; /* the frame is not complete yet */
		struct received received = station_gather(station, i, buffers);
		station->count.rx_bytes += received.bytes;
		station->count.rx_frames++;
		take(context, station, &received);
		i += buffers;
		(*frames)++;
	}
	return i;
}

unsigned
station_walk(struct station *station, unsigned max, station_take take, void *context)
{
	unsigned n = queue_poll(station->rx, station->rx->slots), frames, taken;

	queue_notify(station->rx);
	if (n == 0)
		return 0;
	taken = station_show(station, n, max, &frames, take, context);
	queue_consume(station->rx, taken);
	queue_post(station->rx, taken);
	return frames;
}

/** Check the sampled frames among the first n completions of the last poll, one buffer each. */
static void
station_sample(struct station *station, unsigned n)
{
	while (station->until < n) {
		struct received received = station_gather(station, station->until, 1);
		unsigned next = station_check(
			station, &received, station->count.rx_frames + station->until);

		station->until += next != 0 ? next : station->traffic->sample;
	}
	station->until -= n;
}

/** Receive without reading frames other than sampled ones. @return number of frames */
static unsigned
station_receive_light(struct station *station, unsigned max)
{
	unsigned n = queue_poll(station->rx, max);

	queue_notify(station->rx);
	if (n == 0)
		return 0;
	if (station->traffic->sample != 0)
		station_sample(station, n);
	queue_consume(station->rx, n);
	queue_post(station->rx, n);
	station->count.rx_frames += n;
	return n;
}

/** Read every cache line, as a guest that uses the frame. */
static void
station_read_lines(const struct received *received)
{
	for (uint32_t i = 0; i < received->bytes; i += FRAME_LINE)
		*(const volatile uint8_t *)(received->frame + i);
}

/** station_take: check a frame if it is a sampled one. */
static void
station_check_received(void *context, struct station *station, const struct received *received)
{
	unsigned sample = station->traffic->sample;

	(void)context;
	if (station->traffic->touch)
		station_read_lines(received);
	if (sample == 0)
		return;
	if (station->until == 0) {
		unsigned next = station_check(station, received, station->count.rx_frames - 1);

		station->until = next != 0 ? next : sample;
	}
	station->until--;
}

unsigned
station_receive(struct station *station, unsigned max)
{
	return station->rx_light ? station_receive_light(station, max)
				 : station_walk(station, max, station_check_received, NULL);
}
