/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary frames with arbitrary offload requests, in mbuf chains that are cut anywhere:
 * classified, hashed, checksummed, segmented, sent; at ports with VLANs, classified, and their tag
 * changed at egress. The results are checked by independent code.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "datapath/classify.h"
#include "datapath/ingress.h"
#include "datapath/snapshot.h"
#include "features/table.h"
#include "features/vlan/keys.h"
#include "features/vlan/rules.h"
#include "eal_fixture.h"
#include "frame/convert.h"
#include "frame/hash.h"
#include "frame/offload.h"
#include "packets.h"
#include "port/send.h"
#include "vlan/rewrite.h"

/** The beginning of an input; the bytes of the frame follow. */
struct input {
	uint8_t flags; /**< of the offload request */
	uint8_t csum_offset;
	uint16_t csum_start;
	uint16_t header_len;
	uint16_t gso_size;
	uint8_t capabilities;
	uint8_t head;  /**< bytes of the frame's head */
	uint8_t more;  /**< payload to append, in units of 256 bytes */
	uint8_t first; /**< bytes of the chain's first segment */
	uint8_t rest;
	uint8_t room; /**< mbufs that the receiver accepts */
} __attribute__((packed));

enum { FRAME_MAX = 4096 + 255 * 256, SEGMENTS_MAX = 1024 };

static struct fdb *fdb;
static uint8_t bytes[FRAME_MAX], before[FRAME_MAX], after[FRAME_MAX];
static unsigned room;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_check(eal_fixture_start() == 0);
	fdb = fdb_create(&(struct fdb_config){.capacity = 64});
	fuzz_check(fdb != NULL);
	fdb_age(fdb, 0);
	return 0;
}

/** A frame with an invalid source address is dropped. */
static void
check_source(const uint8_t *data, uint16_t dest)
{
	static const uint8_t zero[6];

	if (dest < DEST_DROP || dest >= DEST_FORWARD)
		fuzz_check((data[6] & 1) == 0 && memcmp(data + 6, zero, 6) != 0);
}

/**
 * The head is copied to memory where sanitizers detect reads beyond it. @return l2_len, 0 = runt
 */
static uint16_t
classify(const uint8_t *data, uint32_t length, uint16_t head_len)
{
	static struct burst burst = {.port = 7, .n = 1};
	struct frame *frame = &burst.frame[0];
	uint8_t *head = malloc(head_len);

	memcpy(head, data, head_len);
	*frame = (struct frame){.head = head, .head_len = head_len, .len = length};
	classify_burst(fdb, &burst, true);
	uint16_t dest = burst.dest[0];
	fuzz_check(dest < PORT_MAX || dest >= DEST_FLOODS ||
		   (dest >= DEST_DROP && dest < DEST_DROP + DROP_COUNT));
	fuzz_check((dest == DEST_DROP + DROP_RUNT) ==
		   (head_len < 14 || (head_len < 18 && packet_get16(data + 12) == 0x8100)));
	check_source(data, dest);
	uint16_t l2_len = dest == DEST_DROP + DROP_RUNT ? 0 : frame->l2_len;
	if (l2_len > 0)
		fuzz_check(frame_flow_hash(frame) == frame_flow_hash(frame));
	free(head);
	return l2_len;
}

/** Kinds of source and tx ports. */
static void
configure(unsigned kind, struct port_config *port)
{
	struct vlan_config *config = port_section_change(port, &vlan_section);

	port_config_defaults(port);
	*config = (struct vlan_config){.vlan = kind == 1 ? 10 : 0, .native = kind == 3 ? 10 : 0};
	config->protocol = kind == 4 ? VLAN_8021AD : VLAN_8021Q;
	strcpy(config->trunk, kind >= 2 ? "10-20,4094" : "");
}

