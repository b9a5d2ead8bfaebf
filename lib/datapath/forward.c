/* SPDX-License-Identifier: BSD-3-Clause */
/* The forward stage: splits a burst by destination, and forwards the frames of each at once. */
#include <emmintrin.h>

#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

/** Find the frames with the destination `dest`. @return a mask; bits beyond the burst undefined */
static inline uint32_t
forward_mask(const uint16_t dests[FRAME_BURST], uint16_t dest)
{
	const __m128i wanted = _mm_set1_epi16((short)dest);
	uint32_t mask = 0;

	for (unsigned i = 0; i < FRAME_BURST; i += 16) {
		const __m128i *at = (const __m128i *)(dests + i);
		__m128i low = _mm_cmpeq_epi16(_mm_loadu_si128(at), wanted);
		__m128i high = _mm_cmpeq_epi16(_mm_loadu_si128(at + 1), wanted);
		mask |= (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << i;
	}
	return mask;
}

/** Drop the unicast frames that an egress filter of the port rejects. @return mask of the rest */
static uint32_t
forward_filter(struct burst_context *context, const struct egress_filter *filter, uint32_t frames)
{
	for (; filter->run != NULL && frames != 0; filter++) {
		if (filter->floods_only)
			continue;
		uint32_t pass = filter->run(context, filter->state, frames);
		struct frame *dropped[FRAME_BURST];
		uint16_t n = burst_frames(&context->burst, frames & ~pass, dropped);

		if (n > 0)
			burst_drop(context, filter->reason, dropped, n);
		frames = pass;
	}
	return frames;
}

/** Send unicast frames by a port, subject to its egress filters. */
static void
forward_to_port(struct burst_context *context, uint16_t port, uint32_t frames)
{
	const struct snapshot_target *target = &context->snapshot->target[port];
	struct counters *counters = &context->counters[context->burst.port];
	struct frame *list[FRAME_BURST];

	if (unlikely(target->filters != NULL)) {
		frames = forward_filter(context, target->filters, frames);
		if (frames == 0)
			return;
	}
	uint16_t n = burst_frames(&context->burst, frames, list);
	counters->rx_forwarded += n;
	counters->rx_copies += n;
	output_frames(context, port, list, n, true);
}

/** Forward or drop the frames of the burst that have one destination. */
static void
forward_destination(struct burst_context *context, uint16_t dest, uint32_t frames)
{
	struct frame *list[FRAME_BURST];

	if (dest < PORT_MAX)
		forward_to_port(context, dest, frames);
	else if (dest >= DEST_DROP && dest < DEST_FORWARD)
		burst_drop(context, dest - DEST_DROP, list,
			burst_frames(&context->burst, frames, list));
	else if (dest < DEST_DROP || unlikely(context->snapshot->floods_filtered))
		flood_filtered(context, dest, frames);
	else
		flood_frames(context, dest, frames);
}

/*
 * Destinations are served in the order of their first frames, and the frames of a destination are
 * sent in rx order, so that no flow is reordered.
 */
void
forward_burst(struct burst_context *context)
{
	struct burst *burst = &context->burst;
	uint32_t left = (uint32_t)((UINT64_C(1) << burst->n) - 1);

	while (left != 0) {
		uint16_t dest = burst->dest[__builtin_ctz(left)];
		uint32_t same = forward_mask(burst->dest, dest) & left;

		left &= ~same;
		forward_destination(context, dest, same);
	}
}

_Static_assert(FRAME_BURST == 32, "masks of frames have 32 bits");
