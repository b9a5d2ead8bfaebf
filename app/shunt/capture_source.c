/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests a capture from the switch and reads its rings. */
#include "capture_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tsc.h"
#include "text.h"

enum { SOURCE_RINGS_MAX = 64, SOURCE_WAIT_MS = 2 };

struct capture_source {
	struct rpc *rpc;
	json_t *answer; /**< to the request; holds the names of drop reasons */
	uint8_t *memory;
	size_t bytes;
	unsigned n;
	uint64_t until; /**< TSC; records up to it may be taken */
	struct capture_reader ring[SOURCE_RINGS_MAX];
	/** The oldest record of each ring, if read already. */
	struct capture_record first[SOURCE_RINGS_MAX];
	const uint8_t *frame[SOURCE_RINGS_MAX];
	unsigned taken; /**< ring of the last record returned */
};

/** @return a number of the answer; 0 = not given */
static json_int_t
capture_source_number(const struct capture_source *source, const char *name)
{
	return json_integer_value(json_object_get(source->answer, name));
}

/** Map the rings. Fails if the answer does not match the file descriptor received with it. */
static int
capture_source_map(struct capture_source *source, struct err *err)
{
	json_int_t rings = capture_source_number(source, "rings"),
		   size = capture_source_number(source, "ring_size");
	int fd = rpc_take_fd(source->rpc);
	struct stat status;

	if (fd < 0 || rings < 1 || rings > SOURCE_RINGS_MAX || size < CAPTURE_RING_MIN ||
		size > CAPTURE_RING_MAX || (size & (size - 1)) != 0 || fstat(fd, &status) != 0 ||
		status.st_size != (off_t)(rings * capture_ring_bytes((size_t)size))) {
		if (fd >= 0)
			close(fd);
		return err_set(err, EPROTO, "the switch returned no readable rings");
	}
	source->bytes = (size_t)status.st_size;
	source->memory = mmap(NULL, source->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int code = errno;
	close(fd);
	if (source->memory == MAP_FAILED) {
		source->memory = NULL;
		return err_set(err, code, "cannot map the rings: %s", strerror(code));
	}
	source->n = (unsigned)rings;
	for (unsigned i = 0; i < source->n; i++)
		capture_reader_init(&source->ring[i],
			source->memory + i * capture_ring_bytes((size_t)size), (size_t)size);
	return 0;
}

struct capture_source *
capture_source_open(const char *socket, const json_t *params, struct err *err)
{
	struct capture_source *source = calloc(1, sizeof(*source));
	int code;

	if (source == NULL) {
		err_set(err, ENOMEM, "%s", strerror(ENOMEM));
		errno = ENOMEM;
		return NULL;
	}
	source->rpc = rpc_open(socket, NULL, err);
	code = source->rpc == NULL ? -ENOENT : 0;
	if (code == 0)
		code = rpc_call(source->rpc, "capture", params, &source->answer, err);
	if (code == 0)
		code = capture_source_map(source, err);
	if (code == 0)
		return source;
	capture_source_close(source);
	errno = -code;
	return NULL;
}

void
capture_source_close(struct capture_source *source)
{
	if (source == NULL)
		return;
	if (source->memory != NULL)
		munmap(source->memory, source->bytes);
	json_decref(source->answer);
	rpc_close(source->rpc);
	free(source);
}

struct rpc *
capture_source_rpc(struct capture_source *source)
{
	return source->rpc;
}

/** Set err for invalid rings. @return -EPROTO */
static int
capture_source_invalid(struct err *err)
{
	return err_set(err, EPROTO, "the switch's rings are invalid");
}

int
capture_source_look(struct capture_source *source, bool all, struct err *err)
{
	source->until =
		all || source->n == 1 ? UINT64_MAX : tsc_now() - tsc_hz() / 1000 * SOURCE_WAIT_MS;
	for (unsigned i = 0; i < source->n; i++)
		if (!capture_reader_look(&source->ring[i]))
			return capture_source_invalid(err);
	return 0;
}

const uint8_t *
capture_source_next(struct capture_source *source, struct capture_record *record, struct err *err)
{
	unsigned oldest = source->n;

	for (unsigned i = 0; i < source->n; i++) {
		struct capture_record *first = &source->first[i];
		if (source->frame[i] == NULL) {
			source->frame[i] = capture_reader_next(&source->ring[i], first);
			if (source->frame[i] == NULL && first->size == 0) {
				capture_source_invalid(err);
				return NULL;
			}
		}
		if (source->frame[i] != NULL && first->tsc <= source->until &&
			(oldest == source->n || first->tsc < source->first[oldest].tsc))
			oldest = i;
	}
	if (oldest == source->n)
		return NULL;
	source->taken = oldest;
	*record = source->first[oldest];
	return source->frame[oldest];
}

void
capture_source_done(struct capture_source *source)
{
	capture_reader_done(&source->ring[source->taken], &source->first[source->taken]);
	source->frame[source->taken] = NULL;
}

uint64_t
capture_source_lost(const struct capture_source *source)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < source->n; i++)
		lost += capture_reader_lost(&source->ring[i]);
	return lost;
}

const char *
capture_source_reason(const struct capture_source *source, uint16_t reason)
{
	const json_t *words = json_object_get(source->answer, "reasons");
	const char *word = json_string_value(json_array_get(words, reason));

	if (reason == CAPTURE_KEPT)
		return NULL;
	return word != NULL ? word : "for an unknown reason";
}
