/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of features. */
#include "datapath/feature_table.h"

const struct feature features[] = {
	{"police", police_compile},
	{"vlan", vlan_compile},
	{"snooping", snoop_compile},
	{"mirror", mirror_compile},
	/* Last of the stages: records what leaves. */
	{"capture", capture_compile},
	{"shape", shape_compile},
	{0},
};
