/* SPDX-License-Identifier: BSD-3-Clause */
/* The result of the command trace as text. */
#include "show.h"

#include <errno.h>
#include <inttypes.h>

/** Print a step of a frame, and why it was taken. */
static void
show_trace_step(const struct show *show, const json_t *step)
{
	fprintf(show->file, "  %-7s ", show_string(step, "step"));
	show_text(show, show_string(step, "why"));
	fputc('\n', show->file);
}

int
show_trace(const struct show *show, const json_t *result)
{
	const json_t *frame, *step;
	size_t i, j;

	if (!json_is_array(result))
		return -EPROTO;
	json_array_foreach(result, i, frame) {
		const json_t *reason = json_object_get(frame, "reason");
		fprintf(show->file, "%sframe %zu: %s%s%s\n", i > 0 ? "\n" : "", i + 1,
			show_string(frame, "verdict"), reason != NULL ? ", " : "",
			reason != NULL ? show_string(frame, "reason") : "");
		json_array_foreach(json_object_get(frame, "steps"), j, step)
			show_trace_step(show, step);
	}
	return 0;
}
