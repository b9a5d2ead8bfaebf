/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ethdev driver: any device that DPDK has a driver for, plugged in and out while the switch
 * runs. Private to drivers/ethdev.
 *
 * Thread safety: the control thread opens, closes and asks; polling lcores move frames, each
 * receive queue on one lcore, transmit queues shared under a lock.
 */
#ifndef SHUNT_DRIVERS_ETHDEV_H
#define SHUNT_DRIVERS_ETHDEV_H

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "port/port.h"

enum {
	ETHDEV_DEVICE_MAX = 512,
	ETHDEV_RING = 1024,         /**< descriptors asked for, per queue */
	ETHDEV_DRAIN_ROUNDS = 1024, /**< bursts thrown away at most when a device starts */
};

/** Keys of an ethdev port. */
struct ethdev_config {
	char device[ETHDEV_DEVICE_MAX]; /**< devargs */
	int64_t queues;
	int64_t mtu; /**< 0 = the device's own */
};

_Static_assert(sizeof(struct ethdev_config) <= PORT_DRIVER_CONFIG_MAX, "fits into a port's keys");

struct ethdev_lock {
	_Alignas(64) rte_spinlock_t lock; /**< taken by polling lcores around a transmit burst */
};

struct ethdev {
	/* Written by control at open, read by polling lcores. */
	uint16_t id; /**< DPDK's number of the device */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint8_t capabilities; /**< FRAME_* that the device does on transmit */
	bool reads_guests;    /**< frames may stay in guest memory */
	struct ethdev_lock *tx_lock;

	/* Control only. */
	struct rte_mempool *pool;
	unsigned reserved; /**< mbufs, of the pool */
	uint16_t payload;  /**< bytes of each */
	bool plugged;      /**< by us, so that close pulls it out again */
	bool started;
	uint32_t generation;
	bool was_up;
	const struct port_services *services;
};

/* device.c */

/**
 * Find a device that is there, or plug it in.
 *
 * @param device devargs: a PCI address, "net_af_packet0,iface=eth0", ...
 * @return 0 with dev->id and dev->plugged set; negative errno with the reason
 */
int ethdev_plug(struct ethdev *dev, const char *device, struct err *err);

/** Stop and close the device, and pull it out when ethdev_plug() plugged it in. */
void ethdev_unplug(struct ethdev *dev);

/** Configure queues and offloads, and start. @return 0 or negative errno with the reason */
int ethdev_start(struct ethdev *dev, const struct ethdev_config *config, int numa, struct err *err);

/* burst.c: the rx and tx slots of struct port_driver */
uint16_t ethdev_rx(
	void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters);
void ethdev_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters);

extern const struct port_driver ethdev_driver;

#endif
