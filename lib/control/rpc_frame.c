/* SPDX-License-Identifier: BSD-3-Clause */
/* Scan a byte stream for the end of a JSON document. */
#include "control/rpc_frame.h"

#include <errno.h>
#include <string.h>

/** Advance the state of the scanner by a byte within a string. */
static void
frame_in_string(struct rpc_frame *frame, char c)
{
	if (frame->escaped)
		frame->escaped = false;
	else if (c == '\\')
		frame->escaped = true;
	else if (c == '"')
		frame->in_string = false;
}

ssize_t
rpc_frame_scan(struct rpc_frame *frame, const char *data, size_t length)
{
	while (frame->scanned < length) {
		char c = data[frame->scanned++];

		if (frame->in_string) {
			frame_in_string(frame, c);
		} else if (c == '{' || c == '[') {
			frame->depth++;
		} else if (frame->depth == 0) {
			if (c == '\0' || strchr(" \t\r\n", c) == NULL)
				return -EINVAL;
		} else if (c == '"') {
			frame->in_string = true;
		} else if ((c == '}' || c == ']') && --frame->depth == 0) {
			return (ssize_t)frame->scanned;
		}
	}
	return 0;
}
