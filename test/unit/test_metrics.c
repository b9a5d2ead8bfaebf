/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics as text, addresses to listen at, and the buckets of poll statistics. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/poll_stats.h"
#include "metrics/address.h"
#include "metrics/metrics.h"
#include "metrics/text.h"

static const struct metrics_label none[] = {{NULL, NULL}};
static const struct metrics_label one[] = {{"port", "a"}, {NULL, NULL}};
static const struct metrics_family packets = {"x_packets", METRICS_COUNTER, "packets", "What x."};

static void
check_closed(struct metrics_text *text, const char *expected)
{
	size_t length = 0;
	char *data = metrics_text_close(text, &length);

	assert_non_null(data);
	assert_string_equal(data, expected);
	assert_int_equal(length, strlen(expected));
	free(data);
}

static void
test_counter(void **state)
{
	struct metrics_text text;

	(void)state;
	assert_int_equal(metrics_text_open(&text, METRICS_OPEN), 0);
	metrics_text_family(&text, &packets);
	metrics_text_count(&text, none, 0);
	metrics_text_count(&text, one, UINT64_MAX);
	check_closed(&text, "# HELP x_packets What x.\n# TYPE x_packets counter\n"
			    "# UNIT x_packets packets\nx_packets_total 0\n"
			    "x_packets_total{port=\"a\"} 18446744073709551615\n# EOF\n");
	assert_int_equal(metrics_text_open(&text, METRICS_PLAIN), 0);
	metrics_text_family(&text, &packets);
	metrics_text_count(&text, one, 7);
	check_closed(&text,
		"# HELP x_packets_total What x.\n# TYPE x_packets_total counter\n"
		"# UNIT x_packets_total packets\nx_packets_total{port=\"a\"} 7\n# EOF\n");
}

static void
test_gauge_and_info(void **state)
{
	const struct metrics_family gauge = {"g", METRICS_GAUGE, "", "G."};
	const struct metrics_family info = {"i", METRICS_INFO, "", "I."};
	struct metrics_text text;

	(void)state;
	assert_int_equal(metrics_text_open(&text, METRICS_OPEN), 0);
	metrics_text_family(&text, &gauge);
	metrics_text_real(&text, none, 0.125);
	metrics_text_family(&text, &info);
	metrics_text_count(&text, one, 1);
	check_closed(&text, "# HELP g G.\n# TYPE g gauge\ng 0.125\n"
			    "# HELP i I.\n# TYPE i info\ni_info{port=\"a\"} 1\n# EOF\n");
	assert_int_equal(metrics_text_open(&text, METRICS_PLAIN), 0);
	metrics_text_family(&text, &info);
	check_closed(&text, "# HELP i_info I.\n# TYPE i_info gauge\n# EOF\n");
}

static void
test_labels_are_escaped(void **state)
{
	const struct metrics_label labels[] = {{"a", "\"\\\n"}, {"b", "\xc3\xa4,}"}, {NULL, NULL}};
	struct metrics_text text;

	(void)state;
	assert_int_equal(metrics_text_open(&text, METRICS_OPEN), 0);
	metrics_text_family(&text, &packets);
	metrics_text_count(&text, labels, 1);
	check_closed(&text, "# HELP x_packets What x.\n# TYPE x_packets counter\n"
			    "# UNIT x_packets packets\n"
			    "x_packets_total{a=\"\\\"\\\\\\n\",b=\"\xc3\xa4,}\"} 1\n# EOF\n");
}

