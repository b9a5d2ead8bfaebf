/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The source of captured frames: a capture requested from the switch, and its rings. Records of all
 * rings are delivered in order of time.
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
 * Start a capture in the switch.
 *
 * @param params of the request
 * @return the source; NULL with errno set and the reason in err
 */
struct capture_source *capture_source_open(
	const char *socket, const json_t *params, struct err *err);

/** End the capture and release the source; NULL is ignored. */
void capture_source_close(struct capture_source *source);

/** @return the connection; the capture ends with it */
struct rpc *capture_source_rpc(struct capture_source *source);

/**
 * Check the rings for new records. With several rings, records younger than some milliseconds are
 * delayed, since another ring may still deliver older ones.
 *
 * @param all no record is delayed
 * @return 0; -EPROTO with the reason in err
 */
int capture_source_look(struct capture_source *source, bool all, struct err *err);

/**
 * Get the next record found by capture_source_look().
 *
 * @param record receives the metadata of the frame
 * @return the frame, valid until capture_source_done(); NULL if there is none, or with -EPROTO in
 *         err->code and the reason if a ring is invalid
 */
const uint8_t *capture_source_next(
	struct capture_source *source, struct capture_record *record, struct err *err);

/** Release the record that capture_source_next() returned. */
void capture_source_done(struct capture_source *source);

/** @return frames lost so far because a ring was full */
uint64_t capture_source_lost(const struct capture_source *source);

/** @return the name of a drop reason; NULL: the frame was not dropped */
const char *capture_source_reason(const struct capture_source *source, uint16_t reason);

#endif
