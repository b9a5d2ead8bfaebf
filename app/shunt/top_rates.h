/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates from cumulative counters: the difference between two samples, divided by the time between.
 *
 * A counter that has decreased belongs to a new port, lcore or switch: all counters of that port or
 * lcore are then considered to have started at 0 since the previous sample.
 *
 * Thread safety: belongs to its caller; no shared state.
 */
#ifndef SHUNT_CLI_TOP_RATES_H
#define SHUNT_CLI_TOP_RATES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATES_NAME_MAX = 64, RATES_HISTORY = 64 };

enum rates_order { RATES_BY_NAME, RATES_BY_RX, RATES_BY_TX, RATES_BY_DROPS };

/** Rates of a port since the previous sample, per second. */
struct rates_port {
	char name[RATES_NAME_MAX];
	bool up;
	bool known; /**< part of the previous sample; false: all rates are 0 */
	double rx_packets;
	double tx_packets;
	double rx_bits;
	double tx_bits;
	double drops; /**< of both directions */
	/** Packets per second of both directions in the newest samples, the newest last. */
	const float *history;
	size_t n_history; /**< up to RATES_HISTORY */
};

/** Rates of a polling lcore since the previous sample. */
struct rates_lcore {
	unsigned int lcore;
	bool known;
	double load;              /**< busy share of the time, 0 to 1 */
	double cycles_per_packet; /**< 0 without packets */
	double packets;           /**< per second */
};

struct rates;

/** Create an object without a sample. @return NULL with errno set on failure */
struct rates *top_rates_new(void);

/** Discard the previous sample; the next one has no rates. */
void top_rates_reset(struct rates *rates);

/**
 * Add a sample.
 *
 * @param ports result of port.list
 * @param lcores result of lcore.list
 * @param now in seconds of a monotonic clock
 * @return 0; -EPROTO (not lists) or -ENOMEM with the rates unchanged
 */
int top_rates_update(struct rates *rates, const json_t *ports, const json_t *lcores, double now);

/** Sort the ports by rate in descending order, then by name. Holds until the next sample. */
void top_rates_sort(struct rates *rates, enum rates_order order);

/** Get the ports of the newest sample, valid until the next. @param n receives their number */
const struct rates_port *top_rates_ports(const struct rates *rates, size_t *n);

/** Get the lcores of the newest sample in the switch's order. @param n receives their number */
const struct rates_lcore *top_rates_lcores(const struct rates *rates, size_t *n);

/** Release; NULL is ignored. */
void top_rates_free(struct rates *rates);

#endif
