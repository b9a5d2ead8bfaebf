/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that a user names.
 *
 * Thread safety: any thread.
 */
#ifndef SHUNT_BASE_FILE_H
#define SHUNT_BASE_FILE_H

#include <stdio.h>

/**
 * Open a regular file for reading. A pipe or a device could keep the caller waiting.
 *
 * @return the stream, which the caller closes; NULL with errno set: EINVAL when it is not a regular
 *         file, else as open() and fdopen() have it
 */
FILE *file_open_regular(const char *path);

#endif
