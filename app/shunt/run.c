/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands that call a method of the switch. */
#include "run.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "rpc.h"
#include "show.h"

enum { RUN_WAIT_S = 10, RUN_WAIT_STEP_MS = 50 };

/** Print a result as JSON or as text. */
static int
run_print(const struct cli *cli, const struct command *command, const json_t *result)
{
	struct show show = {.file = cli->out, .color = cli->color};
	int code = 0;

	if (cli->json && json_is_null(result)) {
		fputs("{}\n", cli->out);
		return CLI_DONE;
	}
	if (cli->json)
		return cli_json(cli, result);
	if (command->print != NULL)
		code = command->print(&show, result);
	if (code == 0)
		return CLI_DONE;
	if (code == -EPROTO)
		return cli_fail(cli, CLI_REFUSED,
			"the switch's answer to \"%s\" has an unknown form (another version?)",
			command->words);
	return cli_fail(cli, CLI_REFUSED, "%s", strerror(-code));
}

int
run_call(struct cli *cli, const struct command *command, const json_t *params)
{
	struct err err = {0};
	struct rpc *rpc = rpc_open(cli->socket, NULL, &err);
	json_t *result = NULL;
	int code;

	if (rpc == NULL)
		return cli_fail(cli, CLI_ABSENT, "%s", err.text);
	code = rpc_call(rpc, command->method, params, &result, &err);
	rpc_close(rpc);
	if (code != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", err.text);
	code = run_print(cli, command, result);
	json_decref(result);
	return code;
}

/** @return seconds of CLOCK_MONOTONIC */
static double
run_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/**
 * Connect and call a method once.
 *
 * @param seconds timeout
 * @return 0; negative errno, reason in err
 */
static int
run_try(const struct cli *cli, const char *method, double seconds, json_t **result, struct err *err)
{
	int most = RPC_TIMEOUT_MS - 1;
	struct rpc_limits limits = {
		.timeout_ms = 1 + (seconds * 1000 < most ? (int)(seconds * 1000) : most)};
	struct rpc *rpc = rpc_open(cli->socket, &limits, err);
	int code;

	if (rpc == NULL)
		return -errno;
	code = rpc_call(rpc, method, NULL, result, err);
	rpc_close(rpc);
	return code;
}

int
run_wait(struct cli *cli, const struct command *command, const json_t *params)
{
	const struct timespec step = {0, RUN_WAIT_STEP_MS * 1000000L};
	const json_t *wanted = json_object_get(params, "seconds");
	double seconds = wanted == NULL ? RUN_WAIT_S : json_number_value(wanted);
	double end = run_now() + seconds;
	struct err err = {0};
	json_t *result;
	double left = seconds;

	for (;;) {
		if (run_try(cli, command->method, left > 0 ? left : 0.1, &result, &err) == 0)
			break;
		left = end - run_now();
		if (left <= 0)
			return cli_fail(cli, CLI_ABSENT, "waited %g s: %s", seconds, err.text);
		nanosleep(&step, NULL);
	}
	if (cli->json)
		cli_json(cli, result);
	json_decref(result);
	return CLI_DONE;
}

int
run_stop(struct cli *cli, const struct command *command, const json_t *params)
{
	struct err err = {0};
	struct rpc *rpc = rpc_open(cli->socket, NULL, &err);
	json_t *result = NULL;
	int code;

	if (rpc == NULL)
		return cli_fail(cli, CLI_ABSENT, "%s", err.text);
	code = rpc_call(rpc, command->method, params, &result, &err);
	if (code == 0)
		code = rpc_wait_closed(rpc, &err);
	else if (code == -ECONNRESET) /* stopped before its answer was sent */
		code = 0;
	rpc_close(rpc);
	if (code == -ETIMEDOUT && result != NULL)
		err_prefix(&err, "the switch is still stopping");
	if (code == 0)
		code = run_print(cli, command, result != NULL ? result : json_null());
	else
		code = cli_fail(cli, CLI_REFUSED, "%s", err.text);
	json_decref(result);
	return code;
}
