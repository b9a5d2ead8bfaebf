/* SPDX-License-Identifier: BSD-3-Clause */
/* The main program of shunt-vm: reads the command line, creates the VMs, runs the mode, reports. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "ceiling.h"
#include "fleet.h"
#include "mode.h"
#include "report.h"
#include "settings.h"
#include "base/tsc.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/** Signal handler: end the run. */
static void
main_interrupt(int signal_number)
{
	(void)signal_number;
	fleet_interrupted = true;
}

/** Handle signals: the first ends the run or the wait for a back end, the second the program. */
static void
main_catch_signals(void)
{
	struct sigaction action = {.sa_handler = main_interrupt, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/** Raise the limit of file descriptors, of which every VM needs several. */
static void
main_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/** Print the result as JSON or as text. */
static void
main_print(const struct settings *settings, json_t *result)
{
	if (settings->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
		putchar('\n');
	} else {
		report_print(result, stdout);
	}
	fflush(stdout);
}

/** Create and connect the VMs, run the mode, and add the ceiling to the result. */
static int
main_run(const struct settings *settings, struct fleet *fleet, json_t *result, struct err *err)
{
	bool wants = settings->mode->flags & MODE_CEILING;
	double ceiling = wants ? ceiling_measure(settings) : 0;
	int code = fleet_open(fleet, settings, err);

	if (code != 0)
		return code;
	json_object_set_new(result, "mode", json_string(settings->mode->name));
	code = settings->mode->run(fleet, result, err);
	if (fleet_interrupted)
		json_object_set_new(result, "interrupted", json_true());
	if (wants)
		report_ceiling(result, ceiling);
	return code;
}

int
main(int argc, char **argv)
{
	static struct settings settings;
	struct err err = {0};
	struct fleet fleet = {0};
	json_t *result;
	int code = settings_parse(&settings, argc, argv, &err);

	if (code == SETTINGS_HELP) {
		settings_help(stdout);
		return EXIT_DONE;
	}
	if (code == SETTINGS_VERSION) {
		printf("shunt-vm %s\n", SHUNT_VERSION);
		return EXIT_DONE;
	}
	if (code != 0) {
		fprintf(stderr, "shunt-vm: %s\n", err.text);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	main_catch_signals();
	main_raise_limits();
	tsc_calibrate();
	result = json_object();
	code = main_run(&settings, &fleet, result, &err);
	if (json_object_size(result) > 1 || code == 0)
		main_print(&settings, result);
	if (code != 0)
		fprintf(stderr, "shunt-vm: %s\n", err.text);
	bool bad = report_is_bad(result);
	json_decref(result);
	fleet_close(&fleet);
	return code != 0 || bad ? EXIT_FAILED : EXIT_DONE;
}
