/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleep of a polling lcore whose queues are all idle, until a descriptor of one of them becomes
 * readable (`rx_fd` of struct port_driver) or another thread wakes the lcore.
 *
 * The lcore first prepares its queues, then polls them once more, since frames that arrived before
 * do not end the sleep, and then waits. It must be offline for RCU meanwhile.
 *
 * Thread safety: belongs to one polling lcore; any thread may call rx_sleep_wake().
 */
#ifndef SHUNT_DATAPATH_RX_SLEEP_H
#define SHUNT_DATAPATH_RX_SLEEP_H

#include <poll.h>
#include <stdbool.h>

#include "datapath/datapath.h"
#include "datapath/snapshot.h"

/** The descriptors that end the sleep of an lcore. */
struct rx_sleep {
	unsigned n;                              /**< entries of `fd` */
	struct pollfd fd[1 + DATAPATH_SLOT_MAX]; /**< the first one is written by rx_sleep_wake() */
};

/**
 * Open the eventfd of rx_sleep_wake(). Control thread, before the lcore starts.
 *
 * @return 0; negative errno
 */
int rx_sleep_open(struct rx_sleep *sleep);

/** Close the eventfd. Control thread, once no thread uses `sleep`. */
void rx_sleep_close(struct rx_sleep *sleep);

/**
 * Get the descriptors of all queues of an lcore, which rx_sleep_wait() waits for. Polling lcore.
 *
 * @return false: a queue has no descriptor, and the lcore must continue to poll
 */
bool rx_sleep_prepare(struct rx_sleep *sleep, const struct snapshot_lcore *lcore);

/**
 * Wait until a descriptor of the latest rx_sleep_prepare() is readable, or rx_sleep_wake() has been
 * called since the last wait. May end early, for instance by a signal. Polling lcore.
 *
 * @param timeout milliseconds; negative = no limit
 * @return false: the timeout has passed
 */
bool rx_sleep_wait(struct rx_sleep *sleep, int timeout);

/** End the wait of the lcore, or its next one. Any thread. */
void rx_sleep_wake(const struct rx_sleep *sleep);

#endif
