/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates from cumulative counters: what changed between two samples, divided by the time between.
 *
 * A counter that went backwards belongs to a new port, lcore or switch: all counters of that port
 * or lcore are then taken to have started at 0 since the sample before.
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

/** A port since the sample before; rates are per second. */
struct rates_port {
	char name[RATES_NAME_MAX];
	bool up;
	bool known; /**< it was in the sample before; else all rates are 0 */
	double rx_packets;
	double tx_packets;
	double rx_bits;
	double tx_bits;
	double drops; /**< of both directions */
	/** Packets per second of both directions in the newest samples, the newest last. */
	const float *history;
	size_t n_history; /**< up to RATES_HISTORY */
};

/** A polling lcore since the sample before. */
struct rates_lcore {
	unsigned int lcore;
	bool known;
	double load;              /**< busy part of the time, 0 to 1 */
	double cycles_per_packet; /**< 0 when there was no packet */
	double packets;           /**< per second */
};

struct rates;

/** Make one without a sample. @return NULL with errno set */
struct rates *rates_new(void);

/** Forget the sample before; the next one has no rates. */
void rates_reset(struct rates *rates);

/**
 * Take a sample.
 *
 * @param ports result of port.list
 * @param lcores result of lcore.list
 * @param now seconds of a clock that does not jump
 * @return 0, or -EPROTO (not lists) or -ENOMEM with the rates as they were
 */
int rates_update(struct rates *rates, const json_t *ports, const json_t *lcores, double now);

/** Sort the ports, the fastest first; equals by name. Holds until the next sample. */
void rates_sort(struct rates *rates, enum rates_order order);

/** The ports of the newest sample; valid until the next one. @param n receives how many */
const struct rates_port *rates_ports(const struct rates *rates, size_t *n);

/** The lcores of the newest sample, in the switch's order. @param n receives how many */
const struct rates_lcore *rates_lcores(const struct rates *rates, size_t *n);

/** Release; NULL is ignored. */
void rates_free(struct rates *rates);

#endif