/** The frame at egress of a port, in guest memory cut into pieces, or in an mbuf. */
static void
rewrite_tags(const struct input *input, const struct frame *frame, uint32_t length)
{
	static struct vlan_rewrite buffers;
	static struct frame_segment pieces[FRAME_MAX];
	struct frame copy = *frame;
	struct port_config config = {.name = ""};
	struct vlan_rules rules;

	configure(input->rest % 5u, &config);
	vlan_rules_of(&config, &rules);
	uint32_t piece = RTE_MAX(input->first, length / (VLAN_REWRITE_SEGMENTS - 2) + 1);
	for (uint32_t at = 0; at < length; at += piece)
		pieces[copy.segments++] =
			(struct frame_segment){bytes + at, RTE_MIN(piece, length - at)};
	copy.segment = pieces;
	if (input->room & 1) {
		copy.mbuf = packet_chain(eal_fixture_pool(), bytes, length, frame->head_len, 0);
		copy.head = rte_pktmbuf_mtod(copy.mbuf, const uint8_t *);
		if (input->room & 2)
			rte_pktmbuf_refcnt_update(copy.mbuf, 1);
	}
	struct rte_mbuf *shared = (input->room & 3) == 3 ? copy.mbuf : NULL;
	struct frame *out = &copy;
	fuzz_check(vlan_rewrite_burst(&buffers, &rules, false, &out, 1) == 1);
	if (out == &copy) { /* unchanged */
		rte_pktmbuf_free(copy.mbuf);
		rte_pktmbuf_free(shared);
		return;
	}
	struct rte_mbuf *mbuf =
		out->mbuf != NULL ? out->mbuf : convert_to_mbuf(out, eal_fixture_pool());
	uint32_t n = packet_read(mbuf, after);
	bool tagged = frame->vlan != rules.pvid;
	uint32_t from = 12 + frame->tag_len, to = tagged ? 16 : 12;
	fuzz_check(n == out->len && n - to == length - from);
	fuzz_check(memcmp(after, bytes, 12) == 0 && memcmp(after + to, bytes + from, n - to) == 0);
	if (tagged)
		fuzz_check(packet_get16(after + 12) == rules.tpid &&
			   (packet_get16(after + 14) & 0xfff) == frame->vlan);
	rte_pktmbuf_free(mbuf);
	vlan_rewrite_done(&buffers);
	rte_pktmbuf_free(shared);
}

/** The same frame at a port with VLAN keys, beside another one with VLAN keys, and its egress. */
static void
ingress(const struct input *input, uint32_t length, uint16_t head_len)
{
	enum { FROM = 7, BESIDE = 8, KINDS = 5 };
	static struct snapshot *snapshots[KINDS];
	static struct port ports[2];
	static struct port *by_id[PORT_MAX] = {[FROM] = &ports[0], [BESIDE] = &ports[1]};
	static const bool up[PORT_MAX];
	static const struct port_driver driver;
	static struct burst_context context;
	unsigned kind = input->more % 5u;
	struct burst *burst = &context.burst;
	struct frame *frame = &burst->frame[0];
	struct vlan_rules rules;
	uint8_t *head = malloc(head_len);

	memcpy(head, bytes, head_len);
	if (snapshots[kind] == NULL) {
		for (unsigned i = 0; i < 2; i++)
			ports[i] =
				(struct port){.id = (uint16_t)(FROM + i), .config.driver = &driver};
		configure(kind, &ports[0].config);
		configure(1, &ports[1].config);
		snapshots[kind] = snapshot_build(features, NULL, by_id, up, NULL, 0);
	}
	configure(kind, &ports[0].config);
	vlan_rules_of(&ports[0].config, &rules);
	context.fdb = fdb;
	context.snapshot = snapshots[kind];
	burst->port = FROM;
	burst->n = 1;
	*frame = (struct frame){.head = head, .head_len = head_len, .len = length};
	ingress_run(&context, snapshot_ingress(context.snapshot, FROM));
	uint16_t dest = burst->dest[0];
	fuzz_check(dest < PORT_MAX || dest >= DEST_FLOODS ||
		   (dest >= DEST_DROP && dest < DEST_DROP + DROP_COUNT));
	check_source(bytes, dest);
	if (dest < DEST_DROP || dest >= DEST_FORWARD) {
		fuzz_check(vlan_carries(&rules, frame->vlan));
		fuzz_check(frame->tag_len == 0 || frame->tag_len == 4);
		rewrite_tags(input, frame, length);
	}
	free(head);
}

static struct rte_mbuf *
chain(const struct input *input, uint32_t length, uint16_t l2_len)
{
	/* No more segments than the pool can spare. */
	uint16_t rest = (uint16_t)RTE_MAX(input->rest, length / SEGMENTS_MAX + 1);
	struct rte_mbuf *mbuf = packet_chain(
		eal_fixture_pool(), bytes, length, input->first, input->rest > 0 ? rest : 0);

	mbuf->l2_len = l2_len;
	return mbuf;
}

static void
close_checksum(const struct input *input, const struct frame_offload *offload, uint32_t length)
{
	struct rte_mbuf *mbuf = chain(input, length, 0);
	uint32_t start = offload->csum_start, field = start + offload->csum_offset;
	int rc = offload_checksum(offload, mbuf);

	memcpy(before, bytes, length);
	fuzz_check(packet_read(mbuf, after) == length);
	rte_pktmbuf_free(mbuf);
	fuzz_check(rc == (field + 2 <= length ? 0 : -EINVAL));
	if (rc == 0) {
		uint16_t sum = (uint16_t)~packet_sum(bytes + start, length - start, 0);
		packet_put16(before + field, sum != 0 ? sum : 0xffff);
	}
	fuzz_check(memcmp(before, after, length) == 0);
}

