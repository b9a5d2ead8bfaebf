/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ethdev driver: any device that DPDK has a driver for, plugged in and out while the switch
 * runs. Private to drivers/ethdev.
 *
 * Thread safety: the control thread opens, closes and queries; polling lcores move frames, each
 * receive queue on one lcore, transmit queues shared under a lock.
 */
#ifndef SHUNT_DRIVERS_ETHDEV_H
#define SHUNT_DRIVERS_ETHDEV_H

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "ethdev/keys.h"
#include "frame/tx_completion.h"
#include "frame/dma_map.h"
#include "lcore/plugins.h"
#include "port/port.h"

enum {
	ETHDEV_RING = 1024,         /**< descriptors requested per queue */
	ETHDEV_DRAIN_ROUNDS = 1024, /**< max. bursts discarded when a device starts */
	ETHDEV_REAP_INTERVAL = 256, /**< rx bursts between two checks for tx completions */
};

/** A transmit queue. */
struct ethdev_queue {
	/* Taken by polling lcores around a transmit burst; by control while no lcore polls. */
	_Alignas(64) rte_spinlock_t lock;
	uint32_t segments; /**< sent, modulo 2^32; under the lock; only with tx completions */
};

struct ethdev {
	/* Written by control at open, read by polling lcores. */
	uint16_t id; /**< DPDK's number of the device */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint8_t capabilities;                /**< FRAME_* that the device handles on transmit */
	bool reads_guests;                   /**< frames are sent from guest memory, not copied */
	bool zero_copy;                      /**< the same, read by the DMA of the device */
	bool zero_copy_all;                  /**< from small pages too */
	uint16_t tx_ring;                    /**< descriptors of each transmit queue */
	uint16_t lcores;                     /**< length of `completions` */
	struct ethdev_queue *queue;          /**< transmit queues */
	struct tx_completions **completions; /**< one per lcore; NULL = the CPU reads frames */

	/* Written by the lcore that polls receive queue 0, read by control. */
	_Alignas(64) atomic_uint rx_bursts; /**< receive bursts */

	/* Control only. */
	_Alignas(64) unsigned rx_bursts_before; /**< `rx_bursts` at the last ethdev_link() */
	const char *copy_reason; /**< reason to copy frames from guest memory; NULL = zero copy */
	struct dma_map_device dma_map; /**< attached while there are tx completions */
	struct rte_mempool *pool;
	unsigned reserved; /**< mbufs, of the pool */
	uint16_t payload;  /**< bytes of each */
	bool plugged;      /**< by ethdev_plug(), so that close removes it again */
	bool started;
	uint32_t generation;
	bool was_up;
	const struct port_services *services;
};

/* plugin.c */

/**
 * Find the DPDK plugin that is missing to open a device. Control thread.
 *
 * @param rc result of rte_dev_probe()
 * @param text buffer for the result
 * @return the error to report; NULL if no plugin is missing
 */
const char *ethdev_plugin_missing(const char *device, int rc, char text[PLUGINS_TEXT_MAX]);

/* device.c */

/**
 * Find a device that is present, or plug it in. Control thread.
 *
 * @param device devargs: a PCI address, "net_af_packet0,iface=eth0", ...
 * @return 0 with dev->id and dev->plugged set; negative errno with the reason
 */
int ethdev_plug(struct ethdev *dev, const char *device, struct err *err);

/** Stop the device; close and remove it if ethdev_plug() plugged it in. Control thread. */
void ethdev_unplug(struct ethdev *dev);

/**
 * Configure queues and offloads, and start. Control thread.
 *
 * @param numa node for queues and mbufs; negative = any
 * @return 0 or negative errno with the reason
 */
int ethdev_start(struct ethdev *dev, const struct ethdev_config *config, int numa, struct err *err);

/* completion.c: zero-copy transmit, of frames in guest memory that a device reads by its own DMA */

/** @return reason for which a device cannot transmit zero-copy, constant text; NULL if it can */
const char *ethdev_completion_copy_reason(const struct rte_eth_dev_info *info);

/** Make the driver report completion of every frame, at once: guests wait for their buffers. */
void ethdev_completion_thresholds(struct rte_eth_txconf *conf);

/**
 * Create tx completions and attach the device to the DMA map, before the device starts. Control
 * thread.
 *
 * @return 0, -ENOMEM
 */
int ethdev_completion_start(
	struct ethdev *dev, struct rte_device *device, int numa, struct err *err);

/** Detach a stopped device from the DMA map of guest memory. Control thread. */
void ethdev_completion_stop(struct ethdev *dev);

/**
 * Free tx completions after the device was closed. Those with mbufs that the driver has not freed
 * are leaked. Control thread.
 */
void ethdev_completion_free(struct ethdev *dev);

/** Release in-flight frames that the device has read. Any thread, under the queue's lock. */
void ethdev_completion_reap(const struct ethdev *dev, uint16_t lcore_id);

/** The same for all lcores; queues whose lock is taken are skipped. Any thread. */
void ethdev_completion_reap_all(const struct ethdev *dev);

/** @return frames sent zero-copy so far. Control thread. */
uint64_t ethdev_completion_count(const struct ethdev *dev);

/**
 * source.c: check that files and interfaces named by a device string carry Ethernet frames, and
 * that capture files have no truncated ones. Reads files to their end. Control thread.
 *
 * @return 0, also for files and interfaces that do not exist; negative errno with the reason
 */
int ethdev_source_check(const char *device, struct err *err);

/* burst.c: the rx and tx slots of struct port_driver */
uint16_t ethdev_rx(void *arg, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters);
void ethdev_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters);

extern const struct port_driver ethdev_driver;

#endif
