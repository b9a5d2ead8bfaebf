/* SPDX-License-Identifier: BSD-3-Clause */
#include "top_draw.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "text.h"

enum { TOP_GREEN = 1, TOP_YELLOW, TOP_RED };

enum {
	TOP_LINE_MAX = 512,
	TOP_ROWS_FIXED = 6, /**< header, gaps, titles and bottom line */
	TOP_BAR = 20,       /**< columns of a load bar */
	TOP_NAME_MIN = 12,  /**< columns for a port's name, at least */
	TOP_NAME_MAX = 32,
	TOP_LOAD_HIGH = 90 /**< per cent */
};

static bool top_color;

void
top_draw_init(bool color)
{
	top_color = color && has_colors();
	if (!top_color)
		return;
	start_color();
	use_default_colors();
	init_pair(TOP_GREEN, COLOR_GREEN, -1);
	init_pair(TOP_YELLOW, COLOR_YELLOW, -1);
	init_pair(TOP_RED, COLOR_RED, -1);
}

static void
top_attribute(short color, bool on)
{
	if (!top_color || color == 0)
		return;
	if (on)
		attron(COLOR_PAIR(color));
	else
		attroff(COLOR_PAIR(color));
}

/** Print at a place, cut at the right edge; nothing when the place is not on the screen. */
static void __attribute__((format(printf, 4, 5)))
top_put(int y, int x, short color, const char *format, ...)
{
	char line[TOP_LINE_MAX];
	va_list args;

	if (y < 0 || y >= LINES || x < 0 || x >= COLS)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	top_attribute(color, true);
	mvaddnstr(y, x, line, COLS - x);
	top_attribute(color, false);
}

/** A row's title, in reverse over all of the width. */
static void
top_title(int y, const char *text)
{
	attron(A_REVERSE);
	top_put(y, 0, 0, "%-*s", COLS < TOP_LINE_MAX ? COLS : TOP_LINE_MAX - 1, text);
	attroff(A_REVERSE);
}

static void
top_draw_header(const struct top_view *view)
{
	const json_t *fdb = json_object_get(view->status, "fdb");
	char uptime[TEXT_NUMBER_MAX];
	char used[TEXT_NUMBER_MAX];
	char room[TEXT_NUMBER_MAX];
	char version[32];

	if (view->status == NULL) {
		top_put(0, 0, 0, "shunt: no switch yet at %s", view->socket);
		return;
	}
	text_clean(show_string(view->status, "version"), version, sizeof(version));
	text_duration(show_number(view->status, "uptime_s"), uptime);
	text_count(show_number(fdb, "entries"), used);
	text_count(show_number(fdb, "capacity"), room);
	top_put(0, 0, 0, "shunt %s   up %s   %d ports   fdb %s/%s   every %g s", version, uptime,
		(int)show_number(view->status, "ports"), used, room, view->interval);
}

/** A rate as text; "-" before there are two samples. */
static const char *
top_rate(bool known, double value, char text[TEXT_NUMBER_MAX])
{
	return known ? text_si(value, text) : "-";
}

static void
top_draw_port(int y, int width, const struct rates_port *port)
{
	char text[4][TEXT_NUMBER_MAX];
	char drops[TEXT_NUMBER_MAX];
	int x = width + 2;

	top_put(y, 0, 0, "%-*.*s", width, width, port->name);
	top_put(y, x, port->up ? TOP_GREEN : TOP_RED, "%s", port->up ? "up" : "down");
	top_put(y, x + 4, 0, "%9s %9s %9s %9s", top_rate(port->known, port->rx_packets, text[0]),
		top_rate(port->known, port->tx_packets, text[1]),
		top_rate(port->known, port->rx_bits, text[2]),
		top_rate(port->known, port->tx_bits, text[3]));
	top_put(y, x + 43, port->drops > 0 ? TOP_RED : 0, "%9s",
		top_rate(port->known, port->drops, drops));
}

/** How wide the names are. */
static int
top_name_width(const struct rates_port *ports, size_t n)
{
	size_t width = TOP_NAME_MIN;

	for (size_t i = 0; i < n; i++) {
		size_t length = text_width(ports[i].name);

		width = length > width ? length : width;
	}
	return width < TOP_NAME_MAX ? (int)width : TOP_NAME_MAX;
}

