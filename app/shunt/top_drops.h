/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drops and their rates: the rows of `drops`, compared with the previous sample.
 *
 * Thread safety: belongs to its caller; no shared state.
 */
#ifndef SHUNT_CLI_TOP_DROPS_H
#define SHUNT_CLI_TOP_DROPS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/** Drops of a port for one reason. */
struct drops_row {
	const char *port; /**< untrusted text from the switch, see text_clean() */
	const char *direction;
	const char *reason;
	const char *owner;
	uint64_t packets;
	double rate; /**< packets per second since the previous sample; 0 without one */
};

struct drops;

/** Create an object without a sample. @return NULL with errno set on failure */
struct drops *top_drops_new(void);

/**
 * Add a sample. Rows are sorted by rate, then by packets, in descending order.
 *
 * @param list result of `drops`
 * @param now in seconds of a monotonic clock
 * @return 0; -EPROTO (no list) or -ENOMEM with the rows unchanged
 */
int top_drops_update(struct drops *drops, json_t *list, double now);

/** Get the rows of the newest sample, valid until the next. @param n receives their number */
const struct drops_row *top_drops_rows(const struct drops *drops, size_t *n);

/** Release; NULL is ignored. */
void top_drops_free(struct drops *drops);

#endif
