/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums counters, and gives the words of drop reasons. */
#include "port/counters.h"

#include "base/shared.h"

enum { COUNTERS_FIELDS = sizeof(struct counters) / sizeof(uint64_t) };

_Static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "counters are all 64 bits wide");

void
counters_add(struct counters *sum, const struct counters *part)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)part;

	for (unsigned i = 0; i < COUNTERS_FIELDS; i++)
		to[i] += shared_load_relaxed(&from[i]);
}

void
counters_subtract(struct counters *sum, const struct counters *base)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)base;

	for (unsigned i = 0; i < COUNTERS_FIELDS; i++)
		to[i] -= from[i];
}

uint64_t
counters_drops(const uint64_t drops[DROP_COUNT])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DROP_COUNT; i++)
		sum += drops[i];
	return sum;
}

const char *
drop_word(enum drop_reason reason)
{
	static const char *const words[DROP_COUNT] = {
#define DROP_WORD(constant, word, owner, meaning) [constant] = word,
		DROP_REASONS(DROP_WORD)
#undef DROP_WORD
	};

	return words[reason];
}

const char *
drop_meaning(enum drop_reason reason)
{
	static const char *const meanings[DROP_COUNT] = {
#define DROP_MEANING(constant, word, owner, meaning) [constant] = meaning,
		DROP_REASONS(DROP_MEANING)
#undef DROP_MEANING
	};

	return meanings[reason];
}

const char *
drop_owner_word(enum drop_reason reason, bool vm)
{
	static const enum drop_owner owners[DROP_COUNT] = {
#define DROP_OWNER(constant, word, owner, meaning) [constant] = owner,
		DROP_REASONS(DROP_OWNER)
#undef DROP_OWNER
	};
	static const char *const words[] = {
		[DROP_BY_GUEST] = "guest",
		[DROP_BY_SWITCH] = "switch",
		[DROP_BY_PEER] = "peer",
	};
	enum drop_owner owner = owners[reason];

	if (owner == DROP_BY_PORT)
		owner = vm ? DROP_BY_GUEST : DROP_BY_PEER;
	return words[owner];
}
