/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads: description for devices, and software fallbacks for checksum and TCP segmentation.
 *
 * The cost of both fallbacks is bounded for any request. All values of a frame_offload, which come
 * from the sender, are checked here.
 *
 * Thread safety: polling lcores, each on its own frames.
 */
#ifndef SHUNT_FRAME_OFFLOAD_H
#define SHUNT_FRAME_OFFLOAD_H

#include "frame/frame.h"

enum { OFFLOAD_SEGMENTS_MAX = 256 };

/**
 * Set the mbuf's offload flags and layer lengths from a request, for a device to do it. They are
 * set only if the frame's headers confirm the request and all devices agree on its meaning: TCP or
 * UDP over IPv4, or over IPv6 without extension headers. Otherwise the mbuf is unchanged.
 *
 * @param mbuf not shared
 */
void offload_describe(const struct frame_offload *offload, struct rte_mbuf *mbuf);

/** @return true if offload_describe() set the mbuf's fields; if false, only software can do it */
bool offload_is_described(const struct frame_offload *offload, const struct rte_mbuf *mbuf);

/**
 * Make a chain of mbufs writable. Takes the caller's reference.
 *
 * @return the mbuf itself if it is neither shared nor indirect, else a copy; NULL if there is no
 *         memory, the reference is then dropped
 */
struct rte_mbuf *offload_unshare(struct rte_mbuf *mbuf);

/** @return true if the first mbuf is not shared, so that headers and flags may be changed */
static inline bool
offload_head_is_own(const struct rte_mbuf *mbuf)
{
	return rte_mbuf_refcnt_read(mbuf) == 1 && RTE_MBUF_DIRECT(mbuf);
}

/**
 * Compute and store the requested checksum: the sum from csum_start to the end of the frame,
 * whatever it contains (virtio 1.2 section 5.1.6.2).
 *
 * @param mbuf not shared; its checksum offload flags are cleared
 * @return 0; -EINVAL: the offsets do not lie inside the frame
 */
int offload_checksum(const struct frame_offload *offload, struct rte_mbuf *mbuf);

/**
 * Cut a TCP frame into segments of gso_size payload bytes with complete checksums (RFC 9293;
 * IPv4 identification counts up; CWR on the first, PSH and FIN on the last segment only).
 *
 * Headers must lie in the first segment of the mbuf and be no longer than FRAME_HEADERS_MAX plus
 * one tag. Behind IPv6 extension headers, checksums are based on the pseudo header sum that the
 * sender stored, adjusted for the length of each segment (virtio 1.2 section 5.1.6.2).
 *
 * @param mbuf only read; the caller keeps its reference
 * @param segments receives up to OFFLOAD_SEGMENTS_MAX mbufs, which the caller then owns
 * @return number of segments; -EINVAL: the headers do not confirm the request; -E2BIG: more than
 *         OFFLOAD_SEGMENTS_MAX; -ENOMEM. On error nothing is left allocated.
 */
int offload_segment(
	const struct frame_offload *offload, struct rte_mbuf *mbuf, struct rte_mbuf *segments[]);

#endif
