/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The metrics of a switch as one text: ports, queues, lcores, FDB, drops.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_METRICS_COLLECT_H
#define SHUNT_METRICS_COLLECT_H

#include "control/vswitch.h"
#include "metrics/text.h"

/**
 * Write all metrics.
 *
 * @param length receives the length of the text in bytes
 * @return text to be freed by free(); NULL when there is no memory
 */
char *metrics_collect(const struct vswitch *vswitch, enum metrics_style style, size_t *length);

#endif
