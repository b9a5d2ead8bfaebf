/* SPDX-License-Identifier: BSD-3-Clause */
/* The hub: subscribers and their bounded queues. */
#include "event/hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

enum { EVENT_LOST_TEXT = 96 };

/** One event, shared by the queues that it is in. */
struct event_item {
	unsigned references;
	char *text;
};

struct event_subscriber {
	struct event_hub *hub;
	unsigned kinds;
	void (*ready)(void *arg);
	void *arg;
	struct event_item *queue[EVENT_QUEUE_MAX]; /**< a ring */
	unsigned first;                            /**< index of the oldest */
	unsigned n;
	uint64_t lost;              /**< after the newest in the queue, not reported yet */
	struct event_item *current; /**< the text that event_next() returned */
	LIST_ENTRY(event_subscriber) next;
};

struct event_hub {
	LIST_HEAD(event_subscribers, event_subscriber) subscribers;
	unsigned wanted; /**< kinds of all subscribers */
	void (*changed)(void *arg);
	void *arg;
};

int64_t
event_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/** Release a reference to an event. NULL is ignored. */
static void
event_item_release(struct event_item *item)
{
	if (item == NULL || --item->references > 0)
		return;
	free(item->text);
	free(item);
}

/** Create an event from a text, which it owns. @return a reference; NULL: no memory, text freed */
static struct event_item *
event_item_create(char *text)
{
	struct event_item *item = text != NULL ? malloc(sizeof(*item)) : NULL;

	if (item == NULL) {
		free(text);
		return NULL;
	}
	*item = (struct event_item){.references = 1, .text = text};
	return item;
}

/** Create an event that reports a loss. @return a reference; NULL: no memory */
static struct event_item *
event_item_create_lost(uint64_t lost)
{
	char *text = malloc(EVENT_LOST_TEXT);

	if (text != NULL)
		snprintf(text, EVENT_LOST_TEXT,
			"{\"event\":\"lost\",\"lost\":%" PRIu64 ",\"time_us\":%" PRId64 "}", lost,
			event_now_us());
	return event_item_create(text);
}

struct event_hub *
event_hub_create(void)
{
	struct event_hub *hub = calloc(1, sizeof(*hub));

	if (hub != NULL)
		LIST_INIT(&hub->subscribers);
	return hub;
}

void
event_hub_destroy(struct event_hub *hub)
{
	free(hub);
}

void
event_hub_set_callback(struct event_hub *hub, void (*changed)(void *arg), void *arg)
{
	hub->changed = changed;
	hub->arg = arg;
}

bool
event_hub_wants(const struct event_hub *hub, enum event_kind kind)
{
	return hub != NULL && (hub->wanted >> kind & 1) != 0;
}

/** Collect the kinds of all subscribers, and report a change of them to the callback. */
static void
hub_update_wanted(struct event_hub *hub)
{
	struct event_subscriber *subscriber;
	unsigned wanted = 0;

	LIST_FOREACH(subscriber, &hub->subscribers, next)
		wanted |= subscriber->kinds;
	bool changed = wanted != hub->wanted;
	hub->wanted = wanted;
	if (changed && hub->changed != NULL)
		hub->changed(hub->arg);
}

struct event_subscriber *
event_subscribe(struct event_hub *hub, unsigned kinds, void (*ready)(void *arg), void *arg)
{
	struct event_subscriber *subscriber = calloc(1, sizeof(*subscriber));

	if (subscriber == NULL)
		return NULL;
	subscriber->hub = hub;
	subscriber->kinds = kinds;
	subscriber->ready = ready;
	subscriber->arg = arg;
	LIST_INSERT_HEAD(&hub->subscribers, subscriber, next);
	hub_update_wanted(hub);
	return subscriber;
}

/** Take the oldest event out of a subscriber's queue, which is not empty. */
static struct event_item *
event_queue_pop(struct event_subscriber *subscriber)
{
	struct event_item *item = subscriber->queue[subscriber->first];

	subscriber->first = (subscriber->first + 1) % EVENT_QUEUE_MAX;
	subscriber->n--;
	return item;
}

/** Append an event to a subscriber's queue, which is not full. */
static void
event_queue_push(struct event_subscriber *subscriber, struct event_item *item)
{
	subscriber->queue[(subscriber->first + subscriber->n++) % EVENT_QUEUE_MAX] = item;
}

void
event_unsubscribe(struct event_subscriber *subscriber)
{
	if (subscriber == NULL)
		return;
	LIST_REMOVE(subscriber, next);
	hub_update_wanted(subscriber->hub);
	while (subscriber->n > 0)
		event_item_release(event_queue_pop(subscriber));
	event_item_release(subscriber->current);
	free(subscriber);
}

const char *
event_next(struct event_subscriber *subscriber)
{
	event_item_release(subscriber->current);
	subscriber->current = NULL;
	if (subscriber->n > 0) {
		subscriber->current = event_queue_pop(subscriber);
	} else if (subscriber->lost > 0) {
		subscriber->current = event_item_create_lost(subscriber->lost);
		if (subscriber->current != NULL)
			subscriber->lost = 0;
	}
	return subscriber->current != NULL ? subscriber->current->text : NULL;
}

/** Append an event, after the report of a loss; NULL, or without space, count it as lost. */
static void
event_queue_add(struct event_subscriber *subscriber, struct event_item *item)
{
	struct event_item *report = NULL;

	if (subscriber->lost > 0 && subscriber->n + 2 <= EVENT_QUEUE_MAX)
		report = event_item_create_lost(subscriber->lost);
	if (report != NULL) {
		event_queue_push(subscriber, report);
		subscriber->lost = 0;
	}
	if (item == NULL || subscriber->lost > 0 || subscriber->n == EVENT_QUEUE_MAX) {
		subscriber->lost++;
		return;
	}
	item->references++;
	event_queue_push(subscriber, item);
}

void
event_hub_send(struct event_hub *hub, enum event_kind kind, char *text)
{
	struct event_item *item = event_item_create(text);
	struct event_subscriber *subscriber;

	LIST_FOREACH(subscriber, &hub->subscribers, next) {
		if ((subscriber->kinds >> kind & 1) == 0)
			continue;
		event_queue_add(subscriber, item);
		subscriber->ready(subscriber->arg);
	}
	event_item_release(item);
}

void
event_hub_lose(struct event_hub *hub, enum event_kind kind, uint64_t lost)
{
	struct event_subscriber *subscriber;

	if (!event_hub_wants(hub, kind) || lost == 0)
		return;
	LIST_FOREACH(subscriber, &hub->subscribers, next) {
		if ((subscriber->kinds >> kind & 1) == 0)
			continue;
		subscriber->lost += lost;
		subscriber->ready(subscriber->arg);
	}
}
