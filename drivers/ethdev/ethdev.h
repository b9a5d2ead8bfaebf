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

#include "ethdev/keys.h"
#include "frame/loan.h"
#include "frame/reach.h"
#include "lcore/plugins.h"
#include "port/port.h"

enum {
	ETHDEV_RING = 1024,         /**< descriptors asked for, per queue */
	ETHDEV_DRAIN_ROUNDS = 1024, /**< bursts thrown away at most when a device starts */
	ETHDEV_COLLECT_TURNS = 256, /**< receive bursts between two looks for frames that left */
};

/** A transmit queue. */
struct ethdev_queue {
	/* Taken by polling lcores around a transmit burst; control when nobody polls the port. */
	_Alignas(64) rte_spinlock_t lock;
	uint32_t segments; /**< sent, modulo 2^32; under the lock, kept where frames are lent */
};

struct ethdev {
	/* Written by control at open, read by polling lcores. */
	uint16_t id; /**< DPDK's number of the device */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint8_t capabilities;       /**< FRAME_* that the device does on transmit */
	bool reads_guests;          /**< frames may stay in guest memory */
	bool lends;                 /**< and the device reads them by its own DMA */
	bool lends_all;             /**< of small pages too */
	uint16_t tx_ring;           /**< descriptors of each transmit queue */
	uint16_t lanes;             /**< of the array below */
	struct ethdev_queue *queue; /**< transmit queues */
	struct loans **loans;       /**< what each lane has lent; NULL = CPUs read frames */

	/* Written by the lcore that polls receive queue 0, read by control. */
	_Alignas(64) atomic_uint turns; /**< receive bursts */

	/* Control only. */
	_Alignas(64) unsigned turns_seen; /**< a second ago */
	const char *copies;        /**< why frames do not stay in guest memory, NULL = they may */
	struct reach_device reach; /**< joined where there are loans */
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
 * Say which plugin of DPDK's keeps a device from being opened. Control thread.
 *
 * @param rc what rte_dev_probe() returned
 * @return text; NULL when none is missing
 */
const char *ethdev_missing(const char *device, int rc, char text[PLUGINS_TEXT_MAX]);

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

/* lend.c: frames in guest memory that a device reads by its own DMA */

/**
 * May the device be lent frames?
 *
 * @return NULL, or why not: frames are copied
 */
const char *ethdev_lend_obstacle(const struct rte_eth_dev_info *info);

/** What drivers write back of descriptors: of every frame, at once, for somebody waits for it. */
void ethdev_lend_thresholds(struct rte_eth_txconf *conf);

/** Lend frames from now on; before the device starts. Control thread. @return 0, -ENOMEM */
int ethdev_lend_start(struct ethdev *dev, struct rte_device *device, int numa, struct err *err);

/** The device has been stopped: guests' memory is out of its reach. Control thread. */
void ethdev_lend_stop(struct ethdev *dev);

/** The device is closed: no driver has any of their mbufs. Control thread. */
void ethdev_lend_free(struct ethdev *dev);

/** End the holds of frames that the device has read. Any thread, under the queue's lock. */
void ethdev_lend_end(const struct ethdev *dev, uint16_t lane);

/** The same for all lanes, without waiting for a lock. Any thread. */
void ethdev_lend_collect(const struct ethdev *dev);

/** Frames lent so far. Control thread. */
uint64_t ethdev_lend_count(const struct ethdev *dev);

/**
 * source.c: are the files and interfaces that a device string names of Ethernet frames, files of whole
 * ones? Reads files to their end. Control thread.
 *
 * @return 0, also for what is not there; negative errno with the reason
 */
int ethdev_source_check(const char *device, struct err *err);

/* burst.c: the rx and tx slots of struct port_driver */
uint16_t ethdev_rx(
	void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters);
void ethdev_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters);

extern const struct port_driver ethdev_driver;

#endif
