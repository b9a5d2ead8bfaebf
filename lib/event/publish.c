/* SPDX-License-Identifier: BSD-3-Clause */
/* Publishing: events of each kind as JSON. */
#include <jansson.h>

#include "base/mac.h"
#include "event/hub.h"

static const char *const action_words[] = {
	[EVENT_ADDED] = "added",
	[EVENT_CHANGED] = "changed",
	[EVENT_DELETED] = "deleted",
	[EVENT_UP] = "up",
	[EVENT_DOWN] = "down",
	[EVENT_CONNECTED] = "connected",
	[EVENT_DISCONNECTED] = "disconnected",
	[EVENT_LEARNED] = "learned",
	[EVENT_MOVED] = "moved",
	[EVENT_AGED] = "aged",
	[EVENT_EVICTED] = "evicted",
	[EVENT_FLUSHED] = "flushed",
	[EVENT_BALANCED] = "balanced",
	[EVENT_APPLIED] = "applied",
	[EVENT_RELOADED] = "reloaded",
	[EVENT_SAVED] = "saved",
	[EVENT_FAILED] = "failed",
};

/** Publish an event. @param nouns members besides kind, action and time; released */
static void
publish_event(struct event_hub *hub, enum event_kind kind, enum event_action action, json_t *nouns)
{
	json_t *event = json_pack("{s:s, s:s, s:I}", "event", event_kinds[kind].name, "action",
		action_words[action], "time_us", (json_int_t)event_now_us());
	char *text = NULL;

	/* Without memory one of them is NULL, and the event counts as lost. */
	if (json_object_update(event, nouns) == 0)
		text = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	json_decref(nouns);
	event_hub_send(hub, kind, text);
}

void
event_port(struct event_hub *hub, enum event_action action, const char *port, const char *type)
{
	if (event_hub_wants(hub, EVENT_KIND_PORT))
		publish_event(hub, EVENT_KIND_PORT, action,
			json_pack("{s:s, s:s}", "port", port, "type", type));
}

void
event_link(struct event_hub *hub, const char *port, bool up)
{
	if (event_hub_wants(hub, EVENT_KIND_LINK))
		publish_event(hub, EVENT_KIND_LINK, up ? EVENT_UP : EVENT_DOWN,
			json_pack("{s:s}", "port", port));
}

void
event_front_end(struct event_hub *hub, const char *port, bool connected)
{
	if (event_hub_wants(hub, EVENT_KIND_FRONT_END))
		publish_event(hub, EVENT_KIND_FRONT_END,
			connected ? EVENT_CONNECTED : EVENT_DISCONNECTED,
			json_pack("{s:s}", "port", port));
}

/** Build the members of EVENT_FLUSHED. */
static json_t *
publish_fdb_flush(const struct event_fdb *change)
{
	json_t *nouns = json_pack("{s:s}", "type", change->statics ? "all" : "dynamic");

	if (change->port != NULL)
		json_object_set_new(nouns, "port", json_string(change->port));
	if (change->vlan >= 0)
		json_object_set_new(nouns, "vlan", json_integer(change->vlan));
	return nouns;
}

/** Build the members of an event of one FDB entry. */
static json_t *
publish_fdb_entry(const struct event_fdb *change)
{
	char mac[MAC_TEXT_MAX];
	json_t *nouns = json_pack("{s:s, s:i, s:s}", "mac", mac_format(change->mac, mac), "vlan",
		change->vlan, "port", change->port);

	if (change->action == EVENT_MOVED)
		json_object_set_new(nouns, "from", json_string(change->from));
	return nouns;
}

void
event_fdb(struct event_hub *hub, const struct event_fdb *change)
{
	if (event_hub_wants(hub, EVENT_KIND_FDB))
		publish_event(hub, EVENT_KIND_FDB, change->action,
			change->action == EVENT_FLUSHED ? publish_fdb_flush(change)
							: publish_fdb_entry(change));
}

void
event_lcore(struct event_hub *hub, enum event_action action, unsigned cpu)
{
	if (event_hub_wants(hub, EVENT_KIND_LCORE))
		publish_event(hub, EVENT_KIND_LCORE, action, json_pack("{s:i}", "lcore", (int)cpu));
}

void
event_balanced(struct event_hub *hub, unsigned moved)
{
	if (event_hub_wants(hub, EVENT_KIND_LCORE))
		publish_event(hub, EVENT_KIND_LCORE, EVENT_BALANCED,
			json_pack("{s:i}", "moved", (int)moved));
}

void
event_config(struct event_hub *hub, enum event_action action, const char *file, const char *reason)
{
	if (!event_hub_wants(hub, EVENT_KIND_CONFIG))
		return;
	json_t *nouns = json_object();
	/* JSON cannot represent text that is not UTF-8: the event is published without it. */
	json_object_set_new(nouns, "file", json_string(file));
	if (reason != NULL)
		json_object_set_new(nouns, "reason", json_string(reason));
	publish_event(hub, EVENT_KIND_CONFIG, action, nouns);
}
