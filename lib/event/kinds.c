/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of event kinds. */
#include "event/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct event_kind_row event_kinds[EVENT_KINDS + 1] = {
	[EVENT_KIND_PORT] = {"port", "ports added, changed and deleted"},
	[EVENT_KIND_LINK] = {"link", "links of ports that go up and down"},
	[EVENT_KIND_FRONT_END] = {"front-end", "front ends of VMs that connect and disconnect"},
	[EVENT_KIND_FDB] = {"fdb",
		"addresses of the filtering table learned, moved, aged out, evicted, "
		"added, deleted and flushed"},
	[EVENT_KIND_LCORE] = {"lcore", "polling lcores added and deleted, and queues balanced"},
	[EVENT_KIND_CONFIG] = {"config", "configuration files applied, reloaded and saved"},
};

int
event_kind_find(const char *name)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		if (strcmp(event_kinds[kind].name, name) == 0)
			return kind;
	return -ENOENT;
}

char *
event_kind_names(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int kind = 0; kind < EVENT_KINDS && used < size; kind++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", kind > 0 ? ", " : "",
			event_kinds[kind].name);
	return text;
}
