/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a JSON document ends in a stream of bytes. Requests follow one another with or without
 * white space in between.
 *
 * Thread safety: a scanner belongs to its caller.
 */
#ifndef SHUNT_CONTROL_RPC_FRAME_H
#define SHUNT_CONTROL_RPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Zero it for each document. */
struct rpc_frame {
	size_t scanned; /**< bytes looked at */
	size_t depth;   /**< open objects and arrays */
	bool in_string;
	bool escaped;
};

/**
 * Look at the bytes that came in since the last call.
 *
 * @param data from the start of the document, leading white space included
 * @param length of all there is
 * @return length of the document once it is whole; 0 while more is needed; -EINVAL when this is
 *         no JSON object or array
 */
ssize_t rpc_frame_scan(struct rpc_frame *frame, const char *data, size_t length);

#endif
