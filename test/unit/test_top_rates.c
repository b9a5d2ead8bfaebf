/* SPDX-License-Identifier: BSD-3-Clause */
/* The rates on the live screen: two samples, a new port of the same name, sorting, history, drops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <string.h>

#include "top_drops.h"
#include "top_rates.h"

/** Take a sample of one port and one lcore. */
static void
sample(struct rates *rates, double now, int packets, int drops, int busy, int idle)
{
	json_t *ports = json_pack("[{s:s, s:s, s:i, s:i, s:i, s:i}]", "name", "a", "link", "up",
		"rx_packets", packets, "rx_bytes", packets * 100, "rx_drops", drops, "tx_packets",
		0);
	json_t *lcores = json_pack("[{s:i, s:i, s:i, s:i}]", "lcore", 1, "busy_cycles", busy,
		"idle_cycles", idle, "packets", packets);

	assert_int_equal(top_rates_update(rates, ports, lcores, now), 0);
	json_decref(ports);
	json_decref(lcores);
}

static void
test_rates(void **state)
{
	struct rates *rates = top_rates_new();
	const struct rates_lcore *lcore;
	const struct rates_port *port;
	size_t n;

	(void)state;
	sample(rates, 10, 1000, 0, 500, 500);
	port = top_rates_ports(rates, &n);
	assert_int_equal(n, 1);
	assert_false(port->known);
	assert_true(port->up && port->rx_packets == 0);
	sample(rates, 12, 3000, 4, 800, 600);
	port = top_rates_ports(rates, &n);
	lcore = top_rates_lcores(rates, &n);
	assert_true(port->known && port->rx_packets == 1000 && port->rx_bits == 800000);
	assert_true(port->drops == 2 && port->tx_packets == 0);
	assert_true(lcore->load == 0.75 && lcore->packets == 1000);
	assert_true(lcore->cycles_per_packet == 300.0 / 2000);
	sample(rates, 13, 500, 6, 900, 700); /* the port is a new one of the same name */
	port = top_rates_ports(rates, &n);
	assert_true(port->rx_packets == 500 && port->drops == 6);
	top_rates_reset(rates);
	sample(rates, 14, 600, 6, 900, 700);
	assert_false(top_rates_ports(rates, &n)->known);
	assert_int_equal(top_rates_update(rates, json_true(), json_true(), 15), -EPROTO);
	top_rates_free(rates);
}

static void
test_rates_sort(void **state)
{
	json_t *none = json_array();
	json_t *first =
		json_pack("[{s:s}, {s:s}, {s:s}]", "name", "vm10", "name", "vm9", "name", "vm1");
	json_t *second = json_pack("[{s:s, s:i}, {s:s, s:i}, {s:s}]", "name", "vm10", "rx_packets",
		5, "name", "vm9", "tx_drops", 1, "name", "vm1");
	struct rates *rates = top_rates_new();
	size_t n;

	(void)state;
	assert_int_equal(top_rates_update(rates, first, none, 1), 0);
	assert_int_equal(top_rates_update(rates, second, none, 2), 0);
	top_rates_sort(rates, RATES_BY_RX);
	assert_string_equal(top_rates_ports(rates, &n)[0].name, "vm10");
	top_rates_sort(rates, RATES_BY_DROPS);
	assert_string_equal(top_rates_ports(rates, &n)[0].name, "vm9");
	top_rates_sort(rates, RATES_BY_NAME);
	assert_string_equal(top_rates_ports(rates, &n)[1].name, "vm9");
	top_rates_free(rates);
	json_decref(none);
	json_decref(first);
	json_decref(second);
}

/** History belongs to a name, is limited, and survives a lost connection. */
static void
test_history(void **state)
{
	struct rates *rates = top_rates_new();
	const struct rates_port *port;
	size_t n;

	(void)state;
	sample(rates, 1, 0, 0, 1, 1);
	assert_int_equal(top_rates_ports(rates, &n)->n_history, 0);
	for (int i = 1; i <= RATES_HISTORY + 5; i++)
		sample(rates, 1 + i, 1000 * i * i, 0, 1, 1);
	port = top_rates_ports(rates, &n);
	assert_int_equal(port->n_history, RATES_HISTORY);
	assert_true(port->history[RATES_HISTORY - 1] == 1000 * (2 * (RATES_HISTORY + 5) - 1));
	assert_true(port->history[0] == 1000 * (2 * 6 - 1));
	top_rates_reset(rates);
	sample(rates, 100, 0, 0, 1, 1);
	assert_int_equal(top_rates_ports(rates, &n)->n_history, RATES_HISTORY);
	top_rates_free(rates);
}

static void
drops_sample(struct drops *drops, double now, int full, int down)
{
	json_t *list = json_pack("[{s:s, s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:s, s:i}]", "port",
		"a", "direction", "tx", "reason", "tx-full", "owner", "guest", "packets", full,
		"port", "b", "direction", "tx", "reason", "link-down", "owner", "peer", "packets",
		down);

	assert_int_equal(top_drops_update(drops, list, now), 0);
	json_decref(list);
}

static void
test_drops(void **state)
{
	struct drops *drops = top_drops_new();
	const struct drops_row *row;
	size_t n;

	(void)state;
	assert_int_equal(top_drops_update(drops, json_null(), 1), -EPROTO);
	assert_true(top_drops_rows(drops, &n) == NULL || n == 0);
	drops_sample(drops, 1, 10, 500);
	row = top_drops_rows(drops, &n);
	assert_int_equal(n, 2);
	assert_true(row[0].rate == 0 && row[0].packets == 500 && row[1].packets == 10);
	drops_sample(drops, 3, 20, 500);
	row = top_drops_rows(drops, &n);
	assert_string_equal(row[0].reason, "tx-full");
	assert_true(row[0].rate == 5 && row[1].rate == 0);
	drops_sample(drops, 4, 7, 500); /* a new port of the same name */
	assert_true(top_drops_rows(drops, &n)->rate == 7);
	top_drops_free(drops);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rates_sort),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
