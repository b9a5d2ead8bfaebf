/* SPDX-License-Identifier: BSD-3-Clause */
/* The command capture. */
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_clock.h"
#include "capture_file.h"
#include "capture_filter.h"
#include "capture_print.h"
#include "capture_source.h"
#include "stop.h"

enum {
	CAPTURE_IDLE_MS = 2,  /**< pause before empty rings are polled again */
	CAPTURE_BATCH = 4096, /**< limit of frames between other checks */
	CAPTURE_MB = 1000000, /**< unit of -C, as in tcpdump */
};

/** One run of the command. */
struct capture_job {
	struct cli *cli;
	struct capture_source *source;
	struct capture_clock clock;
	struct capture_file file;
	bool to_file;
	uint64_t most; /**< limit of frames; 0: unlimited */
	uint64_t captured;
	uint64_t start_ns;
	struct err err;
};

/** @return statistics of the capture so far, for the end of a file */
static struct pcapng_statistics
capture_statistics(struct capture_job *job)
{
	uint64_t lost = capture_source_lost(job->source);

	return (struct pcapng_statistics){
		.ns = job->clock.latest,
		.start_ns = job->start_ns,
		.received = job->captured + lost,
		.lost = lost,
	};
}

/** Print a frame, or write it to the file. @return 0; negative errno with the reason in err */
static int
capture_output(struct capture_job *job, const struct capture_record *record, const uint8_t *bytes)
{
	const char *reason = capture_source_reason(job->source, record->reason);
	struct pcapng_frame frame = {
		.ns = capture_clock_ns(&job->clock, record->tsc),
		.bytes = bytes,
		.caplen = record->caplen,
		.len = record->len,
		.outbound = record->direction == CAPTURE_TX,
	};
	char comment[64];

	job->captured++;
	if (!job->to_file) {
		capture_print(job->cli->out, &frame, reason, job->cli->color);
		return 0;
	}
	if (reason != NULL) {
		snprintf(comment, sizeof(comment), "dropped: %s", reason);
		frame.comment = comment;
	}
	const struct pcapng_statistics statistics = capture_statistics(job);
	return capture_file_write(&job->file, &frame, &statistics, &job->err);
}

/** Whether the limit of frames is reached. */
static bool
capture_has_enough(const struct capture_job *job)
{
	return job->most > 0 && job->captured >= job->most;
}

/**
 * Output up to CAPTURE_BATCH frames.
 *
 * @param all as for capture_source_look()
 * @return frames output; negative errno with the reason in err
 */
static int
capture_batch(struct capture_job *job, bool all)
{
	struct capture_record record;
	const uint8_t *bytes;
	int taken = 0, code = capture_source_look(job->source, all, &job->err);

	while (code == 0 && taken < CAPTURE_BATCH && !capture_has_enough(job) &&
		(bytes = capture_source_next(job->source, &record, &job->err)) != NULL) {
		code = capture_output(job, &record, bytes);
		capture_source_done(job->source);
		taken++;
	}
	if (code == 0)
		code = job->err.code;
	if (code == 0 && taken > 0 && job->to_file)
		code = capture_file_flush(&job->file, &job->err);
	else if (code == 0 && taken > 0 && fflush(job->cli->out) != 0)
		code = err_set(&job->err, errno, "cannot write: %s", strerror(errno));
	return code < 0 ? code : taken;
}

/**
 * Output frames until a signal, the limit of frames, or the end of the connection.
 *
 * @return 0; negative errno with the reason in err
 */
static int
capture_loop(struct capture_job *job)
{
	struct err ended = {0};

	while (!stop_requested && !capture_has_enough(job)) {
		struct pollfd end = {rpc_fd(capture_source_rpc(job->source)), POLLIN, 0};
		int taken = capture_batch(job, false);
		if (taken < 0)
			return taken;
		capture_clock_follow(&job->clock);
		poll(&end, 1, taken > 0 ? 0 : CAPTURE_IDLE_MS);
		if (end.revents == 0 || rpc_ended(capture_source_rpc(job->source), &ended) == 0)
			continue;
		/* Records written before the end are still in the rings. */
		while ((taken = capture_batch(job, true)) > 0)
			;
		if (taken == 0)
			job->err = ended;
		return job->err.code;
	}
	int rest = 1;
	while (rest > 0 && !capture_has_enough(job))
		rest = capture_batch(job, true);
	return rest < 0 ? rest : 0;
}

/** Whether a code is a failure. EPIPE is none: the reader of a pipe has closed it. */
static bool
capture_failed(int code)
{
	return code < 0 && code != -EPIPE;
}

