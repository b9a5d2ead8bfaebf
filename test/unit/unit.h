/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Included by every unit test: cmocka, which needs four headers before its own.
 *
 * Thread safety: assertions belong on the thread that runs the test.
 */
#ifndef SHUNT_TEST_UNIT_H
#define SHUNT_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Before cmocka 2 there is one name for both signs, and it compares unsigned numbers. */
#ifndef assert_uint_in_range
#define assert_uint_in_range(value, least, most)                                                   \
	_assert_in_range(cast_to_largest_integral_type(value),                                     \
		cast_to_largest_integral_type(least), cast_to_largest_integral_type(most),         \
		__FILE__, __LINE__)
#endif
/* Deprecated by cmocka 2: not to be used. */
#undef assert_in_range

/** A pseudo-random number below a limit, the same ones in every run. @param seed is updated */
static inline uint32_t
unit_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/** Fail with both texts unless the first contains the second. */
#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		const char *contains_text = (text), *contains_part = (part);                       \
		if (strstr(contains_text, contains_part) == NULL)                                  \
			fail_msg("'%s' is not in: %s", contains_part, contains_text);              \
	} while (0)

#endif
