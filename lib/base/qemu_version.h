/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Versions of QEMU; options of its command line depend on them.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_BASE_QEMU_VERSION_H
#define SHUNT_BASE_QEMU_VERSION_H

#include "base/err.h"

/** A version as a number; numbers compare as the versions do. */
#define QEMU_VERSION(major, minor) ((unsigned)(major)*1000U + (unsigned)(minor))

#define QEMU_MAJOR(version) ((version) / 1000U)
#define QEMU_MINOR(version) ((version) % 1000U)

#define QEMU_UNKNOWN 0U
#define QEMU_OLDEST  QEMU_VERSION(7, 2) /* of Debian 12; older ones are not tested */

/**
 * Parse a version that a user gives: "10.0" or "11.1.2", QEMU_OLDEST or newer.
 *
 * @param version receives major and minor number; unchanged on failure
 * @return 0; -EINVAL with the reason in err
 */
int qemu_version_parse(const char *text, unsigned *version, struct err *err);

/**
 * Find the version, of any age, in the output of `qemu-system-x86_64 --version`.
 *
 * @return it; QEMU_UNKNOWN if there is none
 */
unsigned qemu_version_find(const char *printed);

#endif
