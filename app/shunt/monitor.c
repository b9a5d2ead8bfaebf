/* SPDX-License-Identifier: BSD-3-Clause */
/* The command monitor: prints events as they happen. */
#include "monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "rpc.h"
#include "stop.h"
#include "text.h"

enum { MONITOR_TEXT_MAX = 256, MONITOR_SECOND_US = 1000000 };

/** Copy a text of an event, without control characters. @return text */
static const char *
monitor_text(const json_t *event, const char *name, char text[MONITOR_TEXT_MAX])
{
	const char *value = json_string_value(json_object_get(event, name));

	return text_clean(value != NULL ? value : "?", text, MONITOR_TEXT_MAX);
}

/** Print the local time of an event with milliseconds. */
static void
monitor_print_time(FILE *file, const json_t *event)
{
	json_int_t us = json_integer_value(json_object_get(event, "time_us"));
	time_t seconds = (time_t)(us / MONITOR_SECOND_US);
	char text[16] = "--:--:--";
	struct tm local;

	if (us > 0 && localtime_r(&seconds, &local) != NULL)
		strftime(text, sizeof(text), "%H:%M:%S", &local);
	fprintf(file, "%s.%03d", text, us > 0 ? (int)(us % MONITOR_SECOND_US / 1000) : 0);
}

/** Print the VLAN of an event, if it has one. */
static void
monitor_print_vlan(FILE *file, const json_t *event)
{
	json_int_t vlan = json_integer_value(json_object_get(event, "vlan"));

	if (vlan != 0)
		fprintf(file, ", VLAN %" JSON_INTEGER_FORMAT, vlan);
}

/** Print the addresses that a flush removed: type, port and VLAN. */
static void
monitor_print_flush(FILE *file, const json_t *event)
{
	char type[MONITOR_TEXT_MAX], port[MONITOR_TEXT_MAX];

	fprintf(file, "flushed: %s addresses", monitor_text(event, "type", type));
	if (json_object_get(event, "port") != NULL)
		fprintf(file, " at %s", monitor_text(event, "port", port));
	monitor_print_vlan(file, event);
}

/** Print an event of one address. */
static void
monitor_print_address(FILE *file, const json_t *event, const char *action)
{
	char mac[MONITOR_TEXT_MAX], port[MONITOR_TEXT_MAX], from[MONITOR_TEXT_MAX];

	fprintf(file, "%s %s", monitor_text(event, "mac", mac), action);
	if (json_object_get(event, "from") != NULL)
		fprintf(file, " from %s to", monitor_text(event, "from", from));
	else
		fputs(" at", file);
	fprintf(file, " %s", monitor_text(event, "port", port));
	monitor_print_vlan(file, event);
}

/** Print an event of an lcore, or of queues that were balanced. */
static void
monitor_print_lcore(FILE *file, const json_t *event, const char *action)
{
	const json_t *moved = json_object_get(event, "moved");

	if (moved != NULL)
		fprintf(file, "%s: %" JSON_INTEGER_FORMAT " queues moved", action,
			json_integer_value(moved));
	else
		fprintf(file, "%" JSON_INTEGER_FORMAT " %s",
			json_integer_value(json_object_get(event, "lcore")), action);
}

/** Print an event of a port or a file: name, action, and type and reason if there are any. */
static void
monitor_print_named(FILE *file, const json_t *event, const char *name, const char *action)
{
	char subject[MONITOR_TEXT_MAX], more[MONITOR_TEXT_MAX];

	fprintf(file, "%s %s", monitor_text(event, name, subject), action);
	if (json_object_get(event, "type") != NULL)
		fprintf(file, " (%s)", monitor_text(event, "type", more));
	if (json_object_get(event, "reason") != NULL)
		fprintf(file, ": %s", monitor_text(event, "reason", more));
}

void
monitor_print(FILE *file, const json_t *event)
{
	char kind[MONITOR_TEXT_MAX], action[MONITOR_TEXT_MAX];

	monitor_text(event, "event", kind);
	monitor_text(event, "action", action);
	monitor_print_time(file, event);
	fprintf(file, "  %-9s  ", kind);
	if (strcmp(kind, "lost") == 0)
		fprintf(file, "%" JSON_INTEGER_FORMAT " events, which were not read in time",
			json_integer_value(json_object_get(event, "lost")));
	else if (strcmp(kind, "fdb") == 0 && strcmp(action, "flushed") == 0)
		monitor_print_flush(file, event);
	else if (strcmp(kind, "fdb") == 0)
		monitor_print_address(file, event, action);
	else if (strcmp(kind, "lcore") == 0)
		monitor_print_lcore(file, event, action);
	else
		monitor_print_named(
			file, event, strcmp(kind, "config") == 0 ? "file" : "port", action);
	putc('\n', file);
}

/** Print an event as text or JSON and flush the output. @return 0; negative errno */
static int
monitor_show(const struct cli *cli, const json_t *event)
{
	if (cli->json) {
		json_dumpf(event, cli->out, JSON_COMPACT);
		putc('\n', cli->out);
	} else {
		monitor_print(cli->out, event);
	}
	return fflush(cli->out) == 0 ? 0 : -errno;
}

/** Print events until a signal or the end of the connection or of the pipe. @return exit code */
static int
monitor_loop(const struct cli *cli, struct rpc *rpc)
{
	struct err err = {0};
	json_t *event;
	int code;

	while ((code = rpc_next(rpc, "event", &event, &err)) == 0) {
		code = monitor_show(cli, event);
		json_decref(event);
		if (code == -EPIPE) {
			clearerr(cli->out);
			return CLI_DONE;
		}
		if (code < 0)
			return cli_fail(cli, CLI_REFUSED, "cannot write: %s", strerror(-code));
	}
	if (code == -ECANCELED)
		return CLI_DONE;
	if (code == -ECONNRESET)
		return cli_fail(cli, CLI_ABSENT, "the switch at %s went away", cli->socket);
	return cli_fail(cli, CLI_REFUSED, "%s", err.text);
}

int
monitor_run(struct cli *cli, const struct command *command, const json_t *params)
{
	const struct rpc_limits limits = {.cancel = &stop_requested};
	struct err err = {0};
	json_t *answer = NULL;

	stop_on_signals();
	struct rpc *rpc = rpc_open(cli->socket, &limits, &err);
	if (rpc == NULL)
		return cli_fail(cli, CLI_ABSENT, "%s", err.text);
	int code = rpc_call(rpc, command->method, params, &answer, &err);
	json_decref(answer);
	if (code == 0)
		code = monitor_loop(cli, rpc);
	else if (code == -ECANCELED)
		code = CLI_DONE;
	else
		code = cli_fail(
			cli, code == -ECONNRESET ? CLI_ABSENT : CLI_REFUSED, "%s", err.text);
	rpc_close(rpc);
	return code;
}
