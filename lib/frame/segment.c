/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP segmentation offload (TSO) in software. */
#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "frame/offload_internal.h"

/** A VLAN tag may have been inserted after the sender's request was checked. */
enum { SEGMENT_HEADERS_MAX = FRAME_HEADERS_MAX + FRAME_TAG_LEN };

/** Values common to all segments of a frame. */
struct segment_state {
	struct rte_mbuf *mbuf;
	uint16_t header_len;
	uint16_t l3; /**< offset of the IP header */
	uint16_t l4; /**< offset of the TCP header */
	bool ipv4;
	bool extended; /**< IPv6 with extension headers */
	uint16_t gso_size;
	uint16_t count;
	uint32_t payload;
};

/** Check a request against the headers in the mbuf, and set the values common to all segments. */
static int
segment_parse(const struct frame_offload *offload, struct rte_mbuf *mbuf, struct segment_state *s)
{
	struct layers layers;

	if (offload_layers(offload, mbuf, &layers) < 0)
		return -EINVAL;
	*s = (struct segment_state){.mbuf = mbuf,
		.header_len = offload->header_len,
		.l3 = layers.l3,
		.l4 = layers.l4,
		.ipv4 = !layers.ipv6,
		.extended = layers.ipv6 && layers.l4 != layers.l3 + sizeof(struct rte_ipv6_hdr),
		.gso_size = offload->gso_size};
	if (s->gso_size == 0 || s->header_len < s->l4 + sizeof(struct rte_tcp_hdr) ||
		s->header_len > SEGMENT_HEADERS_MAX || s->header_len > rte_pktmbuf_data_len(mbuf) ||
		s->header_len >= rte_pktmbuf_pkt_len(mbuf))
		return -EINVAL;
	const struct rte_tcp_hdr *tcp =
		rte_pktmbuf_mtod_offset(mbuf, const struct rte_tcp_hdr *, s->l4);
	s->payload = rte_pktmbuf_pkt_len(mbuf) - s->header_len;
	if (s->l4 + (tcp->data_off >> 4) * 4 != s->header_len ||
		s->header_len - s->l3 + RTE_MIN(s->gso_size, s->payload) > UINT16_MAX)
		return -EINVAL;
	uint32_t count = (s->payload + s->gso_size - 1) / s->gso_size;
	if (count > OFFLOAD_SEGMENTS_MAX)
		return -E2BIG;
	s->count = (uint16_t)count;
	return 0;
}

/**
 * Derive a segment's pseudo header sum from that of the whole frame, which the sender stored in the
 * checksum field: only the length differs. Behind extension headers only the sender knows the
 * addresses to sum, which routing headers and home address options change (RFC 8200 section 8.1,
 * RFC 6275 section 11.3.1).
 */
static uint16_t
segment_pseudo_sum(const struct segment_state *s, uint16_t whole, uint32_t length)
{
	uint16_t before = offload_fold_sum(rte_pktmbuf_pkt_len(s->mbuf) - s->l4);
	uint16_t after = offload_fold_sum(length);

	return offload_fold_sum(
		(uint32_t)whole + (uint16_t)~rte_cpu_to_be_16(before) + rte_cpu_to_be_16(after));
}

/** Set sequence number, flags, lengths, identification and checksums of a segment. */
static void
segment_fix_headers(const struct segment_state *s, struct rte_mbuf *segment, uint16_t index)
{
	uint8_t *head = rte_pktmbuf_mtod(segment, uint8_t *);
	struct rte_tcp_hdr *tcp = (void *)(head + s->l4);
	uint32_t sent = (uint32_t)index * s->gso_size;

	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + sent);
	if (index > 0)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	if (index + 1 < s->count)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	if (s->ipv4) {
		struct rte_ipv4_hdr *ip = (void *)(head + s->l3);
		ip->total_length = rte_cpu_to_be_16(rte_pktmbuf_pkt_len(segment) - s->l3);
		ip->packet_id = rte_cpu_to_be_16(rte_be_to_cpu_16(ip->packet_id) + index);
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		tcp->cksum = rte_ipv4_phdr_cksum(ip, 0);
	} else {
		struct rte_ipv6_hdr *ip = (void *)(head + s->l3);
		ip->payload_len = rte_cpu_to_be_16(
			rte_pktmbuf_pkt_len(segment) - s->l3 - sizeof(struct rte_ipv6_hdr));
		tcp->cksum = s->extended ? segment_pseudo_sum(s, tcp->cksum,
						   rte_pktmbuf_pkt_len(segment) - s->l4)
					 : rte_ipv6_phdr_cksum(ip, 0);
	}
	/* The checksum field holds the pseudo header sum, as in a guest's request. */
	offload_checksum(
		&(struct frame_offload){.csum_start = s->l4, .csum_offset = CSUM_OF_TCP}, segment);
}

/** Append payload of the whole frame: to the mbuf's tailroom, the rest in chained mbufs. */
static bool
segment_append(
	const struct segment_state *s, struct rte_mbuf *segment, uint32_t from, uint32_t length)
{
	uint32_t part = RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(segment));
	void *to = rte_pktmbuf_append(segment, (uint16_t)part);
	const void *bytes = rte_pktmbuf_read(s->mbuf, from, part, to);

	if (bytes != to)
		memcpy(to, bytes, part);
	if (part == length)
		return true;
	struct rte_mbuf *rest =
		rte_pktmbuf_copy(s->mbuf, s->mbuf->pool, from + part, length - part);
	if (rest != NULL && rte_pktmbuf_chain(segment, rest) == 0)
		return true;
	rte_pktmbuf_free(rest);
	return false;
}

/** @return segment `index` of the frame, as an mbuf chain; NULL: no memory */
static struct rte_mbuf *
segment_make(const struct segment_state *s, uint16_t index)
{
	uint32_t sent = (uint32_t)index * s->gso_size;
	uint32_t length = RTE_MIN((uint32_t)s->gso_size, s->payload - sent);
	struct rte_mbuf *segment = rte_pktmbuf_alloc(s->mbuf->pool);

	if (segment == NULL)
		return NULL;
	/* Put the headers into the headroom, so that the data room is left for payload. */
	segment->data_off -= RTE_MIN(segment->data_off, s->header_len);
	memcpy(rte_pktmbuf_append(segment, s->header_len), rte_pktmbuf_mtod(s->mbuf, const void *),
		s->header_len);
	if (!segment_append(s, segment, s->header_len + sent, length)) {
		rte_pktmbuf_free(segment);
		return NULL;
	}
	segment_fix_headers(s, segment, index);
	return segment;
}

int
offload_segment(
	const struct frame_offload *offload, struct rte_mbuf *mbuf, struct rte_mbuf *segments[])
{
	struct segment_state s;
	int rc = segment_parse(offload, mbuf, &s);

	if (rc < 0)
		return rc;
	for (uint16_t i = 0; i < s.count; i++) {
		segments[i] = segment_make(&s, i);
		if (segments[i] == NULL) {
			rte_pktmbuf_free_bulk(segments, i);
			return -ENOMEM;
		}
	}
	return s.count;
}
