/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Find the end of a JSON document in a byte stream. Requests follow one another with or without
 * white space between them.
 *
 * Thread safety: no shared state; a struct rpc_frame belongs to its caller.
 */
#ifndef SHUNT_CONTROL_RPC_FRAME_H
#define SHUNT_CONTROL_RPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** State of the scan of one document. All zero at the start of each document. */
struct rpc_frame {
	size_t scanned; /**< bytes scanned */
	size_t depth;   /**< open objects and arrays */
	bool in_string;
	bool escaped;
};

/**
 * Scan the bytes received since the last call. Bytes already scanned are not read again.
 *
 * @param data from the start of the document, leading white space included
 * @param length bytes at `data`, those already scanned included
 * @return length of the document, leading white space included, once it is complete; 0 when more
 *         bytes are needed; -EINVAL when it is not a JSON object or array
 */
ssize_t rpc_frame_scan(struct rpc_frame *frame, const char *data, size_t length);

#endif
