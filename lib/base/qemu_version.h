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

/** The major number of a QEMU_VERSION(). */
#define QEMU_MAJOR(version) ((version) / 1000U)
/** The minor number of a QEMU_VERSION(). */
#define QEMU_MINOR(version) ((version) % 1000U)

/** No version is known. */
#define QEMU_UNKNOWN 0U
/** The oldest version that is tested, that of Debian 12. */
#define QEMU_OLDEST QEMU_VERSION(7, 2)

/**
 * Parse a version that a user gives: "10.0" or "11.1.2", QEMU_OLDEST or newer.
 *
 * @param text untrusted
 * @param version receives major and minor number; unchanged on failure
 * @return 0; -EINVAL with the reason in err
 */
int qemu_version_parse(const char *text, unsigned *version, struct err *err);

/**
 * Find the version, of any age, in the output of `qemu-system-x86_64 --version`.
 *
 * @param printed output of the program; untrusted
 * @return it; QEMU_UNKNOWN if there is none
 */
unsigned qemu_version_find(const char *printed);

#endif
