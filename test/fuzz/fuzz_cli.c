/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary answers to the command line program: received, and shown by the command of the first
 * byte.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "command_table.h"
#include "monitor.h"
#include "rpc.h"
#include "show.h"
#include "top_rates.h"

static FILE *nowhere;
static size_t n_commands;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nowhere = fopen("/dev/null", "w");
	fuzz_check(nowhere != NULL);
	while (commands[n_commands].words != NULL)
		n_commands++;
	return 0;
}

static void
show(const struct command *command, const json_t *result)
{
	const struct show to = {.file = nowhere, .color = true};

	if (command->print != NULL) {
		int rc = command->print(&to, result);
		fuzz_check(rc == 0 || rc == -EPROTO);
	}
}

/** Two samples for the live screen, from the same result. */
static void
sample(const json_t *result)
{
	struct rates *rates = top_rates_new();

	fuzz_check(rates != NULL);
	for (int second = 1; second <= 2; second++) {
		int rc = top_rates_update(rates, result, result, second);
		fuzz_check(rc == 0 || rc == -EPROTO);
	}
	top_rates_free(rates);
}

static void
receive(struct rpc *rpc, const struct command *command)
{
	json_t *result = NULL;
	struct err err = {0};

	while (rpc_call(rpc, "any", NULL, &result, &err) == 0) {
		show(command, result);
		sample(result);
		monitor_print(nowhere, result);
		json_decref(result);
	}
	fuzz_check(err.code < 0 && err.text[0] != '\0');
	fuzz_check(err.code != -ETIMEDOUT && err.code != -ECANCELED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rpc_limits limits = {.timeout_ms = 5000, .answer_max = 2048};
	int ends[2];

	if (size < 1)
		return 0;
	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	fuzz_check(size == 1 || write(ends[1], data + 1, size - 1) == (ssize_t)size - 1);
	shutdown(ends[1], SHUT_WR);
	struct rpc *rpc = rpc_attach(ends[0], &limits);
	fuzz_check(rpc != NULL);
	receive(rpc, &commands[data[0] % n_commands]);
	rpc_close(rpc);
	close(ends[1]);
	return 0;
}
