/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hub of events: which subscribers receive an event, in which form, and how a full queue is
 * reported.
 */
#include "unit.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

enum { ALL = (1 << EVENT_KINDS) - 1 };

static struct event_hub *hub;
static unsigned readies;

static int
setup(void **state)
{
	(void)state;
	readies = 0;
	hub = event_hub_create();
	return hub != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	event_hub_destroy(hub);
	return 0;
}

static void
on_ready(void *arg)
{
	(void)arg;
	readies++;
}

static struct event_subscriber *
subscribe(unsigned kinds)
{
	struct event_subscriber *subscriber = event_subscribe(hub, kinds, on_ready, NULL);

	assert_non_null(subscriber);
	return subscriber;
}

/** Take an event and compare all but its time. @param expected NULL = none is queued */
static void
expect(struct event_subscriber *subscriber, const char *expected)
{
	const char *text = event_next(subscriber);

	if (expected == NULL) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	json_t *event = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_t *wanted = json_loads(expected, 0, NULL);
	assert_non_null(wanted);
	assert_true(json_integer_value(json_object_get(event, "time_us")) > 0);
	json_object_del(event, "time_us");
	if (!json_equal(event, wanted))
		fail_msg("%s, not %s", text, expected);
	json_decref(event);
	json_decref(wanted);
}

static void
expect_lost(struct event_subscriber *subscriber, unsigned lost)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"event\":\"lost\",\"lost\":%u}", lost);
	expect(subscriber, text);
}

static void
publish(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		event_lcore(hub, EVENT_ADDED, i);
}

/** Take n events that publish() numbered from `first` on. */
static void
take(struct event_subscriber *subscriber, unsigned first, unsigned n)
{
	char text[80];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(text, sizeof(text),
			"{\"event\":\"lcore\",\"action\":\"added\",\"lcore\":%u}", i);
		expect(subscriber, text);
	}
}

static void
test_table(void **state)
{
	char names[128], little[8];

	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		assert_true(event_kinds[kind].name[0] != '\0');
		assert_true(event_kinds[kind].help[0] != '\0');
		assert_int_equal(event_kind_find(event_kinds[kind].name), kind);
	}
	assert_null(event_kinds[EVENT_KINDS].name);
	assert_int_equal(event_kind_find("lost"), -ENOENT);
	assert_int_equal(event_kind_find(""), -ENOENT);
	assert_string_equal(event_kind_names(names, sizeof(names)),
		"port, link, front-end, fdb, lcore, config");
	assert_string_equal(event_kind_names(little, sizeof(little)), "port, l");
}

static void
test_each_event(void **state)
{
	struct event_subscriber *subscriber = subscribe(ALL);
	struct event_fdb change = {.action = EVENT_MOVED,
		.mac = UINT64_C(0x060504030202),
		.vlan = 10,
		.port = "vm1",
		.from = "vm2"};

	(void)state;
	event_port(hub, EVENT_ADDED, "vm1", "vhost");
	expect(subscriber, "{\"event\":\"port\",\"action\":\"added\",\"port\":\"vm1\","
			   "\"type\":\"vhost\"}");
	event_link(hub, "vm1", false);
	expect(subscriber, "{\"event\":\"link\",\"action\":\"down\",\"port\":\"vm1\"}");
	event_front_end(hub, "vm1", true);
	expect(subscriber, "{\"event\":\"front-end\",\"action\":\"connected\",\"port\":\"vm1\"}");
	event_fdb(hub, &change);
	expect(subscriber, "{\"event\":\"fdb\",\"action\":\"moved\",\"mac\":\"02:02:03:04:05:06\","
			   "\"vlan\":10,\"port\":\"vm1\",\"from\":\"vm2\"}");
	change.action = EVENT_AGED;
	event_fdb(hub, &change);
	expect(subscriber, "{\"event\":\"fdb\",\"action\":\"aged\",\"mac\":\"02:02:03:04:05:06\","
			   "\"vlan\":10,\"port\":\"vm1\"}");
	event_fdb(hub, &(struct event_fdb){.action = EVENT_FLUSHED, .vlan = -1});
	expect(subscriber, "{\"event\":\"fdb\",\"action\":\"flushed\",\"type\":\"dynamic\"}");
	event_fdb(hub, &(struct event_fdb){
			       .action = EVENT_FLUSHED, .port = "vm1", .vlan = 0, .statics = true});
	expect(subscriber, "{\"event\":\"fdb\",\"action\":\"flushed\",\"type\":\"all\","
			   "\"port\":\"vm1\",\"vlan\":0}");
	event_balanced(hub, 3);
	expect(subscriber, "{\"event\":\"lcore\",\"action\":\"balanced\",\"moved\":3}");
	event_config(hub, EVENT_SAVED, "/etc/shunt/shunt.yaml", NULL);
	expect(subscriber, "{\"event\":\"config\",\"action\":\"saved\","
			   "\"file\":\"/etc/shunt/shunt.yaml\"}");
	event_config(hub, EVENT_FAILED, "\xff", "no \"port\"\n");
	expect(subscriber, "{\"event\":\"config\",\"action\":\"failed\","
			   "\"reason\":\"no \\\"port\\\"\\n\"}");
	expect(subscriber, NULL);
	assert_int_equal(readies, 10);
	event_unsubscribe(subscriber);
}

