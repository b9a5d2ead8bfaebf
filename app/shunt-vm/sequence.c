/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts lost, duplicated and reordered frames of a flow. */
#include "sequence.h"

#include <stdbool.h>

/** Extend a number to the 64-bit number nearest to the expected one. */
static uint64_t
sequence_extend(uint64_t next, uint32_t number)
{
	int64_t distance = (int32_t)(number - (uint32_t)next);

	if (distance < 0 && (uint64_t)-distance > next)
		return number; /* not below 0, where a flow begins */
	return next + (uint64_t)distance;
}

/** Clear the bits of numbers [from, to). */
static void
sequence_clear(struct sequence *sequence, uint64_t from, uint64_t to)
{
	if (to - from > SEQUENCE_WINDOW)
		from = to - SEQUENCE_WINDOW;
	for (uint64_t i = from; i < to; i++)
		sequence->seen[i / 64 % SEQUENCE_WORDS] &= ~(UINT64_C(1) << i % 64);
}

/** Set the bit of a number. @return whether it was set before */
static bool
sequence_mark(struct sequence *sequence, uint64_t number)
{
	uint64_t *word = &sequence->seen[number / 64 % SEQUENCE_WORDS];
	uint64_t bit = UINT64_C(1) << number % 64;
	bool before = *word & bit;

	*word |= bit;
	return before;
}

void
sequence_add(struct sequence *sequence, struct sequence_order *order, uint32_t number)
{
	uint64_t full = sequence_extend(sequence->next, number);
	bool remembered = full + SEQUENCE_WINDOW >= sequence->next;

	if (full >= sequence->next) {
		sequence_clear(sequence, sequence->next, full + 1);
		sequence->next = full + 1;
	}
	if (remembered && sequence_mark(sequence, full)) {
		sequence->duplicated++;
		return;
	}
	sequence->received++;
	if (full < order->next)
		sequence->reordered++;
	else
		order->next = full + 1;
}
