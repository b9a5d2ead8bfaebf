/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws the screen of shunt top. */
#include "top_draw.h"

#include <langinfo.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"
#include "text.h"

enum { TOP_GREEN = 1, TOP_YELLOW, TOP_RED };

enum {
	TOP_LINE_MAX = 512,
	TOP_ROWS_FIXED = 6,  /**< header, gaps, titles and bottom line */
	TOP_ROWS_TABLES = 5, /**< FDB and the title of drops, with gaps */
	TOP_ROWS_SMALL = 18, /**< with fewer rows only ports and lcores are shown */
	TOP_DROPS_MIN = 3,   /**< lowest number of rows for drops */
	TOP_BAR = 20,        /**< columns of a load bar */
	TOP_NAME_MIN = 12,   /**< lowest number of columns for a port's name */
	TOP_NAME_MAX = 32,
	TOP_LOAD_HIGH = 90, /**< per cent */
	TOP_LEVELS = 8,     /**< levels of a sparkline above zero */
	TOP_LEVEL_MAX = 4   /**< bytes of a level's character, with NUL */
};

static bool top_color;
static bool top_utf8;

void
top_draw_init(bool color)
{
	top_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	top_color = color && has_colors();
	if (!top_color)
		return;
	start_color();
	use_default_colors();
	init_pair(TOP_GREEN, COLOR_GREEN, -1);
	init_pair(TOP_YELLOW, COLOR_YELLOW, -1);
	init_pair(TOP_RED, COLOR_RED, -1);
}

/** Begin or end a colour; no effect without colours. @param color 0 = none */
static void
top_set_color(short color, bool on)
{
	if (!top_color || color == 0)
		return;
	if (on)
		attron(COLOR_PAIR(color));
	else
		attroff(COLOR_PAIR(color));
}

/** Print at a position, truncated at the right edge; nothing if it is outside of the screen. */
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
	top_set_color(color, true);
	mvaddnstr(y, x, line, COLS - x);
	top_set_color(color, false);
}

/** Draw a title, in reverse over the whole width. */
static void
top_title(int y, const char *text)
{
	attron(A_REVERSE);
	top_put(y, 0, 0, "%-*s", COLS < TOP_LINE_MAX ? COLS : TOP_LINE_MAX - 1, text);
	attroff(A_REVERSE);
}

/** Draw the first row: version, uptime, number of ports, order and interval. */
static void
top_draw_header(const struct top_view *view)
{
	static const char *const marks[] = {
		[RATES_BY_NAME] = "by name",
		[RATES_BY_RX] = "by rx",
		[RATES_BY_TX] = "by tx",
		[RATES_BY_DROPS] = "by drops",
	};
	char uptime[TEXT_NUMBER_MAX];
	char version[32];
	char part[80] = "";
	size_t n;

	if (view->status == NULL) {
		top_put(0, 0, 0, "shunt: no switch yet at %s", view->socket);
		return;
	}
	top_rates_ports(view->rates, &n);
	if (n > view->page)
		snprintf(
			part, sizeof(part), ", %zu-%zu", view->first + 1, view->first + view->page);
	text_clean(show_string(view->status, "version"), version, sizeof(version));
	text_duration(show_number(view->status, "uptime_s"), uptime);
	top_put(0, 0, 0, "shunt %s   up %s   %zu ports %s%s   every %g s", version, uptime, n,
		marks[view->order], part, view->interval);
}

/** @return a rate as text; "-" before there are two samples */
static const char *
top_rate(bool known, double value, char text[TEXT_NUMBER_MAX])
{
	return known ? text_si(value, text) : "-";
}

/** Draw a sparkline of rates, scaled to the highest; in ASCII unless the locale has UTF-8. */
static void
top_draw_history(int y, int x, const struct rates_port *port)
{
	static const char utf8[][TOP_LEVEL_MAX] = {" ", "\u2581", "\u2582", "\u2583", "\u2584",
		"\u2585", "\u2586", "\u2587", "\u2588"};
	static const char ascii[][TOP_LEVEL_MAX] = {" ", "_", ".", ",", "-", "=", "+", "*", "#"};
	size_t space = COLS > x ? (size_t)(COLS - x) : 0;
	size_t n = port->n_history < space ? port->n_history : space;
	const float *rate = port->history + port->n_history - n;
	float most = 0;

	for (size_t i = 0; i < n; i++)
		most = rate[i] > most ? rate[i] : most;
	if (n == 0 || most <= 0 || y >= LINES)
		return;
	top_set_color(TOP_GREEN, true);
	for (size_t i = 0; i < n; i++) {
		int level = (int)(rate[i] / most * TOP_LEVELS + 0.5F);

		if (level == 0 && rate[i] > 0)
			level = 1;
		mvaddstr(y, x + (int)i, (top_utf8 ? utf8 : ascii)[level]);
	}
	top_set_color(TOP_GREEN, false);
}

