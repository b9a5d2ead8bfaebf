/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes captured frames to one or several files. */
#include "capture_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool
capture_file_is_stdout(const struct capture_file *file)
{
	return strcmp(file->path, "-") == 0;
}

/** Set err from errno. @return negative errno */
static int
capture_file_failed(const struct capture_file *file, struct err *err)
{
	int code = errno;

	return err_set(err, code, "cannot write to %.200s: %s",
		capture_file_is_stdout(file) ? "standard output" : file->open, strerror(code));
}

/** Set the path of the next file: FILE, FILE1, FILE2; with a limit of files FILE00, zero-padded. */
static int
capture_file_set_path(struct capture_file *file, struct err *err)
{
	int digits = snprintf(NULL, 0, "%u", file->files > 0 ? file->files - 1 : 0);
	int n;

	if (file->files > 0)
		n = snprintf(file->open, sizeof(file->open), "%s%0*u", file->path, digits,
			file->number % file->files);
	else if (file->number > 0)
		n = snprintf(file->open, sizeof(file->open), "%s%u", file->path, file->number);
	else
		n = snprintf(file->open, sizeof(file->open), "%s", file->path);
	return n < (int)sizeof(file->open)
		       ? 0
		       : err_set(err, ENAMETOOLONG, "the path of the file is too long");
}

/** Open the next file and write its beginning. @return 0; negative errno, reason in err */
static int
capture_file_next(struct capture_file *file, struct err *err)
{
	int code = capture_file_set_path(file, err);

	if (code < 0)
		return code;
	file->file = fopen(file->open, "we");
	if (file->file == NULL)
		return capture_file_failed(file, err);
	file->written = 0;
	pcapng_begin(file->file, &file->interface);
	return 0;
}

int
capture_file_open(struct capture_file *file, FILE *out, struct err *err)
{
	if (!capture_file_is_stdout(file))
		return capture_file_next(file, err);
	file->file = out;
	pcapng_begin(file->file, &file->interface);
	return 0;
}

int
capture_file_write(struct capture_file *file, const struct pcapng_frame *frame,
	const struct pcapng_statistics *statistics, struct err *err)
{
	if (file->limit > 0 && file->written >= file->limit) {
		int code = capture_file_close(file, statistics, err);
		file->number++;
		if (code == 0)
			code = capture_file_next(file, err);
		if (code < 0)
			return code;
	}
	file->written += pcapng_write(file->file, frame);
	return ferror(file->file) ? capture_file_failed(file, err) : 0;
}

int
capture_file_flush(struct capture_file *file, struct err *err)
{
	return fflush(file->file) == 0 ? 0 : capture_file_failed(file, err);
}

int
capture_file_close(
	struct capture_file *file, const struct pcapng_statistics *statistics, struct err *err)
{
	int code = 0;

	if (file->file == NULL)
		return 0;
	pcapng_end(file->file, statistics);
	if (fflush(file->file) != 0)
		code = capture_file_failed(file, err);
	/* Standard output is not closed here. */
	if (!capture_file_is_stdout(file) && fclose(file->file) != 0 && code == 0)
		code = capture_file_failed(file, err);
	file->file = NULL;
	return code;
}
