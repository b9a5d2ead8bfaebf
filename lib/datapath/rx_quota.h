/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rx quota: limits the bursts per round of a port that has many queues on an lcore shared with
 * other ports. The queues of the port are served in passes: each is polled before any of them is
 * served again.
 *
 * Thread safety: belongs to one polling lcore.
 */
#ifndef SHUNT_DATAPATH_RX_QUOTA_H
#define SHUNT_DATAPATH_RX_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"

enum { RX_QUOTA_BURSTS = 2 }; /**< per port and round; ports with more queues have a quota */

/** Rx quotas of the ports of an lcore. */
struct rx_quota {
	struct {
		uint32_t pass;   /**< current pass over the queues of the port */
		uint16_t bursts; /**< received in this round */
		bool waiting;    /**< the quota made this round skip a queue */
	} port[DATAPATH_SLOT_MAX / RX_QUOTA_BURSTS];
	uint32_t served[DATAPATH_SLOT_MAX]; /**< by index of lcore->poll: pass of the last burst */
};

/**
 * Begin a round. A port begins a new pass unless its quota made the last round skip a queue.
 *
 * @param n_quotas number of ports with a quota on the lcore
 */
static inline void
rx_quota_begin(struct rx_quota *quota, uint16_t n_quotas)
{
	for (uint16_t i = 0; i < n_quotas; i++) {
		quota->port[i].pass += !quota->port[i].waiting;
		quota->port[i].bursts = 0;
		quota->port[i].waiting = false;
	}
}

/**
 * Check whether a queue may be polled in this round. If the quota of the port is used up, the port
 * continues its pass in the next round.
 *
 * @param index quota of the port, from 1
 * @param number index of lcore->poll
 * @return true if it may
 */
static inline bool
rx_quota_allows(struct rx_quota *quota, uint16_t index, uint16_t number)
{
	if (quota->served[number] == quota->port[index - 1].pass)
		return false;
	if (quota->port[index - 1].bursts < RX_QUOTA_BURSTS)
		return true;
	quota->port[index - 1].waiting = true;
	return false;
}

/**
 * Account a burst received from a queue.
 *
 * @param index quota of the port, from 1
 * @param number index of lcore->poll
 */
static inline void
rx_quota_use(struct rx_quota *quota, uint16_t index, uint16_t number)
{
	quota->served[number] = quota->port[index - 1].pass;
	quota->port[index - 1].bursts++;
}

#endif
