/* SPDX-License-Identifier: BSD-3-Clause */
/* Token buckets by simulated time: rates, bursts, pauses, and a comparison with rte_meter. */
#include "unit.h"

#include <inttypes.h>

#include <rte_cycles.h>
#include <rte_meter.h>

#include "eal_fixture.h"
#include "rate/bucket.h"

#define M UINT64_C(1000000)
#define G UINT64_C(1000000000)

enum { BURST = 16384, PPM = 1000000, TOLERANCE_PPM = 1000, OFFERED = 300000 };

static const uint64_t rates[] = {1 * M, 3 * M, 10 * M, 77777777, 1 * G, 2500 * M, 10 * G, 40 * G};
static const uint64_t clocks[] = {1 * G, 1995 * M, 2100000003, 3400 * M, 5 * G};

/** Frames of these lengths, in rotation. */
struct mix {
	uint32_t length[12];
	unsigned n;
};

static const struct mix mixes[] = {
	{{60}, 1},
	{{60, 60, 60, 60, 60, 60, 60, 590, 590, 590, 590, 1514}, 12},
	{{1514}, 1},
	{{65226}, 1},
	{{65226, 60, 60, 1514, 60, 9014}, 6},
};

static struct bucket_rate
rate_of(uint64_t bits, uint64_t burst, uint64_t hz)
{
	struct bucket_rate rate;

	bucket_rate_set(&rate, bits, burst, hz);
	return rate;
}

/** Offer the mix at every step until `cycles` have passed. @return bytes that passed */
static uint64_t
flood(struct bucket *bucket, const struct bucket_rate *rate, const struct mix *mix, uint64_t from,
	uint64_t cycles, uint64_t step)
{
	uint64_t passed = 0;
	unsigned next = 0;

	for (uint64_t now = from; now - from < cycles; now += step) {
		bucket_fill(bucket, rate, now);
		while (bucket_take(bucket, mix->length[next])) {
			passed += mix->length[next];
			next = (next + 1) % mix->n;
		}
	}
	return passed;
}

/** The bucket starts empty, so that neither an initial burst nor a final debt distorts the rate. */
static void
check_rate(uint64_t bits, uint64_t hz, const struct mix *mix)
{
	struct bucket_rate rate = rate_of(bits, BURST, hz);
	struct bucket bucket = {.since = 12345 * hz};
	/* A third of the time that fills the bucket, so that it never overflows. */
	uint64_t step = (uint64_t)((double)BURST * 8 / (double)bits * (double)hz / 3);
	uint64_t cycles = 60000 * step;
	double expected = (double)bits / 8 * (double)cycles / (double)hz;

	uint64_t passed = flood(&bucket, &rate, mix, bucket.since, cycles, step);
	double ppm = ((double)passed - expected) / expected * PPM;
	if (ppm > TOLERANCE_PPM || ppm < -TOLERANCE_PPM)
		fail_msg("%" PRIu64 " b/s at %" PRIu64 " Hz, frames of %u: off by %.0f ppm", bits,
			hz, mix->length[0], ppm);
}

static void
test_rates(void **state)
{
	(void)state;
	for (unsigned r = 0; r < COUNT(rates); r++)
		for (unsigned c = 0; c < COUNT(clocks); c++)
			for (unsigned m = 0; m < COUNT(mixes); m++)
				check_rate(rates[r], clocks[c], &mixes[m]);
}

/** The tokens per cycle are close to the exact value, from the lowest to the highest rate. */
static void
test_resolution(void **state)
{
	(void)state;
	for (uint64_t bits = BUCKET_RATE_MIN; bits <= BUCKET_RATE_MAX; bits *= 10)
		for (unsigned c = 0; c < COUNT(clocks); c++) {
			struct bucket_rate rate = rate_of(bits, 1, clocks[c]);
			double exact = (double)bits * (1 << (BUCKET_SHIFT - 3)) / (double)clocks[c];
			double off = ((double)rate.per_cycle - exact) / exact * PPM;
			double most = bits < 1 * M ? 5000 : 10;
			assert_true(off < most && off > -most);
		}
}

/** After a pause of any length a burst passes, and the frame that exceeds it. */
static void
test_burst(void **state)
{
	const struct mix mix = {{1000}, 1};

	(void)state;
	for (unsigned r = 0; r < COUNT(rates); r++) {
		struct bucket_rate rate = rate_of(rates[r], 10500, 2 * G);
		struct bucket bucket = {0};
		for (uint64_t now = 2 * G; now < UINT64_C(1) << 62; now *= 3)
			assert_int_equal(flood(&bucket, &rate, &mix, now, 1, 1), 11000);
	}
}

