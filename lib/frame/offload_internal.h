/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internals shared by checksum and segmentation in software.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_FRAME_OFFLOAD_INTERNAL_H
#define SHUNT_FRAME_OFFLOAD_INTERNAL_H

#include <stddef.h>

#include <rte_tcp.h>
#include <rte_udp.h>

#include "frame/layers.h"
#include "frame/offload.h"

enum {
	CSUM_OF_TCP = offsetof(struct rte_tcp_hdr, cksum),
	CSUM_OF_UDP = offsetof(struct rte_udp_hdr, dgram_cksum),
};

/** Find the layers of a frame and check its request. @return 0; -EINVAL: they contradict it */
int offload_layers(
	const struct frame_offload *offload, const struct rte_mbuf *mbuf, struct layers *layers);

/** Fold a one's complement sum of at most 32768 numbers of 16 bits into 16 bits. */
static inline uint16_t
offload_fold_sum(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

#endif
