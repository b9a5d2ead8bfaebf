/* SPDX-License-Identifier: BSD-3-Clause */
/* The forward stage: split a burst by destination, one call of the next stage for each. */
#include <emmintrin.h>

#include "datapath/forward.h"
#include "datapath/output.h"
#include "datapath/snapshot.h"

/** Mask of the frames with a destination. Bits beyond the end of the burst are undefined. */
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

static void
forward_group(
	struct burst_context *context, uint16_t dest, struct frame *const frames[], uint16_t n)
{
	if (dest < PORT_MAX) {
		struct counters *counters = &context->counters[context->burst.port];
		counters->rx_forwarded += n;
		counters->rx_copies += n;
		output_frames(context, dest, frames, n);
	} else if (dest >= DEST_FLOODS) {
		if (likely(!context->snapshot->floods_filtered))
			flood_frames(context, frames, n);
		else
			flood_filtered(context, dest, frames, n);
	} else if (dest >= DEST_DROP) {
		burst_drop(context, dest - DEST_DROP, frames, n);
	} else {
		flood_filtered(context, dest, frames, n);
	}
}

/*
 * Groups are sent in the order of their first frames, and the frames of a group in rx order, so
 * that no flow is reordered.
 */
void
forward_burst(struct burst_context *context)
{
	struct burst *burst = &context->burst;
	struct frame *group[FRAME_BURST];
	uint32_t left = (uint32_t)((UINT64_C(1) << burst->n) - 1);

	while (left != 0) {
		uint16_t dest = burst->dest[__builtin_ctz(left)];
		uint32_t same = forward_mask(burst->dest, dest) & left;
		uint16_t n = 0;

		left &= ~same;
		for (; same != 0; same &= same - 1)
			group[n++] = &burst->frame[__builtin_ctz(same)];
		forward_group(context, dest, group, n);
	}
}

_Static_assert(FRAME_BURST == 32, "masks of frames have 32 bits");
