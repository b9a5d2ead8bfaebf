/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What shunt top looks like. Draws to ncurses' standard screen, whatever its size.
 *
 * Thread safety: one thread, the one that runs ncurses.
 */
#ifndef SHUNT_CLI_TOP_DRAW_H
#define SHUNT_CLI_TOP_DRAW_H

#include <jansson.h>
#include <stdbool.h>

#include "top_drops.h"
#include "top_rates.h"

/** What there is to show. */
struct top_view {
	const char *socket;
	const char *trouble;  /**< why there is nothing newer; "" when all is well */
	const json_t *status; /**< newest answer, or NULL */
	const struct rates *rates;
	const struct drops *drops;
	enum rates_order order;
	double interval; /**< seconds */
	bool help;       /**< explain the keys */
	size_t first;    /**< the port in the first row; drawing lowers it when too large */
	size_t page;     /**< drawing sets it: how many ports there is space for */
};

/** Prepare colours; after ncurses has the terminal. */
void top_draw_init(bool color);

/** Draw everything. */
void top_draw(struct top_view *view);

#endif
