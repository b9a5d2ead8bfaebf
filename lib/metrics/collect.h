/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a switch has to say in metrics: ports, queues, lcores, the filtering table, drops.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_METRICS_COLLECT_H
#define SHUNT_METRICS_COLLECT_H

#include "control/vswitch.h"
#include "metrics/text.h"

/** @return text to free(), with its length; NULL when there is no memory */
char *metrics_collect(const struct vswitch *vswitch, enum metrics_style style, size_t *length);

#endif