/** Whether a frame has IPv6 extension headers: then the sender's sum is used, right or not. */
static bool
is_extended(uint16_t l2_len, uint16_t l4)
{
	return packet_get16(bytes + l2_len - 2) == 0x86dd && l4 != l2_len + 40;
}

/** The checksum continues the sender's sum, except for the length. */
static void
check_extended(uint16_t l2_len, uint16_t l4, uint32_t whole, uint32_t segment)
{
	uint32_t uncut = whole - l4, length = segment - l4;
	uint8_t sums[6];

	packet_put16(sums, packet_get16(bytes + l4 + PACKET_TCP_CSUM));
	packet_put16(sums + 2, (uint16_t) ~((uncut & 0xffff) + (uncut >> 16)));
	packet_put16(sums + 4, (uint16_t)length);
	fuzz_check(packet_sum(after + l4, length, packet_sum(sums, sizeof(sums), 0)) == 0xffff);
	fuzz_check(packet_get16(after + l2_len + 4) == segment - l2_len - 40);
}

static void
cut(const struct input *input, const struct frame_offload *offload, uint32_t length,
	uint16_t l2_len)
{
	struct rte_mbuf *segments[OFFLOAD_SEGMENTS_MAX];
	struct rte_mbuf *mbuf = chain(input, length, l2_len);
	int n = offload_segment(offload, mbuf, segments);
	uint16_t type = packet_get16(bytes + l2_len - 2);
	uint16_t header_len = offload->header_len;
	uint32_t done = header_len;

	fuzz_check(n > 0 || n == -EINVAL || n == -E2BIG);
	rte_pktmbuf_free(mbuf);
	for (int i = 0; i < n; i++) {
		uint32_t part = packet_read(segments[i], after);
		fuzz_check(part > header_len && part <= (uint32_t)header_len + offload->gso_size);
		if (is_extended(l2_len, offload->csum_start))
			check_extended(l2_len, offload->csum_start, length, part);
		else if (type == (offload->flags & FRAME_TSO4 ? 0x0800 : 0x86dd))
			fuzz_check(packet_wrong(after, part) == NULL);
		fuzz_check(memcmp(after + header_len, bytes + done, part - header_len) == 0);
		done += part - header_len;
		rte_pktmbuf_free(segments[i]);
	}
	fuzz_check(n < 0 || done == length);
}

static uint16_t
receive(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n)
{
	uint16_t sent = (uint16_t)RTE_MIN(n, room);

	(void)dev;
	(void)queue;
	room -= sent;
	rte_pktmbuf_free_bulk(mbufs, n);
	return sent;
}

static void
deliver(const struct input *input, const struct frame_offload *offload, uint32_t length,
	uint16_t l2_len)
{
	const struct send_queue queue = {.burst = receive, .capabilities = input->capabilities};
	struct frame frame, *frames[] = {&frame, &frame};
	struct counters counters = {0};

	frame_from_mbuf(&frame, chain(input, length, l2_len));
	rte_pktmbuf_refcnt_update(frame.mbuf, 1);
	frame.offload = *offload;
	room = input->room;
	send_frames(&queue, frames, 2, &counters);
	fuzz_check(counters.tx_packets + counters_drops(counters.tx_drops) == 2);
	fuzz_check(counters.tx_bytes == counters.tx_packets * length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input;

	if (size < sizeof(input) + 1 || size > 4096)
		return 0;
	memcpy(&input, data, sizeof(input));
	uint32_t length = (uint32_t)(size - sizeof(input));
	memcpy(bytes, data + sizeof(input), length);
	memset(bytes + length, input.more, (size_t)input.more * 256);
	length += input.more * 256u;

	ingress(&input, length, (uint16_t)RTE_MIN(length, input.head));
	uint16_t l2_len = classify(bytes, length, (uint16_t)RTE_MIN(length, input.head));
	const struct frame_offload offload = {.flags = input.flags & (FRAME_CSUM | FRAME_TSO),
		.csum_offset = input.csum_offset,
		.csum_start = input.csum_start,
		.header_len = input.header_len,
		.gso_size = input.gso_size};
	close_checksum(&input, &offload, length);
	if (l2_len > 0) {
		cut(&input, &offload, length, l2_len);
		deliver(&input, &offload, length, l2_len);
	}
	fuzz_check(rte_mempool_full(eal_fixture_pool()));
	return 0;
}
