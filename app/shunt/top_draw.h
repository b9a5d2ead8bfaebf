/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The screen of shunt top. Draws to ncurses' standard screen of any size.
 *
 * Thread safety: the thread that runs ncurses.
 */
#ifndef SHUNT_CLI_TOP_DRAW_H
#define SHUNT_CLI_TOP_DRAW_H

#include <jansson.h>
#include <stdbool.h>

#include "top_drops.h"
#include "top_rates.h"

/** Contents of the screen. */
struct top_view {
	const char *socket;
	const char *trouble;  /**< reason of the last failed sample; "": none */
	const json_t *status; /**< newest answer, or NULL */
	const struct rates *rates;
	const struct drops *drops;
	enum rates_order order;
	double interval; /**< seconds */
	bool help;       /**< show the help of keys */
	size_t first;    /**< port in the first row; top_draw() lowers it when too large */
	size_t page;     /**< set by top_draw(): number of ports that fit */
};

/** Initialize colours; to be called after ncurses. */
void top_draw_init(bool color);

/** Draw the screen. */
void top_draw(struct top_view *view);

#endif
