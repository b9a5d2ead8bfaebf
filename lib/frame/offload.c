/* SPDX-License-Identifier: BSD-3-Clause */
/* Offload requests: sets the tx offload fields of mbufs; computes checksums in software. */
#include "frame/offload.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "frame/offload_internal.h"

int
offload_layers(
	const struct frame_offload *offload, const struct rte_mbuf *mbuf, struct layers *layers)
{
	int rc = layers_find(
		rte_pktmbuf_mtod(mbuf, const uint8_t *), rte_pktmbuf_data_len(mbuf), layers);

	if (rc < 0 || layers->l4 != offload->csum_start)
		return -EINVAL;
	if ((offload->flags & FRAME_TSO) != 0 &&
		(layers->protocol != IPPROTO_TCP ||
			layers->ipv6 != ((offload->flags & FRAME_TSO6) != 0)))
		return -EINVAL;
	if (layers->protocol == IPPROTO_TCP)
		return offload->csum_offset == CSUM_OF_TCP ? 0 : -EINVAL;
	return layers->protocol == IPPROTO_UDP && offload->csum_offset == CSUM_OF_UDP ? 0 : -EINVAL;
}

/** Check a TSO request: devices may fail on malformed headers or too many segments. */
static bool
offload_tso_is_sane(const struct frame_offload *offload, const struct rte_mbuf *mbuf,
	const struct layers *layers)
{
	uint32_t most = (uint32_t)offload->gso_size * OFFLOAD_SEGMENTS_MAX;

	return offload->header_len >= layers->l4 + sizeof(struct rte_tcp_hdr) &&
	       offload->header_len <= rte_pktmbuf_data_len(mbuf) &&
	       rte_pktmbuf_pkt_len(mbuf) - offload->header_len <= most;
}

void
offload_describe(const struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	struct layers layers;

	/* Devices and DPDK take the next header field of the IPv6 header as the L4 protocol. */
	if (offload_layers(offload, mbuf, &layers) < 0 ||
		(layers.ipv6 && layers.l4 != layers.l3 + sizeof(struct rte_ipv6_hdr)))
		return;
	if ((offload->flags & FRAME_TSO) != 0 && !offload_tso_is_sane(offload, mbuf, &layers))
		return;
	mbuf->l2_len = layers.l3;
	mbuf->l3_len = (uint64_t)(layers.l4 - layers.l3) & 0x1ff;
	mbuf->ol_flags |=
		layers.protocol == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	mbuf->ol_flags |= layers.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	if (offload->flags & FRAME_TSO) {
		mbuf->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		mbuf->l4_len = (uint64_t)(offload->header_len - layers.l4) & 0xff;
		mbuf->tso_segsz = offload->gso_size;
	}
}

bool
offload_is_described(const struct frame_offload *offload, const struct rte_mbuf *mbuf)
{
	uint64_t l4 = mbuf->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	if (offload->flags & FRAME_TSO)
		return (mbuf->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
	return l4 == RTE_MBUF_F_TX_TCP_CKSUM || l4 == RTE_MBUF_F_TX_UDP_CKSUM;
}

struct rte_mbuf *
offload_unshare(struct rte_mbuf *mbuf)
{
	bool own = true;

	for (struct rte_mbuf *m = mbuf; m != NULL; m = m->next)
		own = own && rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m);
	if (own)
		return mbuf;
	struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, mbuf->pool, 0, UINT32_MAX);
	rte_pktmbuf_free(mbuf);
	return copy;
}

/**
 * One's complement sum of a chain from an offset on. rte_raw_cksum_mbuf() of DPDK 22.11 is wrong
 * for segments that begin at an odd offset.
 */
static uint16_t
offload_sum(const struct rte_mbuf *mbuf, uint32_t offset)
{
	uint32_t sum = 0, done = 0;

	for (; mbuf != NULL; mbuf = mbuf->next) {
		uint32_t length = rte_pktmbuf_data_len(mbuf);
		if (offset >= length) {
			offset -= length;
			continue;
		}
		length -= offset;
		uint16_t part =
			rte_raw_cksum(rte_pktmbuf_mtod_offset(mbuf, const void *, offset), length);
		/* A part at an odd offset is added with its bytes swapped (RFC 1071). */
		sum += done & 1 ? rte_bswap16(part) : part;
		done += length;
		offset = 0;
	}
	return offload_fold_sum(sum);
}

/** Store a checksum, whose two bytes may lie in different segments. */
static void
offload_store_sum(struct rte_mbuf *mbuf, uint32_t offset, uint16_t sum)
{
	uint8_t bytes[sizeof(sum)];
	unsigned stored = 0;

	memcpy(bytes, &sum, sizeof(sum));
	for (; stored < sizeof(bytes); mbuf = mbuf->next) {
		uint32_t length = rte_pktmbuf_data_len(mbuf);
		for (; offset < length && stored < sizeof(bytes); offset++)
			*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, offset) = bytes[stored++];
		offset -= length;
	}
}

int
offload_checksum(const struct frame_offload *offload, struct rte_mbuf *mbuf)
{
	uint32_t start = offload->csum_start;
	uint32_t field = start + offload->csum_offset;
	uint16_t sum;

	if (field + sizeof(sum) > rte_pktmbuf_pkt_len(mbuf))
		return -EINVAL;
	sum = (uint16_t)~offload_sum(mbuf, start);
	/* A UDP checksum of 0 means "none" (RFC 768); in one's complement ffff is the same sum. */
	offload_store_sum(mbuf, field, sum != 0 ? sum : 0xffff);
	mbuf->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
	return 0;
}
