/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rx and tx slots of struct port_driver, see port/port.h.
 *
 * Thread safety: polling lcores.
 */
#ifndef SHUNT_DRIVERS_VHOST_BURST_H
#define SHUNT_DRIVERS_VHOST_BURST_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port.h"

uint16_t vhost_rx(void *arg, uint16_t lcore_id, uint16_t queue, struct frame frames[], uint16_t n,
	struct counters *counters);
void vhost_rx_done(void *arg, uint16_t lcore_id, uint16_t queue);
bool vhost_rx_monitor(void *arg, uint16_t queue, struct port_monitor *monitor);
void vhost_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
	struct counters *counters);

#endif
