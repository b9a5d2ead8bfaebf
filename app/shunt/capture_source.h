/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where captured frames come from: a capture that the switch was asked for, and its rings, of which
 * records are taken in the order of their time.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_CAPTURE_SOURCE_H
#define SHUNT_CLI_CAPTURE_SOURCE_H

#include <jansson.h>

#include "base/err.h"
#include "capture/ring.h"
#include "rpc.h"

struct capture_source;

/**
 * Have the switch begin.
 *
 * @param params of the request
 * @return NULL with errno set and the reason in err
 */
struct capture_source *capture_source_open(
	const char *socket, const json_t *params, struct err *err);

/** NULL is ignored. */
void capture_source_close(struct capture_source *source);

/** The connection: the capture lasts as long. */
struct rpc *capture_source_rpc(struct capture_source *source);

/**
 * See what has come. Records that are younger than some milliseconds wait where there are several
 * rings, for older ones may still come by another ring.
 *
 * @param all they wait no more
 * @return 0; -EPROTO with the reason
 */
int capture_source_look(struct capture_source *source, bool all, struct err *err);

/**
 * The next record of those seen.
 *
 * @param record receives what is known of the frame
 * @return its bytes, good until capture_source_done(); NULL: none; -EPROTO in err->code, with the
 *         reason, where the rings make no sense
 */
const uint8_t *capture_source_next(
	struct capture_source *source, struct capture_record *record, struct err *err);

/** Done with what capture_source_next() gave. */
void capture_source_done(struct capture_source *source);

/** Frames lost so far: there was no space for them. */
uint64_t capture_source_lost(const struct capture_source *source);

/** The word for a drop reason; NULL: the frame was not dropped. */
const char *capture_source_reason(const struct capture_source *source, uint16_t reason);

#endif
