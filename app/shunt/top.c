/* SPDX-License-Identifier: BSD-3-Clause */
/* The command top: samples the switch at an interval and handles keys. */
#include "top.h"

#include <errno.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rpc.h"
#include "top_draw.h"
#include "top_drops.h"
#include "top_rates.h"

enum { TOP_TIMEOUT_MS = 2000, TOP_RETRY_S = 1 };

/** Intervals that the keys + and - select, in seconds. */
static const double top_intervals[] = {0.2, 0.5, 1, 2, 5, 10, 30};

enum {
	TOP_INTERVAL_FIRST = 2,
	TOP_INTERVALS = sizeof(top_intervals) / sizeof(top_intervals[0]),
};

struct top {
	struct top_view view;
	struct rates *rates;
	struct drops *drops;
	struct rpc *rpc; /**< NULL while there is no connection */
	json_t *status;
	struct err err; /**< error of the last sample */
	size_t interval;
	bool quit;
};

/** Set by SIGINT, SIGTERM and SIGHUP. */
static volatile sig_atomic_t top_ended;

/** Signal handler: set the flag. */
static void
top_on_signal(int number)
{
	(void)number;
	top_ended = 1;
}

/** Clear the flag, and set it at signals that end the program from now on. */
static void
top_catch_signals(void)
{
	struct sigaction action = {.sa_handler = top_on_signal};

	top_ended = 0;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/** @return seconds of CLOCK_MONOTONIC */
static double
top_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Request all data of the screen. @return 0; negative errno */
static int
top_request(struct top *top)
{
	json_t *status = NULL;
	json_t *ports = NULL;
	json_t *lcores = NULL;
	json_t *drops = NULL;
	int code = rpc_call(top->rpc, "status", NULL, &status, &top->err);

	if (code == 0)
		code = rpc_call(top->rpc, "port.list", NULL, &ports, &top->err);
	if (code == 0)
		code = rpc_call(top->rpc, "lcore.list", NULL, &lcores, &top->err);
	if (code == 0)
		code = rpc_call(top->rpc, "drops", NULL, &drops, &top->err);
	if (code == 0)
		code = top_drops_update(top->drops, drops, top_now());
	if (code == 0)
		code = top_rates_update(top->rates, ports, lcores, top_now());
	if (code == -EPROTO && top->err.code == 0)
		err_set(&top->err, EPROTO, "the switch's answer has an unknown form");
	if (code == 0) {
		json_decref(top->status);
		top->status = json_incref(status);
	}
	json_decref(status);
	json_decref(ports);
	json_decref(lcores);
	json_decref(drops);
	return code;
}

/** Take a sample; connect first if there is no connection. */
static void
top_sample(struct top *top)
{
	const struct rpc_limits limits = {.timeout_ms = TOP_TIMEOUT_MS, .cancel = &top_ended};

	top->err = (struct err){0};
	if (top->rpc == NULL) {
		top_rates_reset(top->rates);
		top->rpc = rpc_open(top->view.socket, &limits, &top->err);
	}
	if (top->rpc != NULL && top_request(top) != 0) {
		rpc_close(top->rpc);
		top->rpc = NULL;
	}
	top_rates_sort(top->rates, top->view.order);
}

/** Select the next longer or shorter interval. @param step above 0: longer; below 0: shorter */
static void
top_change_interval(struct top *top, int step)
{
	if (step > 0 && top->interval + 1 < TOP_INTERVALS)
		top->interval++;
	else if (step < 0 && top->interval > 0)
		top->interval--;
	top->view.interval = top_intervals[top->interval];
}

/** Sort the ports in another order, and scroll to the first. */
static void
top_set_order(struct top *top, enum rates_order order)
{
	top->view.order = order;
	top->view.first = 0;
	top_rates_sort(top->rates, order);
}

/** Scroll; top_draw() corrects a position beyond the end. */
static void
top_scroll(struct top *top, size_t up, size_t down)
{
	size_t first = top->view.first;

	top->view.first = first > up ? first - up + down : down;
	if (up > 0 && first <= up)
		top->view.first = 0;
}

/** Do what a key stands for. */
static void
top_handle_key(struct top *top, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case 3: /* control-C, if the terminal does not convert it to a signal */
		top->quit = true;
		break;
	case '+':
	case '=':
		top_change_interval(top, 1);
		break;
	case '-':
		top_change_interval(top, -1);
		break;
	case 'r':
		top_set_order(top, RATES_BY_RX);
		break;
	case 't':
		top_set_order(top, RATES_BY_TX);
		break;
	case 'd':
		top_set_order(top, RATES_BY_DROPS);
		break;
	case 'p':
		top_set_order(top, RATES_BY_NAME);
		break;
	case 'h':
	case '?':
		top->view.help = !top->view.help;
		break;
	case KEY_UP:
		top_scroll(top, 1, 0);
		break;
	case KEY_DOWN:
		top_scroll(top, 0, 1);
		break;
	case KEY_PPAGE:
		top_scroll(top, top->view.page, 0);
		break;
	case KEY_NPAGE:
		top_scroll(top, 0, top->view.page);
		break;
	default: /* includes KEY_RESIZE: the next top_draw() uses the new size */
		break;
	}
}