/** Draw the row of a port. @param width columns of its name */
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
	top_draw_history(y, x + 54, port);
}

/** @return number of columns for names */
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

/** Draw ports from row y on. @return the row below them */
static int
top_draw_ports(struct top_view *view, int y, int rows)
{
	char title[TOP_LINE_MAX];
	size_t n;
	const struct rates_port *ports = top_rates_ports(view->rates, &n);
	int width = top_name_width(ports, n);

	snprintf(title, sizeof(title), "%-*s  %-4s%9s %9s %9s %9s %9s  %s", width, "PORT", "LINK",
		"RX-PPS", "TX-PPS", "RX-BIT/S", "TX-BIT/S", "DROPS/S", "RX+TX-PPS");
	top_title(y++, title);
	for (size_t i = view->first; i < n && rows > 0; i++, rows--)
		top_draw_port(y++, width, &ports[i]);
	return y;
}

/** Draw a bar in brackets at column 7 for a share from 0 to 1. */
static void
top_draw_bar(int y, double part)
{
	char bar[TOP_BAR + 1] = "";
	int filled = (int)(part * TOP_BAR + 0.5);
	bool high = part * 100 >= TOP_LOAD_HIGH;

	filled = filled < 0 ? 0 : filled > TOP_BAR ? TOP_BAR : filled;
	memset(bar, '|', (size_t)filled);
	top_put(y, 7, 0, "[");
	top_put(y, 8, high ? TOP_YELLOW : TOP_GREEN, "%s", bar);
	top_put(y, 8 + TOP_BAR, 0, "]");
}

/** Draw the row of an lcore. */
static void
top_draw_lcore(int y, const struct rates_lcore *lcore)
{
	char cycles[TEXT_NUMBER_MAX] = "-";

	top_put(y, 0, 0, "%5u", lcore->lcore);
	top_draw_bar(y, lcore->load);
	if (!lcore->known) {
		top_put(y, 9 + TOP_BAR, 0, "%5s  %13s  %9s", "-", "-", "-");
		return;
	}
	if (lcore->cycles_per_packet > 0)
		snprintf(cycles, sizeof(cycles), "%.0f", lcore->cycles_per_packet);
	top_put(y, 9 + TOP_BAR, 0, "%4d%%  %13s  %9.1f", (int)(lcore->load * 100 + 0.5), cycles,
		lcore->packets / 1000);
}

/** Draw lcores from row y on. @return the row below them */
static int
top_draw_lcores(const struct top_view *view, int y, int rows)
{
	char title[TOP_LINE_MAX];
	size_t n;
	const struct rates_lcore *lcores = top_rates_lcores(view->rates, &n);

	snprintf(title, sizeof(title), "%5s  %-*s %4s  %13s  %9s", "LCORE", TOP_BAR + 1, "LOAD", "",
		"CYCLES/PACKET", "KPPS");
	top_title(y++, title);
	for (size_t i = 0; i < n && rows > 0; i++, rows--)
		top_draw_lcore(y++, &lcores[i]);
	return y;
}

/** Draw size and counters of the FDB. @return the row below it */
static int
top_draw_fdb(const struct top_view *view, int y)
{
	static const char *const names[] = {
		"entries", "learned", "moved", "aged", "refused", "replaced"};
	static const char *const titles[] = {
		"ENTRIES", "LEARNED", "MOVED", "AGED", "REFUSED", "REPLACED"};
	const json_t *fdb = json_object_get(view->status, "fdb");
	double capacity = (double)show_number(fdb, "capacity");
	double part = capacity > 0 ? (double)show_number(fdb, "entries") / capacity : 0;
	char title[TOP_LINE_MAX];
	int length = snprintf(title, sizeof(title), "%5s  %-*s", "TABLE", TOP_BAR + 7, "FILL");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[TEXT_NUMBER_MAX];

		top_put(y + 1, length, 0, "%9s", text_si((double)show_number(fdb, names[i]), text));
		length +=
			snprintf(title + length, sizeof(title) - (size_t)length, "%9s", titles[i]);
	}
	top_title(y, title);
	top_put(y + 1, 0, 0, "%5s", "fdb");
	top_draw_bar(y + 1, part);
	top_put(y + 1, 9 + TOP_BAR, 0, "%4d%%", (int)(part * 100 + 0.5));
	return y + 2;
}

