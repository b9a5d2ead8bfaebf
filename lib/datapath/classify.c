/* SPDX-License-Identifier: BSD-3-Clause */
#include "datapath/classify.h"

#include <string.h>

#include "base/mac.h"

enum {
	VLAN_TPID = 0x8100, /**< IEEE 802.1Q table 9-1, C-TAG */
	VLAN_ID_MASK = 0xfff,
	VLAN_ID_RESERVED = 0xfff,
	VLAN_NONE = 0,
};

/* A frame that passed the ingress rules still has no destination. */
enum { DEST_LOOKUP = 0xfffe };

static inline uint16_t
load_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/** Find the VLAN of a frame: its outer tag's id; 0 when untagged or priority-tagged. */
static inline uint16_t
classify_vlan(struct frame *frame)
{
	const uint8_t *type = frame->head + FRAME_MACS_LEN;

	frame->l2_len = FRAME_ETH_LEN;
	frame->vlan = VLAN_NONE;
	if (load_be16(type) != VLAN_TPID)
		return DEST_LOOKUP;
	if (frame->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN)
		return DEST_DROP + DROP_RUNT;
	frame->l2_len = FRAME_ETH_LEN + FRAME_TAG_LEN;
	frame->vlan = load_be16(type + 2) & VLAN_ID_MASK;
	return frame->vlan == VLAN_ID_RESERVED ? DEST_DROP + DROP_BAD_TAG : DEST_LOOKUP;
}

static inline uint16_t
classify_ingress(struct frame *frame)
{
	if (frame->head_len < FRAME_ETH_LEN)
		return DEST_DROP + DROP_RUNT;
	uint16_t dest = classify_vlan(frame);
	if (dest != DEST_LOOKUP)
		return dest;
	uint64_t mac = mac_load(frame->head);
	if (!mac_is_group(mac))
		return DEST_LOOKUP;
	return mac_is_reserved(mac) ? DEST_DROP + DROP_RESERVED : DEST_FLOOD;
}

/** As many bytes of a frame tell where it goes: addresses, type, and what a tag says. */
enum { CLASSIFY_BYTES = FRAME_ETH_LEN + 2 };

/** Would everything said of one frame hold for the other? */
static inline bool
classify_same(const struct frame *a, const struct frame *b)
{
	uint64_t x[CLASSIFY_BYTES / 8], y[CLASSIFY_BYTES / 8];

	if (unlikely(a->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN ||
		     b->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN))
		return false;
	memcpy(x, a->head, sizeof(x));
	memcpy(y, b->head, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/** Frames of a burst that differ from the one before. Guests send in trains: a few stand for all. */
struct leaders {
	const struct frame *frame[FRAME_BURST];
	uint16_t dest[FRAME_BURST];
	uint8_t of[FRAME_BURST]; /**< for each frame of the burst, which one leads */
	unsigned n;
};

static void
classify_leaders(struct burst *burst, struct leaders *leaders)
{
	struct frame *last = NULL;

	leaders->n = 0;
	for (unsigned i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frame[i];
		if (last != NULL && classify_same(frame, last)) {
			frame->l2_len = last->l2_len;
			frame->vlan = last->vlan;
		} else {
			leaders->dest[leaders->n] = classify_ingress(frame);
			leaders->frame[leaders->n++] = frame;
		}
		leaders->of[i] = (uint8_t)(leaders->n - 1);
		last = frame;
	}
}

/** Learn where the sources of frames that may be forwarded are; group addresses are no source. */
static void
classify_learn(struct fdb *fdb, const struct leaders *leaders, uint16_t port)
{
	uint64_t keys[FRAME_BURST];
	uint16_t ports[FRAME_BURST];
	unsigned n = 0;

	for (unsigned i = 0; i < leaders->n; i++) {
		if (leaders->dest[i] != DEST_LOOKUP && leaders->dest[i] != DEST_FLOOD)
			continue;
		uint64_t mac = mac_load(leaders->frame[i]->head + MAC_BYTES);
		keys[n] = fdb_key(mac, leaders->frame[i]->vlan);
		ports[n] = port;
		n += !mac_is_group(mac) && mac != 0;
	}
	if (n > 0)
		fdb_learn_burst(fdb, keys, ports, n);
}

/** Leaders whose destination the table knows, if anybody does. */
struct targets {
	uint64_t key[FRAME_BURST];
	uint8_t leader[FRAME_BURST];
	unsigned n;
};

static void
classify_targets(const struct leaders *leaders, struct targets *targets)
{
	targets->n = 0;
	for (unsigned i = 0; i < leaders->n; i++) {
		if (leaders->dest[i] != DEST_LOOKUP)
			continue;
		targets->key[targets->n] =
			fdb_key(mac_load(leaders->frame[i]->head), leaders->frame[i]->vlan);
		targets->leader[targets->n++] = (uint8_t)i;
	}
}

static void
classify_lookup(const struct fdb *fdb, const struct targets *targets, struct leaders *leaders,
	uint16_t port)
{
	uint16_t ports[FRAME_BURST];

	if (targets->n > 0)
		fdb_lookup_burst(fdb, targets->key, ports, targets->n);
	for (unsigned i = 0; i < targets->n; i++)
		leaders->dest[targets->leader[i]] =
			ports[i] == port ? DEST_DROP + DROP_SAME_PORT : ports[i];
}

void
classify_burst(struct fdb *fdb, struct burst *burst)
{
	struct leaders leaders;
	struct targets targets;

	classify_leaders(burst, &leaders);
	classify_targets(&leaders, &targets);
	fdb_prefetch_burst(fdb, targets.key, targets.n);
	classify_learn(fdb, &leaders, burst->port);
	classify_lookup(fdb, &targets, &leaders, burst->port);
	for (unsigned i = 0; i < burst->n; i++)
		burst->dest[i] = leaders.dest[leaders.of[i]];
}
