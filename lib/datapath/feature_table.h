/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The compile functions of the features, each in the file of its name.
 *
 * Thread safety: control thread; see struct feature.
 */
#ifndef SHUNT_DATAPATH_FEATURE_TABLE_H
#define SHUNT_DATAPATH_FEATURE_TABLE_H

#include <errno.h>

#include "datapath/feature.h"

/* clang-format off: a row each */
int police_compile(const struct feature_input *input, struct feature_stages *stages);
int vlan_compile(const struct feature_input *input, struct feature_stages *stages);
int snoop_compile(const struct feature_input *input, struct feature_stages *stages);
int mirror_compile(const struct feature_input *input, struct feature_stages *stages);
int capture_compile(const struct feature_input *input, struct feature_stages *stages);
int shape_compile(const struct feature_input *input, struct feature_stages *stages);
/* clang-format on */

#endif