/** Draw ports in the rows from y on. @return the row after them */
static int
top_draw_ports(struct top_view *view, int y, int rows)
{
	static const char *const marks[] = {
		[RATES_BY_NAME] = "by name",
		[RATES_BY_RX] = "by rx",
		[RATES_BY_TX] = "by tx",
		[RATES_BY_DROPS] = "by drops",
	};
	char title[TOP_LINE_MAX];
	char part[80] = "";
	size_t n;
	const struct rates_port *ports = rates_ports(view->rates, &n);
	int width = top_name_width(ports, n);

	view->page = rows > 0 ? (size_t)rows : 1;
	if (view->first + view->page > n)
		view->first = n > view->page ? n - view->page : 0;
	if (n > view->page)
		snprintf(part, sizeof(part), ", %zu-%zu of %zu", view->first + 1,
			view->first + view->page, n);
	snprintf(title, sizeof(title), "%-*s  %-4s%9s %9s %9s %9s %9s   %s%s", width, "PORT",
		"LINK", "RX-PPS", "TX-PPS", "RX-BIT/S", "TX-BIT/S", "DROPS/S", marks[view->order],
		part);
	top_title(y++, title);
	for (size_t i = view->first; i < n && rows > 0; i++, rows--)
		top_draw_port(y++, width, &ports[i]);
	return y;
}

static void
top_draw_lcore(int y, const struct rates_lcore *lcore)
{
	char cycles[TEXT_NUMBER_MAX];
	char bar[TOP_BAR + 1] = "";
	int percent = (int)(lcore->load * 100 + 0.5);
	int filled = (int)(lcore->load * TOP_BAR + 0.5);
	short color = percent >= TOP_LOAD_HIGH ? TOP_YELLOW : TOP_GREEN;

	filled = filled < 0 ? 0 : filled > TOP_BAR ? TOP_BAR : filled;
	memset(bar, '|', filled);
	top_put(y, 0, 0, "%5u  [", lcore->lcore);
	top_put(y, 8, color, "%s", bar);
	top_put(y, 8 + TOP_BAR, 0, "]");
	if (!lcore->known) {
		top_put(y, 9 + TOP_BAR, 0, "%5s  %13s  %9s", "-", "-", "-");
		return;
	}
	if (lcore->cycles_per_packet > 0)
		snprintf(cycles, sizeof(cycles), "%.0f", lcore->cycles_per_packet);
	else
		strcpy(cycles, "-");
	top_put(y, 9 + TOP_BAR, 0, "%4d%%  %13s  %9.1f", percent, cycles, lcore->packets / 1000);
}

static int
top_draw_lcores(const struct top_view *view, int y, int rows)
{
	char title[TOP_LINE_MAX];
	size_t n;
	const struct rates_lcore *lcores = rates_lcores(view->rates, &n);

	snprintf(title, sizeof(title), "%5s  %-*s %4s  %13s  %9s", "LCORE", TOP_BAR + 1, "LOAD", "",
		"CYCLES/PACKET", "KPPS");
	top_title(y++, title);
	for (size_t i = 0; i < n && rows > 0; i++, rows--)
		top_draw_lcore(y++, &lcores[i]);
	return y;
}

/** The last row: trouble first, then help. */
static void
top_draw_bottom(const struct top_view *view)
{
	char text[TOP_LINE_MAX];
	int y = LINES - 1;

	if (*view->trouble != '\0') {
		attron(A_BOLD);
		top_put(y, 0, TOP_RED, "trying again: %s",
			text_clean(view->trouble, text, sizeof(text)));
		attroff(A_BOLD);
	} else if (view->help) {
		top_put(y, 0, 0,
			"q quit  + - interval  sort: r rx, t tx, d drops, p name  "
			"arrows, page keys: scroll  h less");
	} else {
		top_put(y, 0, 0, "q quit  h help");
	}
}

void
top_draw(struct top_view *view)
{
	int rows = LINES - TOP_ROWS_FIXED;
	int most = rows / 3 > 1 ? rows / 3 : 1;
	size_t n_ports;
	size_t n_lcores;
	int lcores;
	int y;

	rates_ports(view->rates, &n_ports);
	rates_lcores(view->rates, &n_lcores);
	/* Lcores get a third of the room, and what the ports leave over. */
	if (rows - (int)n_ports > most)
		most = rows - (int)n_ports;
	lcores = (int)n_lcores < most ? (int)n_lcores : most;
	erase();
	if (*view->trouble != '\0')
		attron(A_DIM); /* what follows is old */
	top_draw_header(view);
	y = top_draw_ports(view, 2, rows - lcores);
	top_draw_lcores(view, y + 1, lcores);
	attroff(A_DIM);
	top_draw_bottom(view);
	refresh();
}
