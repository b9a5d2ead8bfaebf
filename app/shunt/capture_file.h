/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a capture: one, or several of limited size, named as tcpdump does.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_CAPTURE_FILE_H
#define SHUNT_CLI_CAPTURE_FILE_H

#include <limits.h>

#include "base/err.h"
#include "pcapng.h"

struct capture_file {
	FILE *file; /**< NULL: none is open */
	const char *path;
	uint64_t limit; /**< bytes of one file; 0: unlimited */
	unsigned files; /**< number of files, with a size limit; 0: unlimited */
	struct pcapng_interface interface;
	unsigned number;     /**< of the open file, from 0 */
	uint64_t written;    /**< bytes written to it */
	char open[PATH_MAX]; /**< its path */
};

/**
 * Open the first file.
 *
 * @param out standard output, for the path "-"
 * @return 0; negative errno with the reason
 */
int capture_file_open(struct capture_file *file, FILE *out, struct err *err);

/** Write a frame, to the next file if this one is full. @return 0; negative errno, reason in err */
int capture_file_write(struct capture_file *file, const struct pcapng_frame *frame,
	const struct pcapng_statistics *statistics, struct err *err);

/** Flush buffered frames to the file. @return 0; negative errno with the reason in err */
int capture_file_flush(struct capture_file *file, struct err *err);

/** Write the statistics and close the file. @return 0; negative errno with the reason in err */
int capture_file_close(
	struct capture_file *file, const struct pcapng_statistics *statistics, struct err *err);

#endif