/** Close the file and print failure and summary. @return exit code */
static int
capture_finish(struct capture_job *job, int code)
{
	const struct pcapng_statistics statistics = capture_statistics(job);
	struct err closing = {0};

	if (capture_file_close(&job->file, &statistics, &closing) < 0 && code == 0) {
		code = closing.code;
		job->err = closing;
	}
	if (code == -EPIPE)
		clearerr(job->cli->out);
	if (capture_failed(code))
		cli_fail(job->cli, CLI_REFUSED, "%s", job->err.text);
	/* A new line behind the "^C" of the terminal. */
	if (stop_requested && isatty(fileno(job->cli->err)))
		putc('\n', job->cli->err);
	fprintf(job->cli->err, "%" PRIu64 " frames captured, %" PRIu64 " lost\n", job->captured,
		statistics.lost);
	if (job->cli->json) {
		json_t *summary = json_pack("{s:I, s:I}", "captured", (json_int_t)job->captured,
			"lost", (json_int_t)statistics.lost);
		cli_json(job->cli, summary);
		json_decref(summary);
	}
	return capture_failed(code) ? CLI_REFUSED : CLI_DONE;
}

/** @return number given by an option; 0 = not given */
static json_int_t
capture_option(const json_t *params, const char *name)
{
	return json_integer_value(json_object_get(params, name));
}

/** Check the combination of options. @return CLI_DONE or CLI_USAGE */
static int
capture_check(const struct cli *cli, const json_t *params)
{
	const char *path = json_string_value(json_object_get(params, "file"));
	bool to_stdout = path != NULL && strcmp(path, "-") == 0;

	if (capture_option(params, "files") > 0 && capture_option(params, "megabytes") == 0)
		return cli_fail(cli, CLI_USAGE, "-W FILES goes with -C MB");
	if (capture_option(params, "megabytes") > 0 && (path == NULL || to_stdout))
		return cli_fail(cli, CLI_USAGE, "-C MB goes with -w FILE");
	if (cli->json && (path == NULL || to_stdout))
		return cli_fail(cli, CLI_USAGE, "-j prints a summary; frames go to -w FILE");
	if (to_stdout && isatty(fileno(cli->out)))
		return cli_fail(cli, CLI_USAGE,
			"-w - is for a program that reads pcapng, not for a terminal");
	return CLI_DONE;
}

/** Build the params of the request from the options. @param program filter; NULL = none */
static json_t *
capture_request(const json_t *params, json_t *program)
{
	static const char *const names[] = {"name", "snaplen", "direction"};
	json_t *request = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_get(params, names[i]) != NULL)
			json_object_set(request, names[i], json_object_get(params, names[i]));
	if (program != NULL)
		json_object_set(request, "filter", program);
	return request;
}

/** Open the file, capture, and print a summary. @return exit code */
static int
capture_run_job(struct capture_job *job, const json_t *params, const char *filter)
{
	json_int_t snaplen = capture_option(params, "snaplen");
	const char *path = json_string_value(json_object_get(params, "file"));
	int code = 0;

	job->most = (uint64_t)capture_option(params, "count");
	job->to_file = path != NULL;
	job->file = (struct capture_file){
		.path = path,
		.limit = (uint64_t)capture_option(params, "megabytes") * CAPTURE_MB,
		.files = (unsigned)capture_option(params, "files"),
		.interface = {json_string_value(json_object_get(params, "name")), filter,
			snaplen > 0 ? (uint32_t)snaplen : CAPTURE_SNAPLEN_MAX},
	};
	job->start_ns = capture_clock_ns(&job->clock, job->clock.tsc);
	if (job->to_file)
		code = capture_file_open(&job->file, job->cli->out, &job->err);
	if (code == 0 && job->to_file)
		code = capture_file_flush(&job->file, &job->err);
	if (code == 0) {
		fprintf(job->cli->err, "capturing at %s, until Ctrl-C\n", job->file.interface.name);
		fflush(job->cli->err);
		code = capture_loop(job);
	}
	return capture_finish(job, code);
}

int
capture_run(struct cli *cli, const struct command *command, const json_t *params)
{
	struct capture_job job = {.cli = cli};
	json_t *program = NULL, *request;
	char *filter = NULL;
	int code = capture_check(cli, params);

	(void)command;
	if (code != CLI_DONE)
		return code;
	if (capture_filter_compile(json_object_get(params, "filter"),
		    (int)capture_option(params, "snaplen"), &filter, &program, &job.err) < 0)
		return cli_fail(cli, CLI_REFUSED, "%s", job.err.text);
	stop_on_signals();
	capture_clock_init(&job.clock);
	request = capture_request(params, program);
	job.source = capture_source_open(cli->socket, request, &job.err);
	if (job.source != NULL)
		code = capture_run_job(&job, params, filter);
	else
		code = cli_fail(
			cli, errno == ENOENT ? CLI_ABSENT : CLI_REFUSED, "%s", job.err.text);
	capture_source_close(job.source);
	json_decref(request);
	json_decref(program);
	free(filter);
	return code;
}