/** @return seconds until the next sample; shorter without a connection */
static double
top_pause(const struct top *top)
{
	bool disconnected = top->rpc == NULL && top->view.interval > TOP_RETRY_S;

	return disconnected ? TOP_RETRY_S : top->view.interval;
}

/** Handle keys until the next sample is due. */
static void
top_wait(struct top *top)
{
	double start = top_now();

	while (!top->quit && !top_ended) {
		struct pollfd poller = {.fd = STDIN_FILENO, .events = POLLIN};
		double left = start + top_pause(top) - top_now();
		int key;

		if (left <= 0)
			return;
		if (poll(&poller, 1, (int)(left * 1000) + 1) > 0 && !(poller.revents & POLLIN))
			top->quit = true; /* the terminal was closed */
		while ((key = getch()) != ERR)
			top_handle_key(top, key);
		top->view.trouble = top->err.text;
		top_draw(&top->view);
	}
}

/** Sample, draw and handle keys until a key or a signal ends the program. */
static void
top_loop(struct top *top)
{
	while (!top->quit && !top_ended) {
		top_sample(top);
		if (top_ended)
			break;
		top->view.status = top->status;
		top->view.trouble = top->err.text;
		top_draw(&top->view);
		top_wait(top);
	}
}

/** Initialize the terminal. @return NULL if its type is unknown */
static SCREEN *
top_screen(bool color)
{
	SCREEN *screen;

	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return NULL;
	top_catch_signals(); /* replaces the handlers that ncurses has set */
	set_term(screen);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	top_draw_init(color);
	return screen;
}

/** Release what top_run() has created, without the screen. */
static void
top_free(struct top *top)
{
	rpc_close(top->rpc);
	json_decref(top->status);
	top_rates_free(top->rates);
	top_drops_free(top->drops);
}

int
top_run(struct cli *cli, const struct command *command, const json_t *params)
{
	struct top top = {.view = {.socket = cli->socket, .order = RATES_BY_NAME, .page = 1}};
	SCREEN *screen;

	(void)params;
	if (cli->json)
		return cli_fail(cli, CLI_USAGE,
			"%s is a screen and has no JSON: poll \"shunt -j port list\"",
			command->words);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(cli, CLI_USAGE, "%s needs a terminal", command->words);
	top.rates = top_rates_new();
	top.drops = top_drops_new();
	if (top.rates == NULL || top.drops == NULL) {
		top_free(&top);
		return cli_fail(cli, CLI_REFUSED, "%s", strerror(errno));
	}
	screen = top_screen(cli->color);
	if (screen == NULL) {
		const char *term = getenv("TERM");

		top_free(&top);
		return cli_fail(cli, CLI_USAGE, "%s: unknown type of terminal \"%.40s\"",
			command->words, term == NULL ? "" : term);
	}
	top.view.rates = top.rates;
	top.view.drops = top.drops;
	top.interval = TOP_INTERVAL_FIRST;
	top_change_interval(&top, 0);
	top_loop(&top);
	endwin();
	delscreen(screen);
	top_free(&top);
	return CLI_DONE;
}
