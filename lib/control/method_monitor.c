/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `monitor`: turns the connection of the request into a stream of events. */
#include <errno.h>
#include <stdlib.h>

#include "control/methods.h"

enum { MONITOR_ALL = (1 << EVENT_KINDS) - 1, MONITOR_NAMES_MAX = 128 };

/** A connection with its subscription. Freed when the connection ends. */
struct monitor_client {
	struct rpc_client *client;
	struct event_subscriber *subscriber;
};

/** rpc_client_stream() callback: the next event to send. @return NULL = none */
static const char *
monitor_next(void *arg)
{
	struct monitor_client *monitor = arg;

	return event_next(monitor->subscriber);
}

/** event_subscribe() callback: send the events that wait. */
static void
monitor_on_ready(void *arg)
{
	struct monitor_client *monitor = arg;

	rpc_client_pump(monitor->client);
}

/** rpc_client_stream() callback: the connection was closed; end the subscription. */
static void
monitor_on_closed(void *arg)
{
	struct monitor_client *monitor = arg;

	event_unsubscribe(monitor->subscriber);
	free(monitor);
}

/** Read the kinds requested; none are all. @param kinds receives a bit for each */
static int
monitor_parse(json_t *params, unsigned *kinds, struct err *err)
{
	static const char *const names[] = {"events", NULL};
	json_t *list = json_object_get(params, "events"), *word;
	char known[MONITOR_NAMES_MAX];
	size_t index;

	if (rpc_only(params, names, err) < 0)
		return -EINVAL;
	if (list != NULL && !json_is_array(list))
		return err_set(err, EINVAL, "events: must be an array of names");
	*kinds = 0;
	json_array_foreach(list, index, word) {
		const char *name = json_string_value(word);
		int kind = name != NULL ? event_kind_find(name) : -EINVAL;
		if (kind < 0)
			return err_set(err, EINVAL, "events: no event '%.40s'; there are %s",
				name != NULL ? name : "", event_kind_names(known, sizeof(known)));
		*kinds |= 1u << kind;
	}
	if (*kinds == 0)
		*kinds = MONITOR_ALL;
	return 0;
}

/** Build the answer: the names of the kinds. */
static json_t *
monitor_answer(unsigned kinds)
{
	json_t *list = json_array();

	for (unsigned kind = 0; kind < EVENT_KINDS; kind++)
		if ((kinds >> kind & 1) != 0)
			json_array_append_new(list, json_string(event_kinds[kind].name));
	return json_pack("{s:o}", "events", list);
}

/** Subscribe, and make the connection of the request a stream. @return the answer */
static json_t *
monitor_start(const struct methods_monitor *methods, unsigned kinds, struct err *err)
{
	struct monitor_client *monitor = calloc(1, sizeof(*monitor));

	if (monitor != NULL) {
		monitor->client = rpc_client(methods->rpc);
		monitor->subscriber =
			event_subscribe(methods->hub, kinds, monitor_on_ready, monitor);
	}
	if (monitor == NULL || monitor->subscriber == NULL) {
		err_set(err, ENOMEM, "no memory for a subscription");
		free(monitor);
		return NULL;
	}
	if (rpc_client_stream(
		    monitor->client, "event", monitor_next, monitor_on_closed, monitor, err) < 0) {
		monitor_on_closed(monitor);
		return NULL;
	}
	return monitor_answer(kinds);
}

/** RPC method monitor. */
static json_t *
monitor_call(void *arg, json_t *params, struct err *err)
{
	const struct methods_monitor *methods = arg;
	unsigned kinds = 0;

	if (monitor_parse(params, &kinds, err) < 0)
		return NULL;
	if (rpc_client(methods->rpc) == NULL) {
		err_set(err, EINVAL, "monitor needs a connection, and is no part of a batch");
		return NULL;
	}
	return monitor_start(methods, kinds, err);
}

const struct rpc_method methods_monitor[] = {
	{"monitor", monitor_call},
	{NULL, NULL},
};
