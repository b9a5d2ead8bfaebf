/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sends frames as mbufs by the receiver's capabilities, for a driver's tx once it has selected a
 * queue. Frames without offloads, or with offloads of which the receiver is capable, are sent in
 * one burst. Other offloads are done in software first. Frames stay in order.
 *
 * Thread safety: polling lcores.
 */
#ifndef SHUNT_PORT_SEND_H
#define SHUNT_PORT_SEND_H

#include "frame/frame.h"
#include "port/counters.h"

/** A queue of the receiver. */
struct send_queue {
	/** Send mbufs; frees those it does not send. @return number sent, from the first on */
	uint16_t (*burst)(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n);
	void *dev;
	uint16_t queue;
	struct rte_mempool *pool; /**< for frames that are not in mbufs yet */
	uint8_t capabilities;     /**< FRAME_CSUM, FRAME_TSO4, FRAME_TSO6, FRAME_CHAIN, FRAME_TAG */
	bool reads_guests; /**< accepts payload in guest memory; needs FRAME_CHAIN and FRAME_TAG */
	struct tx_completions
		*completions; /**< of frames that it reads by DMA; NULL = CPUs read them */
	/** Prepare an mbuf for an offload that the receiver does. NULL: not necessary. */
	void (*prepare)(const struct frame_offload *offload, struct rte_mbuf *mbuf);
};

/**
 * Drop frames in a driver's tx: count them, and set the reason in each.
 *
 * @param frames not sent; their references remain the caller's
 * @param n number of frames
 * @param reason of the drops
 */
static inline void
send_drop(struct frame *const frames[], uint16_t n, enum drop_reason reason,
	struct counters *counters)
{
	for (uint16_t i = 0; i < n; i++)
		frames[i]->tx_drop = (uint8_t)reason;
	counters->tx_drops[reason] += n;
}

/**
 * Send frames and count each once, as sent or dropped. Takes one reference of each mbuf.
 *
 * @param frames read-only
 * @param n up to FRAME_BURST
 */
void send_frames(const struct send_queue *queue, struct frame *const frames[], uint16_t n,
	struct counters *counters);

#endif
