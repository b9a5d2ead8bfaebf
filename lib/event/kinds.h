/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one table of event kinds. The switch reads requests by it; the command line prints help, the
 * manual page and completion from it. Does not depend on DPDK, since the command line links it.
 *
 * Thread safety: a constant table.
 */
#ifndef SHUNT_EVENT_KINDS_H
#define SHUNT_EVENT_KINDS_H

#include <stddef.h>

/** Kinds of events. */
enum event_kind {
	EVENT_KIND_PORT,
	EVENT_KIND_LINK,
	EVENT_KIND_FRONT_END,
	EVENT_KIND_FDB,
	EVENT_KIND_LCORE,
	EVENT_KIND_CONFIG,
	EVENT_KINDS, /**< number of kinds */
};

/** A row of the table. */
struct event_kind_row {
	const char *name; /**< as in requests, events and on the command line */
	const char *help;
};

/** By enum event_kind; ends with a NULL name. */
extern const struct event_kind_row event_kinds[EVENT_KINDS + 1];

/**
 * Find a kind by its name.
 *
 * @param name as in the table
 * @return enum event_kind; -ENOENT if there is none
 */
int event_kind_find(const char *name);

/**
 * Write the names of all kinds: "port, link, ...".
 *
 * @param text receives them, shortened if need be
 * @param size of text in bytes, at least 1
 * @return text
 */
char *event_kind_names(char *text, size_t size);

#endif
