/* SPDX-License-Identifier: BSD-3-Clause */
/* Creates captures, and records frames in the ring of each polling lcore. */
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** State of one polling lcore. */
struct capture_lcore {
	_Alignas(64) struct capture_ring ring;
	uint8_t *scratch; /**< for filtering frames without space in the ring */
	bool deferred;    /**< records are not published now */
	struct capture_record *pending[CAPTURE_BOTH][FRAME_BURST]; /**< see capture_pending() */
};

struct capture {
	/* Constant after creation. */
	uint32_t snaplen;
	uint8_t directions;
	struct bpf_program *program; /**< NULL = every frame */
	uint32_t depth;              /**< bytes of a frame that it reads, at most */
	int fd;
	uint8_t *memory;
	size_t bytes;
	size_t ring_size;
	uint8_t *scratch;
	unsigned lcores;
	struct capture_lcore lcore[]; /**< each is written by its polling lcore only */
};

/** Choose the size of each ring. @return bytes for records, a power of two */
static size_t
capture_size_of_rings(unsigned lcores)
{
	size_t size = CAPTURE_RING_MAX;

	while (size > CAPTURE_RING_MIN && size * lcores > CAPTURE_TOTAL_MAX)
		size /= 2;
	return size;
}

/**
 * Create and map the shared memory: sealed, so that the reader cannot truncate it, and populated,
 * so that lcores cause no page fault.
 *
 * @return 0; negative errno
 */
static int
capture_map(struct capture *capture)
{
	capture->fd = memfd_create("shunt capture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (capture->fd < 0 || ftruncate(capture->fd, (off_t)capture->bytes) < 0 ||
		fcntl(capture->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	capture->memory = mmap(NULL, capture->bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, capture->fd, 0);
	if (capture->memory == MAP_FAILED) {
		capture->memory = NULL;
		return -errno;
	}
	/* Keep frames of guests out of core dumps. */
	madvise(capture->memory, capture->bytes, MADV_DONTDUMP);
	return 0;
}

/** Allocate the memory of the rings and the scratch space, and set up the rings. */
static int
capture_set_up_rings(struct capture *capture, const struct capture_config *config)
{
	if (capture->program != NULL) {
		capture->scratch = calloc(config->lcores, config->snaplen);
		if (capture->scratch == NULL)
			return -ENOMEM;
	}
	int rc = capture_map(capture);
	for (unsigned i = 0; rc == 0 && i < config->lcores; i++) {
		struct capture_lcore *lcore = &capture->lcore[i];
		capture_ring_init(&lcore->ring,
			capture->memory + i * capture_ring_bytes(capture->ring_size),
			capture->ring_size);
		if (capture->scratch != NULL)
			lcore->scratch = capture->scratch + (size_t)i * config->snaplen;
	}
	return rc;
}

struct capture *
capture_create(const struct capture_config *config, struct err *err)
{
	struct bpf_program *program = NULL;

	if (config->insns > 0 &&
		(program = capture_filter_make(config->program, config->insns, err)) == NULL)
		return NULL;
	size_t bytes = sizeof(struct capture) + config->lcores * sizeof(struct capture_lcore);
	struct capture *capture = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	int rc = -ENOMEM;
	if (capture != NULL) {
		memset(capture, 0, bytes);
		capture->fd = -1;
		capture->snaplen = config->snaplen;
		capture->directions = config->directions;
		capture->program = program;
		capture->depth = program != NULL ? capture_filter_depth(program) : 0;
		capture->lcores = config->lcores;
		capture->ring_size = capture_size_of_rings(config->lcores);
		capture->bytes = config->lcores * capture_ring_bytes(capture->ring_size);
		rc = capture_set_up_rings(capture, config);
	}
	if (rc == 0)
		return capture;
	if (capture == NULL)
		free(program);
	err_set(err, -rc, "no memory for a capture: %s", strerror(-rc));
	capture_destroy(capture);
	return NULL;
}

void
capture_destroy(struct capture *capture)
{
	if (capture == NULL)
		return;
	if (capture->memory != NULL)
		munmap(capture->memory, capture->bytes);
	if (capture->fd >= 0)
		close(capture->fd);
	free(capture->scratch);
	free(capture->program);
	free(capture);
}

int
capture_fd(const struct capture *capture)
{
	return capture->fd;
}

size_t
capture_ring_size(const struct capture *capture)
{
	return capture->ring_size;
}

bool
capture_wants(const struct capture *capture, enum capture_direction direction)
{
	return (capture->directions & direction) != 0;
}

/** Copy the first bytes of a frame. The head is that of frame->head, which was classified. */
static void
capture_gather(const struct frame *frame, uint8_t *to, uint32_t bytes)
{
	const struct rte_mbuf *mbuf = frame->mbuf;
	uint32_t skip = RTE_MIN(frame->head_len, bytes), done = skip;

	memcpy(to, frame->head, skip);
	for (uint16_t i = 0; done < bytes && (mbuf != NULL || i < frame->segments); i++) {
		const uint8_t *data = mbuf != NULL ? rte_pktmbuf_mtod(mbuf, const uint8_t *)
						   : frame->segment[i].data;
		uint32_t len = mbuf != NULL ? rte_pktmbuf_data_len(mbuf) : frame->segment[i].len;
		uint32_t over = RTE_MIN(len, skip);
		uint32_t part = RTE_MIN(len - over, bytes - done);

		memcpy(to + done, data + over, part);
		skip -= over;
		done += part;
		if (mbuf != NULL && (mbuf = mbuf->next) == NULL)
			break;
	}
}

struct capture_record *
capture_frame(struct capture *capture, unsigned lcore_id, const struct frame *frame,
	struct capture_record record)
{
	struct capture_lcore *lcore = &capture->lcore[lcore_id];

	if (lcore_id >= capture->lcores || !capture_wants(capture, record.direction))
		return NULL;
	record.len = frame->len;
	record.caplen = RTE_MIN(frame->len, capture->snaplen);
	/* Most filters read headers only: frames that they reject are not copied. */
	bool in_head = capture->program != NULL &&
		       RTE_MIN(capture->depth, record.caplen) <= frame->head_len;
	if (in_head &&
		!capture_filter_passes(capture->program, frame->head, record.len, record.caplen))
		return NULL;
	uint8_t *space = capture_ring_space(&lcore->ring, record.caplen);
	uint8_t *bytes = space != NULL ? space + sizeof(record) : lcore->scratch;
	/* Filter even without space in the ring: only frames that pass count as lost. */
	if (bytes != NULL)
		capture_gather(frame, bytes, record.caplen);
	if (capture->program != NULL && !in_head &&
		!capture_filter_passes(capture->program, bytes, record.len, record.caplen))
		return NULL;
	if (space == NULL) {
		capture_ring_lose(&lcore->ring);
		return NULL;
	}
	return capture_ring_take(&lcore->ring, space, &record);
}

struct capture_record **
capture_pending(struct capture *capture, unsigned lcore_id, enum capture_direction direction)
{
	return lcore_id < capture->lcores ? capture->lcore[lcore_id].pending[direction] : NULL;
}

void
capture_publish(struct capture *capture, unsigned lcore_id)
{
	if (lcore_id < capture->lcores && !capture->lcore[lcore_id].deferred)
		capture_ring_publish(&capture->lcore[lcore_id].ring);
}

void
capture_defer(struct capture *capture, unsigned lcore_id, bool defer)
{
	if (lcore_id >= capture->lcores)
		return;
	capture->lcore[lcore_id].deferred = defer;
	capture_publish(capture, lcore_id);
}