/** Draw drops, by rate in descending order. */
static void
top_draw_drops(const struct top_view *view, int y, int rows)
{
	size_t n;
	const struct drops_row *drops = top_drops_rows(view->drops, &n);
	char title[TOP_LINE_MAX];

	snprintf(title, sizeof(title), "%-20s %-3s %-14s %-7s %9s %12s", "DROPS AT", "DIR",
		"REASON", "OWNER", "DROPS/S", "PACKETS");
	top_title(y++, title);
	if (n == 0)
		top_put(y, 0, TOP_GREEN, "none");
	for (size_t i = 0; i < n && rows > 0; i++, rows--) {
		char port[RATES_NAME_MAX], direction[8], reason[32], owner[16];
		char rate[TEXT_NUMBER_MAX], packets[TEXT_NUMBER_MAX];

		top_put(y++, 0, drops[i].rate > 0 ? TOP_RED : 0,
			"%-20.20s %-3s %-14s %-7s %9s %12s",
			text_clean(drops[i].port, port, sizeof(port)),
			text_clean(drops[i].direction, direction, sizeof(direction)),
			text_clean(drops[i].reason, reason, sizeof(reason)),
			text_clean(drops[i].owner, owner, sizeof(owner)),
			text_si(drops[i].rate, rate), text_count(drops[i].packets, packets));
	}
}

/** Draw the last row: an error, else help. */
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

/** Number of rows of each part. */
struct top_space {
	int ports;
	int lcores;
	int drops; /**< -1: no space for FDB and drops */
};

/** @return the lower of two numbers */
static int
top_least(int one, int other)
{
	return one < other ? one : other;
}

/** Divide the rows: lcores and drops get a share each, and the rows that ports do not use. */
static struct top_space
top_divide_rows(const struct top_view *view)
{
	bool small = LINES < TOP_ROWS_SMALL;
	int rows = LINES - TOP_ROWS_FIXED - (small ? 0 : TOP_ROWS_TABLES);
	struct top_space space = {.drops = -1};
	size_t n_ports, n_lcores, n_drops;
	int most;

	top_rates_ports(view->rates, &n_ports);
	top_rates_lcores(view->rates, &n_lcores);
	top_drops_rows(view->drops, &n_drops);
	if (!small) {
		most = rows / 4 > TOP_DROPS_MIN ? rows / 4 : TOP_DROPS_MIN;
		most = rows - (int)n_ports - (int)n_lcores > most
			       ? rows - (int)n_ports - (int)n_lcores
			       : most;
		space.drops = top_least(n_drops > 0 ? (int)n_drops : 1, most);
		rows -= space.drops;
	}
	most = rows / 3 > 1 ? rows / 3 : 1;
	most = rows - (int)n_ports > most ? rows - (int)n_ports : most;
	space.lcores = top_least((int)n_lcores, most);
	space.ports = rows - space.lcores;
	return space;
}

void
top_draw(struct top_view *view)
{
	struct top_space space = top_divide_rows(view);
	size_t n_ports;
	int y;

	top_rates_ports(view->rates, &n_ports);
	view->page = space.ports > 0 ? (size_t)space.ports : 1;
	if (view->first + view->page > n_ports)
		view->first = n_ports > view->page ? n_ports - view->page : 0;
	erase();
	if (*view->trouble != '\0')
		attron(A_DIM); /* the data below is outdated */
	top_draw_header(view);
	y = top_draw_ports(view, 2, space.ports);
	y = top_draw_lcores(view, y + 1, space.lcores);
	if (space.drops >= 0) {
		y = top_draw_fdb(view, y + 1);
		top_draw_drops(view, y + 1, space.drops);
	}
	attroff(A_DIM);
	top_draw_bottom(view);
	refresh();
}
