/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of the features' keys. Needs no DPDK: the command line links it too. */
#include "port/keys.h"

#define SECTION(name) extern const struct port_section name##_section;
#include "section_list.h"
#undef SECTION

#define SECTION(name) &name##_section,
const struct port_section *const port_sections[] = {
#include "section_list.h"
	NULL};
