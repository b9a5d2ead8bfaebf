/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of a port: the front end or its driver broke a rule, and no frames move.
 *
 * Thread safety: as noted at each function.
 */
#ifndef SHUNT_DRIVERS_VHOST_FAULT_H
#define SHUNT_DRIVERS_VHOST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "vring/fault.h"

struct port_info;
struct vhost_dev;

enum { VHOST_NO_RING = -1 }; /**< ring number of a fault that concerns no single ring */

/** State of the log of a port's faults. Only used by the control thread. */
struct vhost_fault_log {
	unsigned faults;  /**< vhost_dev.faults when last logged */
	int64_t at;       /**< time of that, seconds, monotonic */
	unsigned table;   /**< vhost_dev.table_pending at the last vhost_fault_report() */
	int64_t table_at; /**< since when, seconds, monotonic */
	bool stuck;       /**< a memory table has not succeeded for longer than FAULT_STUCK_S */
};

/**
 * Record that the front end or its driver broke a rule: the port is down until the front end sets
 * its rings up again. While a fault is in effect further ones are ignored. The control thread logs
 * the reason. Any thread.
 *
 * @param ring in virtio's numbering, or VHOST_NO_RING
 */
void vhost_fault_set(struct vhost_dev *dev, enum virtq_fault fault, int ring);

/**
 * Record VIRTQ_BAD_MEMORY. Any thread but a polling lcore.
 *
 * @param reason text, copied
 */
void vhost_fault_set_memory(struct vhost_dev *dev, const char *reason);

/**
 * Log faults since the last call: the first one of a port at once, then at most one line in 10 s.
 * Control thread.
 *
 * @param port name of the port
 * @return true if the port is broken
 */
bool vhost_fault_report(struct vhost_dev *dev, const char *port);

/** Add the fault in effect, if any, to the port info. Control thread. */
void vhost_fault_info(const struct vhost_dev *dev, struct port_info *info);

#endif
