/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending mbufs with the receiver's capabilities in mind: what a driver's tx does once it has
 * chosen a queue. Frames whose offloads the receiver can do, or that have none, go in one burst;
 * the others are completed in software first. Order is kept.
 *
 * Thread safety: polling lcores.
 */
#ifndef SHUNT_PORT_SEND_H
#define SHUNT_PORT_SEND_H

#include "frame/frame.h"
#include "port/counters.h"

/** Where mbufs go. */
struct send_queue {
	/** Take one reference of each mbuf, sent or not. @return how many were sent, from the first */
	uint16_t (*burst)(void *dev, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t n);
	void *dev;
	uint16_t queue;
	struct rte_mempool *pool; /**< for frames that are not in mbufs yet */
	uint8_t capabilities;     /**< FRAME_CSUM, FRAME_TSO4, FRAME_TSO6, FRAME_CHAIN, FRAME_TAG */
	bool reads_guests; /**< takes frames whose payload is in guest memory; with FRAME_CHAIN, FRAME_TAG */
	struct tx_completions
		*completions; /**< what it reads by DMA is lent to it here; NULL = CPUs read it */
	/** Make an mbuf ready for an offload the receiver does; NULL when there is nothing to do. */
	void (*prepare)(const struct frame_offload *offload, struct rte_mbuf *mbuf);
};

/**
 * Send frames, taking one reference of each, and count every frame once.
 *
 * @param n up to FRAME_BURST
 */
void send_frames(const struct send_queue *queue, struct frame *const frames[], uint16_t n,
	struct counters *counters);

#endif