static void
test_longest_burst(void **state)
{
	struct bucket_rate rate = rate_of(BUCKET_RATE_MAX, BUCKET_BURST_MAX, 1 * G);
	struct bucket bucket = {.since = 1};

	(void)state;
	/* Fill the bucket, then add nearly as much again in one step. */
	bucket_fill(&bucket, &rate, rate.horizon + 1);
	assert_int_equal(bucket.tokens, rate.depth);
	bucket_fill(&bucket, &rate, 2 * rate.horizon);
	assert_int_equal(bucket.tokens, rate.depth);
	assert_true(bucket_take(&bucket, 1 << 24));
	bucket_fill(&bucket, &rate, UINT64_MAX);
	assert_int_equal(bucket.tokens, rate.depth);
}

/** A debt is paid before the next frame passes, whatever its length. */
static void
test_debt(void **state)
{
	struct bucket_rate rate = rate_of(8 * M, 1, 1 * G);
	struct bucket bucket = {.since = 1, .tokens = 1};

	(void)state;
	assert_true(bucket_take(&bucket, 60000));
	assert_false(bucket_take(&bucket, 1));
	bucket_fill(&bucket, &rate, 59 * M);
	assert_false(bucket_take(&bucket, 1));
	bucket_fill(&bucket, &rate, 61 * M);
	assert_true(bucket_take(&bucket, 1));
}

/** The clock of another CPU may be behind: no time is credited twice. */
static void
test_clock_behind(void **state)
{
	struct bucket_rate rate = rate_of(8 * M, 1000, 1 * G);
	struct bucket bucket = {.since = 1000000, .tokens = -5};

	(void)state;
	bucket_fill(&bucket, &rate, 999000);
	assert_int_equal(bucket.tokens, -5);
	bucket_fill(&bucket, &rate, 1000000);
	assert_int_equal(bucket.tokens, -5);
	bucket_fill(&bucket, &rate, 1000001);
	assert_int_equal(bucket.tokens, (int64_t)rate.per_cycle - 5);
}

/** A change of the rate while there are tokens: those above the new depth are discarded. */
static void
test_change(void **state)
{
	struct bucket_rate fast = rate_of(1 * G, 100000, 1 * G), slow = rate_of(1 * M, 100, 1 * G);
	struct bucket bucket = {0};

	(void)state;
	bucket_fill(&bucket, &fast, 1 * G);
	assert_int_equal(bucket.tokens, INT64_C(100000) << BUCKET_SHIFT);
	bucket_fill(&bucket, &slow, 1 * G + 1);
	assert_int_equal(bucket.tokens, INT64_C(100) << BUCKET_SHIFT);
}

static void
test_burst_for(void **state)
{
	(void)state;
	assert_int_equal(bucket_burst_for(1 * M, 20, 65536), 65536);
	assert_int_equal(bucket_burst_for(1 * G, 20, 65536), 2500000);
	assert_int_equal(bucket_burst_for(BUCKET_RATE_MAX, 20, 65536), BUCKET_BURST_MAX);
}

/** rte_meter, whose periods add whole bytes, passes the same amount except for rounding. */
static void
test_beside_rte_meter(void **state)
{
	(void)state;
	for (unsigned r = 0; r < COUNT(rates); r++) {
		uint64_t hz = rte_get_tsc_hz(), passed = 0, green = 0;
		struct rte_meter_srtcm_params params = {rates[r] / 8, 100 * BURST, 0};
		struct rte_meter_srtcm_profile profile;
		struct rte_meter_srtcm meter;
		struct bucket_rate rate = rate_of(rates[r], 100 * BURST, hz);
		uint64_t step = (uint64_t)(1514 * 4.0 / (double)rates[r] * (double)hz);
		struct bucket bucket = {.since = 1};

		assert_int_equal(rte_meter_srtcm_profile_config(&profile, &params), 0);
		assert_int_equal(rte_meter_srtcm_config(&meter, &profile), 0);
		uint64_t now = meter.time;
		bucket.since = now;
		bucket.tokens = rate.depth;
		/* Twice the rate. */
		for (unsigned i = 0; i < OFFERED; i++, now += step) {
			green += rte_meter_srtcm_color_blind_check(&meter, &profile, now, 1514) ==
				 RTE_COLOR_GREEN;
			bucket_fill(&bucket, &rate, now);
			passed += bucket_take(&bucket, 1514);
		}
		double ratio = (double)passed / (double)green;
		if (ratio < 0.99 || ratio > 1.01)
			fail_msg("%" PRIu64 " b/s: %" PRIu64 " passed, %" PRIu64 " by rte_meter",
				rates[r], passed, green);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_resolution),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_longest_burst),
		cmocka_unit_test(test_debt),
		cmocka_unit_test(test_clock_behind),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_burst_for),
		cmocka_unit_test(test_beside_rte_meter),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
