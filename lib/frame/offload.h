/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads done in software, for receivers that cannot do them: the checksum a sender left open,
 * and the cutting of a long TCP frame into segments.
 *
 * Both are bounded whatever the sender claims. Every value of the frame_offload is checked here.
 *
 * Thread safety: polling lcores, each on frames of its own.
 */
#ifndef SHUNT_FRAME_OFFLOAD_H
#define SHUNT_FRAME_OFFLOAD_H

#include "frame/frame.h"

enum { OFFLOAD_SEGMENTS_MAX = 256 };

/**
 * Say what a sender asks for in the mbuf's words, for a device to do: layer lengths and flags. Only
 * what the frame's headers bear out is said, and what every device takes them to mean: TCP or UDP
 * right behind IPv4, or behind IPv6 without extension headers. Else nothing is.
 *
 * @param mbuf not shared
 */
void offload_describe(const struct frame_offload *offload, struct rte_mbuf *mbuf);

/** Does the mbuf say what the frame asks for? If not, only software can do it. */
bool offload_described(const struct frame_offload *offload, const struct rte_mbuf *mbuf);

/**
 * Make an mbuf that may be written to. Takes the caller's reference to a shared one.
 *
 * @return mbuf itself when nobody else holds it, a private copy, or NULL when there is no memory
 *         (the reference is then dropped)
 */
struct rte_mbuf *offload_unshare(struct rte_mbuf *mbuf);

/** Is the mbuf that a frame begins in nobody else's? Then its headers and flags may be changed. */
static inline bool
offload_own_head(const struct rte_mbuf *mbuf)
{
	return rte_mbuf_refcnt_read(mbuf) == 1 && RTE_MBUF_DIRECT(mbuf);
}

/**
 * Compute and store the checksum that the sender left open: the sum from csum_start to the end of
 * the frame, whatever is there (virtio 1.2 section 5.1.6.2).
 *
 * @param mbuf not shared; its offload flags are cleared
 * @return 0; -EINVAL when the offsets do not lie inside the frame
 */
int offload_checksum(const struct frame_offload *offload, struct rte_mbuf *mbuf);

/**
 * Cut a TCP frame into segments of gso_size payload bytes with complete checksums (RFC 9293;
 * IPv4 identification counts up; CWR on the first, PSH and FIN on the last segment only).
 *
 * @param mbuf only read; the caller keeps its reference
 * @param segments receives up to OFFLOAD_SEGMENTS_MAX mbufs, which the caller then owns
 * @return how many; -EINVAL when headers and claim disagree; -E2BIG when there would be more;
 *         -ENOMEM (nothing is left allocated)
 *
 * Headers must lie in the first segment of the mbuf and be no longer than FRAME_HEADERS_MAX and a tag.
 * Behind IPv6 extension headers checksums go on from the pseudo header's sum that the sender left,
 * with the length of the whole frame (virtio 1.2 section 5.1.6.2).
 */
int offload_segment(
	const struct frame_offload *offload, struct rte_mbuf *mbuf, struct rte_mbuf *segments[]);

#endif
