/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Versions of QEMU, on which it depends what its command line takes.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_BASE_QEMU_VERSION_H
#define SHUNT_BASE_QEMU_VERSION_H

#include "base/err.h"

/** Versions as numbers that compare as versions do. */
#define QEMU_VERSION(major, minor) ((unsigned)(major)*1000U + (unsigned)(minor))

#define QEMU_MAJOR(version) ((version) / 1000U)
#define QEMU_MINOR(version) ((version) % 1000U)

#define QEMU_UNKNOWN 0U
#define QEMU_OLDEST  QEMU_VERSION(7, 2) /* of Debian 12; older ones are not tested */

/**
 * Read a version as a user writes it: "10.0" or "11.1.2", QEMU_OLDEST or newer.
 *
 * @param version receives it, of major and minor number; unchanged when refused
 * @return 0; -EINVAL with the reason in err
 */
int qemu_version_parse(const char *text, unsigned *version, struct err *err);

/**
 * Find the version in what `qemu-system-x86_64 --version` prints, however old it is.
 *
 * @return QEMU_UNKNOWN where there is none
 */
unsigned qemu_version_find(const char *printed);

#endif
