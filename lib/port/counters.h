/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of a port on one polling lcore. They balance:
 *   rx_packets = rx_forwarded + all rx_drops
 *   sum of rx_copies over all ports = sum of tx_packets and tx_drops over all ports,
 *     and of frames that wait for a port's rate-out (rate/shaper.h)
 *
 * Thread safety: written by the polling lcore they belong to, read by the control thread with
 * counters_add(), whose sum is exact while there is no traffic.
 */
#ifndef SHUNT_PORT_COUNTERS_H
#define SHUNT_PORT_COUNTERS_H

#include <stdint.h>

#include "port/drop.h"

/** Counters of a port on one polling lcore, or a sum of them. */
struct counters {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_forwarded; /**< frames sent to at least one port */
	uint64_t rx_copies;    /**< the same, but a flooded frame counts once for each port */
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_drops[DROP_COUNT];
	uint64_t tx_drops[DROP_COUNT];
} __attribute__((aligned(64)));

/** Add `part` to `sum`, field by field. Polling lcores may write `part` meanwhile. */
void counters_add(struct counters *sum, const struct counters *part);

/** Subtract `base` from `sum`, field by field. No lcore may write either. */
void counters_subtract(struct counters *sum, const struct counters *base);

/** Sum the drops of one direction. @param drops by reason @return the sum */
uint64_t counters_drops(const uint64_t drops[DROP_COUNT]);

#endif
