/* SPDX-License-Identifier: BSD-3-Clause */
/* Group membership from messages, and its timeouts, with a simulated clock. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "snoop/groups.h"
#include "snoop_help.h"

#define GROUP  "239.1.2.3"
#define GROUP6 "ff05::1234"
#define SECOND UINT64_C(1000)

enum { ROUTER = 1, HOST = 2, OTHER = 3, VLAN = 7, IS_IN = 1, TO_IN = 3, ALLOW = 5, BLOCK = 6 };

static struct groups *groups;
static struct message packet;
static uint64_t now;

static int
setup(void **state)
{
	(void)state;
	groups = groups_create(99);
	now = 1000 * SECOND;
	return groups != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	groups_destroy(groups);
	return 0;
}

static void
receive(uint16_t port)
{
	groups_receive(groups, now, port, VLAN, packet.bytes, packet.len, packet.ipv6);
}

static void
query(const char *source, const char *group)
{
	message_simple(&packet, packet.ipv6 ? 130 : 0x11, 100, source, group);
}

static void
receive_querier(bool ipv6)
{
	packet.ipv6 = ipv6;
	query(ipv6 ? "fe80::1" : "10.0.0.1", ipv6 ? "::" : "0.0.0.0");
	receive(ROUTER);
}

static void
receive_report(uint16_t port, const char *group)
{
	bool ipv6 = strchr(group, ':') != NULL;

	message_simple(&packet, ipv6 ? 131 : 0x16, 0, ipv6 ? "fe80::9" : "10.9.0.9", group);
	receive(port);
}

static void
receive_leave(uint16_t port, const char *group)
{
	bool ipv6 = strchr(group, ':') != NULL;

	message_simple(&packet, ipv6 ? 132 : 0x17, 0, ipv6 ? "fe80::9" : "10.9.0.9", group);
	receive(port);
}

static void
receive_record(uint8_t change, const char *source)
{
	message_record(&packet, change, GROUP, source);
	receive(HOST);
}

static void
pass(uint64_t time)
{
	now += time;
	groups_expire(groups, now);
}

/** The ports that get data for a group, a bit each; -1 = all ports. */
static int
receivers(const char *group)
{
	struct snoop_ip ip = ip_of(group);
	struct snoop_table *table = groups_table(groups);
	uint16_t set = snoop_table_find(table, VLAN, &ip);
	int found = set == SNOOP_NO_SET ? -1 : (int)table->sets[set].bits[0];

	snoop_table_free(table);
	return found;
}

static void
test_membership(void **state)
{
	static const char *const names[] = {GROUP, GROUP6};

	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		receive_report(HOST, names[i]);
		assert_int_equal(receivers(names[i]), -1);
		receive_querier(i == 1);
		assert_int_equal(receivers(names[i]), 1 << ROUTER | 1 << HOST);
		pass(200 * SECOND);
		receive_querier(i == 1);
		pass(60 * SECOND - 1);
		assert_int_equal(receivers(names[i]), 1 << ROUTER | 1 << HOST);
		pass(1);
		assert_int_equal(receivers(names[i]), 1 << ROUTER);
		pass(195 * SECOND - 1);
		assert_int_equal(receivers(names[i]), 1 << ROUTER);
		pass(1);
		assert_int_equal(receivers(names[i]), -1);
	}
}

static void
test_leave(void **state)
{
	(void)state;
	receive_querier(false);
	receive_report(HOST, GROUP);
	receive_report(OTHER, GROUP);
	receive_leave(HOST, GROUP);
	pass(2 * SECOND - 1);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << HOST | 1 << OTHER);
	/* A repeated leave does not extend the time. */
	receive_leave(HOST, GROUP);
	pass(1);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << OTHER);
	/* Another host behind the port reports the group. */
	receive_leave(OTHER, GROUP);
	pass(SECOND);
	receive_report(OTHER, GROUP);
	pass(100 * SECOND);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << OTHER);
	groups_set_port(groups, OTHER, true, SNOOP_ROUTER_AUTO);
	receive_leave(OTHER, GROUP);
	pass(0);
	assert_int_equal(receivers(GROUP), 1 << ROUTER);
}

static void
test_sources(void **state)
{
	const int both = 1 << ROUTER | 1 << HOST;

	(void)state;
	receive_querier(false);
	/* Leaves of unknown groups, and a membership without sources. */
	receive_record(TO_IN, NULL);
	receive_record(IS_IN, NULL);
	receive_record(BLOCK, "10.1.1.1");
	assert_int_equal(receivers(GROUP), 1 << ROUTER);
	receive_record(ALLOW, "10.1.1.1");
	receive_record(ALLOW, "10.1.1.2");
	receive_record(BLOCK, "10.1.1.1");
	pass(3 * SECOND);
	assert_int_equal(receivers(GROUP), both);
	receive_record(BLOCK, "10.1.1.2");
	pass(2 * SECOND - 1);
	assert_int_equal(receivers(GROUP), both);
	receive_record(IS_IN, "10.1.1.2");
	pass(SECOND);
	assert_int_equal(receivers(GROUP), both);
	/* From one source to another: only the new one remains. */
	receive_record(TO_IN, "10.1.1.3");
	pass(3 * SECOND);
	receive_record(BLOCK, "10.1.1.3");
	pass(2 * SECOND);
	assert_int_equal(receivers(GROUP), 1 << ROUTER);
	/* To all sources, and to one again. */
	receive_report(HOST, GROUP);
	receive_record(BLOCK, "10.1.1.4");
	pass(3 * SECOND);
	assert_int_equal(receivers(GROUP), both);
	receive_record(TO_IN, NULL);
	pass(2 * SECOND);
	assert_int_equal(receivers(GROUP), 1 << ROUTER);
}

