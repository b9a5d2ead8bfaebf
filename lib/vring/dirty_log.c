/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports written ranges of guest memory by guest-physical address. */
#include "vring/dirty_log.h"

#include "vring/memory.h"

void
dirty_log_mark_hva(
	struct dirty_log *log, const struct memory *memory, const void *hva, size_t length)
{
	uint64_t gpa;

	if (length > 0 && memory_gpa(memory, hva, &gpa))
		log->mark(log, gpa, (uint32_t)length);
}
