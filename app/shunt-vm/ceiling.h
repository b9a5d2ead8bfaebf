/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's ceiling: the rate of the same code with rings in this process whose back end only
 * returns the posted buffers. The result includes the cost of that back end and no cache misses
 * between cores.
 *
 * Thread safety: main thread only, before workers run.
 */
#ifndef SHUNT_VM_CEILING_H
#define SHUNT_VM_CEILING_H

#include "base/err.h"
#include "settings.h"

/**
 * Measure the rate of circulating frames or, for a mode that floods, of copies of one VM's frames
 * at all other VMs.
 *
 * @return frames received per second; 0 when the measurement failed
 */
double ceiling_measure(const struct settings *settings);

#endif
