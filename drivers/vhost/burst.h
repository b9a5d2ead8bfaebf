/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rx and tx of a vhost port: functions of struct port_driver, whose comments in port/port.h have
 * the parameters.
 *
 * Thread safety: polling lcores.
 */
#ifndef SHUNT_DRIVERS_VHOST_BURST_H
#define SHUNT_DRIVERS_VHOST_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port.h"

/** port_driver.rx: receive frames that a guest sends; those of a disabled ring are dropped. */
uint16_t vhost_rx(void *arg, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters);
/** port_driver.rx_done: return the buffers of the last vhost_rx() to the guest. */
void vhost_rx_done(void *arg, uint16_t lcore_id, uint16_t queue);
/** port_driver.rx_monitor: the word that changes when the guest makes buffers available. */
bool vhost_rx_monitor(void *arg, uint16_t queue, struct port_monitor *monitor);
/** port_driver.tx: send frames to a guest, each flow on one queue pair. */
void vhost_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters);

#endif
