/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the generator could do at most: the same code against rings in this process whose other side
 * does nothing but return what was posted. What is found includes the cost of that other side and
 * no cache misses between cores.
 *
 * Thread safety: on the main thread, before workers run.
 */
#ifndef SHUNT_VM_CEILING_H
#define SHUNT_VM_CEILING_H

#include "base/err.h"
#include "settings.h"

/**
 * Measure: frames that circle, or with a mode that floods, copies of one VM's at all others.
 *
 * @return frames received a second; 0 when it could not be measured
 */
double ceiling_measure(const struct settings *settings);

#endif