/** More sources than are stored: a membership of all sources. */
static void
test_many_sources(void **state)
{
	char source[32];

	(void)state;
	receive_querier(false);
	for (int i = 0; i <= GROUPS_SOURCES_MAX; i++) {
		snprintf(source, sizeof(source), "10.1.1.%d", i + 1);
		receive_record(ALLOW, source);
	}
	for (int i = 0; i <= GROUPS_SOURCES_MAX; i++) {
		snprintf(source, sizeof(source), "10.1.1.%d", i + 1);
		receive_record(BLOCK, source);
	}
	pass(3 * SECOND);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << HOST);
}

static void
test_routers(void **state)
{
	(void)state;
	packet.ipv6 = false;
	query("0.0.0.0", "0.0.0.0");
	receive(ROUTER);
	assert_int_equal(receivers(GROUP), -1);
	groups_set_port(groups, OTHER, false, SNOOP_ROUTER_OFF);
	query("10.0.0.1", "0.0.0.0");
	receive(OTHER);
	assert_int_equal(receivers(GROUP), -1);
	groups_set_port(groups, HOST, false, SNOOP_ROUTER_ON);
	receive(ROUTER);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << HOST);
	/* A PIM hello (RFC 7761) makes the port a router port, but is no query. */
	groups_set_port(groups, OTHER, false, SNOOP_ROUTER_AUTO);
	message_begin(&packet, "10.0.0.2", "224.0.0.13");
	packet.bytes[9] = 103;
	message_add(&packet, "2000 0000 0001 0002 0069");
	message_close(&packet);
	receive(OTHER);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << HOST | 1 << OTHER);
	groups_set_port(groups, ROUTER, false, SNOOP_ROUTER_OFF);
	assert_int_equal(receivers(GROUP), -1);
}

static void
test_forget(void **state)
{
	struct groups_stats stats;

	(void)state;
	receive_querier(false);
	receive_querier(true);
	receive_report(HOST, GROUP);
	receive_report(HOST, GROUP6);
	receive_report(OTHER, GROUP);
	groups_forget_port(groups, HOST);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << OTHER);
	assert_int_equal(receivers(GROUP6), 1 << ROUTER);
	groups_forget_port(groups, ROUTER);
	assert_int_equal(receivers(GROUP), -1);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.groups, 1);
	assert_int_equal(stats.members, 1);
}

/** Groups that are always flooded are not stored; a message that only refreshes changes nothing. */
static void
test_changed(void **state)
{
	struct groups_stats stats;

	(void)state;
	receive_report(HOST, "224.0.0.251");
	receive_report(HOST, "ff02::1");
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.members, 0);
	assert_int_equal(stats.messages, 2);
	receive_querier(false);
	receive_report(HOST, GROUP);
	assert_true(groups_changed(groups));
	receivers(GROUP);
	receive_querier(false);
	receive_report(HOST, GROUP);
	pass(SECOND);
	assert_false(groups_changed(groups));
	packet.bytes[packet.len - 1] ^= 1;
	receive(HOST);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.malformed, 1);
}

static void
fill(uint16_t port, unsigned from, unsigned n)
{
	char group[32];

	for (unsigned i = from; i < from + n; i++) {
		snprintf(group, sizeof(group), "239.77.%u.%u", i >> 8, i & 0xff);
		receive_report(port, group);
	}
}

/**
 * Reports above a limit are counted, and the port gets all multicast for the time of a membership.
 */
static void
test_limits(void **state)
{
	struct groups_stats stats;

	(void)state;
	receive_querier(false);
	fill(HOST, 0, GROUPS_PORT_MAX);
	assert_int_equal(receivers("239.1.1.1"), 1 << ROUTER);
	fill(HOST, GROUPS_PORT_MAX, 1);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(receivers("239.1.1.1"), 1 << ROUTER | 1 << HOST);
	for (uint16_t port = 4; port < 11; port++)
		fill(port, port * GROUPS_PORT_MAX, GROUPS_PORT_MAX);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.groups, GROUPS_MAX);
	assert_int_equal(stats.refused, 1);
	receive_report(OTHER, GROUP);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.groups, GROUPS_MAX);
	assert_int_equal(stats.refused, 2);
	assert_int_equal(receivers(GROUP), 1 << ROUTER | 1 << HOST | 1 << OTHER);
	pass(200 * SECOND);
	receive_querier(false);
	pass(60 * SECOND);
	assert_int_equal(receivers(GROUP), 1 << ROUTER);
	groups_get_stats(groups, &stats);
	assert_int_equal(stats.groups, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_membership, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