static void
test_kinds_by_subscriber(void **state)
{
	struct event_subscriber *ports = subscribe(1 << EVENT_KIND_PORT);
	struct event_subscriber *others = subscribe(ALL & ~(1u << EVENT_KIND_PORT));

	(void)state;
	event_port(hub, EVENT_DELETED, "vm1", "vhost");
	assert_int_equal(readies, 1);
	event_link(hub, "vm1", true);
	expect(ports, "{\"event\":\"port\",\"action\":\"deleted\",\"port\":\"vm1\","
		      "\"type\":\"vhost\"}");
	expect(ports, NULL);
	expect(others, "{\"event\":\"link\",\"action\":\"up\",\"port\":\"vm1\"}");
	expect(others, NULL);
	event_unsubscribe(ports);
	event_unsubscribe(others);
}

static void
test_queue_limit(void **state)
{
	struct event_subscriber *subscriber = subscribe(ALL);

	(void)state;
	publish(EVENT_QUEUE_MAX + 7);
	take(subscriber, 0, EVENT_QUEUE_MAX);
	expect_lost(subscriber, 7);
	expect(subscriber, NULL);
	publish(2);
	take(subscriber, 0, 2);
	expect(subscriber, NULL);
	event_unsubscribe(subscriber);
}

/** The report of a loss is in the place of the lost events, before any later event. */
static void
test_position_of_loss(void **state)
{
	struct event_subscriber *subscriber = subscribe(ALL);

	(void)state;
	publish(EVENT_QUEUE_MAX + 7);
	take(subscriber, 0, 1);
	publish(1); /* space for one: not for the report as well */
	take(subscriber, 1, 1);
	publish(1);
	publish(1); /* full again */
	take(subscriber, 2, EVENT_QUEUE_MAX - 2);
	expect_lost(subscriber, 8);
	take(subscriber, 0, 1);
	expect_lost(subscriber, 1);
	expect(subscriber, NULL);
	event_unsubscribe(subscriber);
}

static void
test_one_slow_subscriber(void **state)
{
	struct event_subscriber *slow = subscribe(ALL), *prompt = subscribe(ALL);

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		publish(EVENT_QUEUE_MAX);
		take(prompt, 0, EVENT_QUEUE_MAX);
		expect(prompt, NULL);
	}
	event_unsubscribe(prompt);
	take(slow, 0, EVENT_QUEUE_MAX);
	expect_lost(slow, 3 * EVENT_QUEUE_MAX);
	expect(slow, NULL);
	event_unsubscribe(slow);
}

static void
test_loss_at_the_source(void **state)
{
	struct event_subscriber *ports = subscribe(1 << EVENT_KIND_PORT);
	struct event_subscriber *addresses = subscribe(1 << EVENT_KIND_FDB);

	(void)state;
	event_hub_lose(hub, EVENT_KIND_FDB, 5);
	assert_int_equal(readies, 1);
	expect(ports, NULL);
	expect_lost(addresses, 5);
	event_hub_lose(hub, EVENT_KIND_FDB, 0);
	event_hub_lose(hub, EVENT_KIND_LCORE, 5);
	expect(addresses, NULL);
	event_unsubscribe(ports);
	event_unsubscribe(addresses);
}

static unsigned changes;

static void
on_changed(void *arg)
{
	assert_ptr_equal(arg, hub);
	changes++;
}

static void
test_subscribed_kinds(void **state)
{
	(void)state;
	assert_false(event_hub_wants(NULL, EVENT_KIND_PORT));
	event_port(NULL, EVENT_ADDED, "vm1", "vhost");
	assert_false(event_hub_wants(hub, EVENT_KIND_FDB));
	changes = 0;
	event_hub_set_callback(hub, on_changed, hub);
	struct event_subscriber *one = subscribe(1 << EVENT_KIND_FDB);
	assert_int_equal(changes, 1);
	assert_true(event_hub_wants(hub, EVENT_KIND_FDB));
	assert_false(event_hub_wants(hub, EVENT_KIND_PORT));
	struct event_subscriber *two = subscribe(1 << EVENT_KIND_FDB);
	assert_int_equal(changes, 1);
	event_unsubscribe(one);
	assert_int_equal(changes, 1);
	assert_true(event_hub_wants(hub, EVENT_KIND_FDB));
	event_unsubscribe(two);
	assert_int_equal(changes, 2);
	assert_false(event_hub_wants(hub, EVENT_KIND_FDB));
	event_hub_set_callback(hub, NULL, NULL);
}

/** Queued, current and lost events are freed; the run with sanitizers detects a leak. */
static void
test_unsubscribe(void **state)
{
	struct event_subscriber *leaving = subscribe(ALL), *remaining = subscribe(ALL);

	(void)state;
	publish(EVENT_QUEUE_MAX + 1);
	take(leaving, 0, 1);
	event_unsubscribe(leaving);
	take(remaining, 0, EVENT_QUEUE_MAX);
	expect_lost(remaining, 1);
	event_unsubscribe(remaining);
	event_unsubscribe(NULL);
	event_hub_destroy(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test_setup_teardown(test_each_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds_by_subscriber, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_position_of_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_slow_subscriber, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loss_at_the_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscribed_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsubscribe, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
