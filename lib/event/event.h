/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events of the switch as a stream: the control thread publishes them to a hub, subscribers read
 * them. Each subscriber has a bounded queue. An event that does not fit is dropped for that
 * subscriber alone and counted; at this point of the stream the subscriber gets the number of lost
 * events.
 *
 * An event is text, one JSON object, made once for all subscribers and only if there are any:
 * "event" (the kind), "action", "time_us" (microseconds since 1970), and what each function below
 * adds. The object for lost events is {"event": "lost", "lost": N, "time_us": T}.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_EVENT_EVENT_H
#define SHUNT_EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "event/kinds.h"

struct event_hub;
struct event_subscriber;

enum { EVENT_QUEUE_MAX = 1024 }; /**< events that wait for one subscriber */

/** The action of an event; in its JSON the same word in lower case. */
enum event_action {
	EVENT_ADDED,
	EVENT_CHANGED,
	EVENT_DELETED,
	EVENT_UP,
	EVENT_DOWN,
	EVENT_CONNECTED,
	EVENT_DISCONNECTED,
	EVENT_LEARNED,
	EVENT_MOVED,
	EVENT_AGED,
	EVENT_EVICTED,
	EVENT_FLUSHED,
	EVENT_BALANCED,
	EVENT_APPLIED,
	EVENT_RELOADED,
	EVENT_SAVED,
	EVENT_FAILED,
};

/** Create a hub without subscribers. @return NULL when there is no memory */
struct event_hub *event_hub_create(void);

/** Free a hub whose subscribers have ended. NULL is ignored. */
void event_hub_destroy(struct event_hub *hub);

/**
 * Set a callback for changes of event_hub_wants(), so that costly sources run only while
 * subscribed.
 *
 * @param changed called after the change; NULL = no longer
 * @param arg passed to `changed`
 */
void event_hub_set_callback(struct event_hub *hub, void (*changed)(void *arg), void *arg);

/**
 * Whether there is a subscriber of a kind.
 *
 * @param hub NULL: there is none
 * @param kind of event
 * @return true if there is one
 */
bool event_hub_wants(const struct event_hub *hub, enum event_kind kind);

/**
 * Count events that their source lost, for all subscribers of their kind.
 *
 * @param hub NULL is ignored
 * @param kind of these events
 * @param lost their number
 */
void event_hub_lose(struct event_hub *hub, enum event_kind kind, uint64_t lost);

/* Subscribers --------------------------------------------------------------------------------- */

/**
 * Subscribe to kinds of events.
 *
 * @param kinds a bit, 1 << enum event_kind, for each kind
 * @param ready called when event_next() has something; must not end any subscription
 * @param arg passed to `ready`
 * @return owned by the caller; NULL when there is no memory
 */
struct event_subscriber *event_subscribe(
	struct event_hub *hub, unsigned kinds, void (*ready)(void *arg), void *arg);

/** End a subscription and free it. NULL is ignored. */
void event_unsubscribe(struct event_subscriber *subscriber);

/** Take the oldest event. @return text, valid until the next call; NULL if there is none */
const char *event_next(struct event_subscriber *subscriber);

/* Publishing. Texts are copied. Nothing happens for hub NULL or without a subscriber. ----------- */

/**
 * Publish that a port was added, changed or deleted: "port", "type".
 *
 * @param action EVENT_ADDED, EVENT_CHANGED or EVENT_DELETED
 * @param port name
 * @param type of the port
 */
void event_port(
	struct event_hub *hub, enum event_action action, const char *port, const char *type);

/**
 * Publish that the link of a port went up or down: "port".
 *
 * @param port name
 * @param up EVENT_UP, else EVENT_DOWN
 */
void event_link(struct event_hub *hub, const char *port, bool up);

/**
 * Publish that a front end connected to a port or disconnected: "port".
 *
 * @param port name
 * @param connected EVENT_CONNECTED, else EVENT_DISCONNECTED
 */
void event_front_end(struct event_hub *hub, const char *port, bool connected);

/** A change of the FDB. */
struct event_fdb {
	enum event_action action;
	uint64_t mac;     /**< as of base/mac.h; not of EVENT_FLUSHED */
	int vlan;         /**< -1, of EVENT_FLUSHED: all */
	const char *port; /**< NULL, of EVENT_FLUSHED: all */
	const char *from; /**< EVENT_MOVED: the port where it was */
	bool statics;     /**< EVENT_FLUSHED: static entries, too */
};

/**
 * Publish a change of the FDB.
 *
 * EVENT_LEARNED, EVENT_MOVED, EVENT_AGED, EVENT_EVICTED, EVENT_ADDED, EVENT_DELETED: "mac", "vlan",
 * "port", of EVENT_MOVED "from". EVENT_FLUSHED: "port" and "vlan" unless all, and "type", "dynamic"
 * or "all".
 */
void event_fdb(struct event_hub *hub, const struct event_fdb *change);

/**
 * Publish that a CPU polls or polls no more: "lcore".
 *
 * @param action EVENT_ADDED or EVENT_DELETED
 * @param cpu its number
 */
void event_lcore(struct event_hub *hub, enum event_action action, unsigned cpu);

/**
 * Publish EVENT_BALANCED: "moved".
 *
 * @param moved number of rx queues that changed their lcore
 */
void event_balanced(struct event_hub *hub, unsigned moved);

/**
 * Publish that a configuration file was applied, reloaded or saved, or a failure: "file", "reason".
 *
 * @param action EVENT_APPLIED, EVENT_RELOADED, EVENT_SAVED or EVENT_FAILED
 * @param file path; left out if it is not UTF-8
 * @param reason NULL if there is none
 */
void event_config(
	struct event_hub *hub, enum event_action action, const char *file, const char *reason);

#endif
