/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What checksums and segmentation in software share.
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

/** Layers of a frame whose request is what its headers say it can be. @return 0 or -EINVAL */
int offload_layers(
	const struct frame_offload *offload, const struct rte_mbuf *mbuf, struct layers *layers);

/** A one's complement sum of numbers of 16 bits, of 32768 of them at most, as one. */
static inline uint16_t
checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

#endif
