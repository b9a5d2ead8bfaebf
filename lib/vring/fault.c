/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of each fault of a ring. */
#include "vring/fault.h"

const char *
virtq_fault_text(enum virtq_fault fault)
{
	static const char *const texts[] = {
#define VIRTQ_FAULT_TEXT(constant, text) [constant] = text,
		VIRTQ_FAULTS(VIRTQ_FAULT_TEXT)
#undef VIRTQ_FAULT_TEXT
	};

	return texts[fault];
}