static void
test_histogram(void **state)
{
	const struct metrics_family family = {"h_seconds", METRICS_HISTOGRAM, "seconds", "H."};
	const uint64_t bucket[] = {3, 0, 4};
	const double bound[] = {0.5, 1};
	const struct metrics_histogram histogram = {
		.n = 3, .bucket = bucket, .bound = bound, .format = "%.1f", .sum = 12.25};
	const char *expected = "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
			       "# UNIT h_seconds seconds\n"
			       "h_seconds_bucket{port=\"a\",le=\"0.5\"} 3\n"
			       "h_seconds_bucket{port=\"a\",le=\"1.0\"} 3\n"
			       "h_seconds_bucket{port=\"a\",le=\"+Inf\"} 7\n"
			       "h_seconds_sum{port=\"a\"} 12.25\nh_seconds_count{port=\"a\"} 7\n"
			       "h_seconds_bucket{le=\"0.5\"} 3\nh_seconds_bucket{le=\"1.0\"} 3\n"
			       "h_seconds_bucket{le=\"+Inf\"} 7\nh_seconds_sum 12.25\n"
			       "h_seconds_count 7\n# EOF\n";

	(void)state;
	for (int style = 0; style < METRICS_STYLES; style++) {
		struct metrics_text text;

		assert_int_equal(metrics_text_open(&text, (enum metrics_style)style), 0);
		metrics_text_family(&text, &family);
		metrics_text_histogram(&text, one, &histogram);
		metrics_text_histogram(&text, none, &histogram);
		check_closed(&text, expected);
	}
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = {"", ":", "9469", "127.0.0.1", "127.0.0.1:", ":9469",
		"127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:1x", "127.0.0.1: 1",
		"localhost:9469", "::1:9469", "[::1]9469", "[::1:9469", "[127.0.0.1]:9469",
		"[]:9469", "[:9469", "1.2.3:9469", "127.0.0.1:000001",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:9469"};
	struct sockaddr_storage address;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.code = 0;
		assert_int_equal(metrics_check(bad[i], &err), -EINVAL);
		assert_non_null(strstr(err.text, "is no address such as 127.0.0.1:9469"));
	}
	assert_int_equal(address_parse("127.0.0.1:9469", &address, NULL), 0);
	assert_int_equal(address.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&address)->sin_port, htons(9469));
	assert_int_equal(((struct sockaddr_in *)&address)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(address_parse("[::1]:65535", &address, NULL), 0);
	assert_int_equal(address.ss_family, AF_INET6);
	assert_int_equal(((struct sockaddr_in6 *)&address)->sin6_port, htons(65535));
	assert_memory_equal(&((struct sockaddr_in6 *)&address)->sin6_addr, &in6addr_loopback,
		sizeof(in6addr_loopback));
}

/** A bucket has the index of the first bound that a size does not exceed. */
static void
test_bursts(void **state)
{
	struct poll_stats poll_stats = {.begin = 0};

	(void)state;
	for (unsigned n = 1; n <= 32; n++)
		poll_stats_burst(&poll_stats, n);
	const uint64_t expected[DATAPATH_BURST_BUCKETS] = {1, 1, 2, 4, 8, 16};
	assert_memory_equal(poll_stats.seen.burst, expected, sizeof(expected));
}

static void
test_loops(void **state)
{
	/* A cycle of this clock is a quarter of the first bound. */
	struct poll_stats poll_stats = {.scale = UINT64_C(1) << (POLL_STATS_SCALE_SHIFT - 2)};
	static const uint64_t took[] = {0, 3, 4, 7, 8, 15, 16, 4095, 4096, 1 << 30};
	const uint64_t expected[DATAPATH_LOOP_BUCKETS] = {2, 2, 2, 1, 0, 0, 0, 0, 0, 0, 1, 2};
	uint64_t now = 1000;
	uint64_t sum = 0;

	(void)state;
	poll_stats_round(&poll_stats, now); /* the first call: no round has ended */
	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++) {
		now += took[i];
		sum += took[i];
		poll_stats_round(&poll_stats, now);
	}
	poll_stats_pause(&poll_stats);
	poll_stats_round(&poll_stats, now + 12345);
	assert_memory_equal(poll_stats.seen.loop, expected, sizeof(expected));
	assert_int_equal(poll_stats.seen.loop_cycles, sum);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_gauge_and_info),
		cmocka_unit_test(test_labels_are_escaped),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
