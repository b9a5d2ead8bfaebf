/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drops and how fast they grow: the rows of `drops`, compared with the sample before.
 *
 * Thread safety: belongs to its caller; no shared state.
 */
#ifndef SHUNT_CLI_TOP_DROPS_H
#define SHUNT_CLI_TOP_DROPS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/** Drops at a port for a reason. */
struct drops_row {
	const char *port; /**< text from the switch: clean it before showing it */
	const char *direction;
	const char *reason;
	const char *owner;
	uint64_t packets;
	double rate; /**< per second since the sample before; 0 without one */
};

struct drops;

/** Make one without a sample. @return NULL with errno set */
struct drops *drops_new(void);

/**
 * Take a sample; the rows that grow fastest come first, then those with the most packets.
 *
 * @param list result of `drops`
 * @param now seconds of a clock that does not jump
 * @return 0, or -EPROTO (no list) or -ENOMEM with the rows as they were
 */
int drops_update(struct drops *drops, json_t *list, double now);

/** The rows of the newest sample; valid until the next one. @param n receives how many */
const struct drops_row *drops_rows(const struct drops *drops, size_t *n);

/** Release; NULL is ignored. */
void drops_free(struct drops *drops);

#endif
