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
 * Open a regular file for reading. Pipes and devices, which could block the caller, are refused.
 *
 * @param path not NULL
 * @return the stream, which the caller closes; NULL with errno set: EINVAL when it is not a regular
 *         file, else as open(), fstat() and fdopen() set it
 */
FILE *file_open_regular(const char *path);

#endif
