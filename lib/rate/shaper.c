/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends frames at a rate, from a queue of copies where necessary. */
#include "rate/shaper.h"

#include <errno.h>

#include <rte_malloc.h>

#include "base/shared.h"
#include "frame/convert.h"
#include "port/send.h"
#include "lcore/pool.h"

/** A frame in the queue: its mbuf and metadata. */
struct shaper_entry {
	struct rte_mbuf *mbuf;
	uint32_t len; /**< includes a tag that the device inserts, unlike the mbuf's length */
	struct frame_offload offload;
	uint16_t tci;
	uint16_t l2_len;
	uint16_t vlan;
};

struct shaper {
	struct meter meter;

	/* Constant. */
	struct rte_mempool *pool;
	int node;
	uint32_t space; /**< mbufs */
	uint32_t mask;

	/* Written between meter_enter() and meter_leave(); any thread reads the first two. */
	uint32_t first; /**< position of the oldest entry */
	uint32_t next;  /**< position of the next entry to add */
	uint32_t taken; /**< mbufs in use, as shaper_need() counts them */

	struct shaper_entry entry[];
};

struct shaper *
shaper_create(int node, unsigned space, const atomic_uint *lcores, struct err *err)
{
	uint32_t entries = rte_align32pow2(space);
	struct shaper *shaper = rte_zmalloc_socket("shaper",
		sizeof(*shaper) + entries * sizeof(shaper->entry[0]), RTE_CACHE_LINE_SIZE, node);

	if (shaper == NULL) {
		err_set(err, ENOMEM, "no memory for a queue of %u frames", space);
		return NULL;
	}
	shaper->pool = pool_reserve(node, space, POOL_PAYLOAD, err);
	if (shaper->pool == NULL) {
		rte_free(shaper);
		return NULL;
	}
	shaper->meter.lcores = lcores;
	rte_spinlock_init(&shaper->meter.lock);
	shaper->node = node;
	shaper->space = space;
	shaper->mask = entries - 1;
	return shaper;
}

void
shaper_destroy(struct shaper *shaper)
{
	if (shaper == NULL)
		return;
	pool_release(shaper->pool, shaper->space);
	rte_free(shaper);
}

unsigned
shaper_space(const struct shaper *shaper)
{
	return shaper->space;
}

int
shaper_node(const struct shaper *shaper)
{
	return shaper->node;
}

unsigned
shaper_backlog(const struct shaper *shaper)
{
	uint32_t first = shared_load_relaxed(&shaper->first);
	int32_t backlog = (int32_t)(shared_load_relaxed(&shaper->next) - first);

	return backlog > 0 ? (unsigned)backlog : 0;
}

/** Upper limit of the mbufs that a copy of a frame takes. */
static uint32_t
shaper_need(uint32_t len)
{
	return len / POOL_PAYLOAD + 1;
}

/** Remove the oldest entry from the queue and make a frame of it. */
static void
shaper_pop(struct shaper *shaper, struct frame *frame)
{
	const struct shaper_entry *entry = &shaper->entry[shaper->first & shaper->mask];

	*frame = (struct frame){.l2_len = entry->l2_len, .vlan = entry->vlan, .tci = entry->tci};
	frame_from_mbuf(frame, entry->mbuf);
	frame->len = entry->len;
	frame->offload = entry->offload;
	shaper->taken -= shaper_need(frame->len);
	shared_store_relaxed(&shaper->first, shaper->first + 1);
}

static bool
shaper_is_empty(const struct shaper *shaper)
{
	return shaper->first == shaper->next;
}

/** Send frames of the queue while there are tokens. @return whether any frame was sent */
static bool
shaper_send(struct shaper *shaper, const struct shaper_out *out, struct counters *counters)
{
	struct bucket *bucket = &shaper->meter.bucket;
	struct frame frame[FRAME_BURST], *frames[FRAME_BURST];

	for (unsigned burst = 0; burst < SHAPER_BURSTS; burst++) {
		uint16_t n = 0;
		while (n < FRAME_BURST && !shaper_is_empty(shaper) && bucket->tokens > 0) {
			shaper_pop(shaper, &frame[n]);
			bucket_take(bucket, frame[n].len);
			frames[n] = &frame[n];
			n++;
		}
		if (n == 0)
			return burst > 0;
		out->tx(out->dev, out->lcore_id, frames, n, counters);
	}
	return true;
}

/** Append a copy of a frame to the queue. @return -1; an enum drop_reason if there is no space */
static int
shaper_push(struct shaper *shaper, const struct frame *frame)
{
	uint32_t need = shaper_need(frame->len);

	if (shaper->space - shaper->taken < need)
		return DROP_RATE_QUEUE;
	struct rte_mbuf *copy =
		frame->mbuf == NULL ? convert_to_mbuf(frame, shaper->pool)
				    : rte_pktmbuf_copy(frame->mbuf, shaper->pool, 0, UINT32_MAX);
	if (copy == NULL)
		return DROP_NO_MEMORY;
	shaper->entry[shaper->next & shaper->mask] = (struct shaper_entry){
		.mbuf = copy,
		.len = frame->len,
		.tci = frame->tci,
		.offload = frame->offload,
		.l2_len = frame->l2_len,
		.vlan = frame->vlan,
	};
	shaper->taken += need;
	shared_store_relaxed(&shaper->next, shaper->next + 1);
	return -1;
}

/** Send frames without a copy if the queue is empty, while there are tokens. @return number sent */
static uint16_t
shaper_pass(struct shaper *shaper, const struct shaper_out *out, struct frame *const frames[],
	uint16_t n, struct counters *counters)
{
	uint16_t passed = 0;

	if (!shaper_is_empty(shaper))
		return 0;
	while (passed < n && bucket_take(&shaper->meter.bucket, frames[passed]->len))
		passed++;
	if (passed > 0)
		out->tx(out->dev, out->lcore_id, frames, passed, counters);
	return passed;
}

void
shaper_frames(struct shaper *shaper, const struct bucket_rate *rate, const struct shaper_out *out,
	struct frame *const frames[], uint16_t n, struct counters *counters, uint64_t now)
{
	bool shared = meter_enter(&shaper->meter);
	uint16_t passed = 0;

	if (out->owner) {
		bucket_fill(&shaper->meter.bucket, rate, now);
		shaper_send(shaper, out, counters);
		passed = shaper_pass(shaper, out, frames, n, counters);
	}
	for (uint16_t i = passed; i < n; i++) {
		int reason = shaper_push(shaper, frames[i]);
		if (reason >= 0)
			send_drop(&frames[i], 1, (enum drop_reason)reason, counters);
	}
	meter_leave(&shaper->meter, shared);
	frame_free(frames + passed, n - passed);
}

bool
shaper_drain(struct shaper *shaper, const struct bucket_rate *rate, const struct shaper_out *out,
	struct counters *counters, uint64_t now)
{
	if (shaper_backlog(shaper) == 0)
		return false;
	bool shared = meter_enter(&shaper->meter);
	bucket_fill(&shaper->meter.bucket, rate, now);
	bool sent = shaper_send(shaper, out, counters);
	meter_leave(&shaper->meter, shared);
	return sent;
}

unsigned
shaper_purge(struct shaper *shaper)
{
	struct frame frame;
	unsigned n = 0;

	for (; !shaper_is_empty(shaper); n++) {
		shaper_pop(shaper, &frame);
		rte_pktmbuf_free(frame.mbuf);
	}
	return n;
}
