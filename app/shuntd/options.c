/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses the command line of shuntd. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

static const char options_help[] =
	"Usage: shuntd [OPTIONS] [-- EAL ARGUMENTS]\n"
	"Shunt, a virtual switch for VMs and NICs. Runs in the foreground.\n"
	"\n"
	"  -c, --config FILE      configuration (" OPTIONS_CONFIG ")\n"
	"  -s, --socket SOCKET    control socket ($SHUNT_SOCKET, " OPTIONS_SOCKET ")\n"
	"      --lcores LIST      CPUs that poll, such as 1-3,8, or auto (key lcores, auto)\n"
	"      --log-level LEVEL  error, warning, info or debug (info)\n"
	"  -h, --help             this text\n"
	"  -V, --version          version\n"
	"\n"
	"Arguments after -- are passed to DPDK's EAL, such as: shuntd -- --no-huge -m 1024\n"
	"SIGHUP applies a changed configuration file, SIGTERM and SIGINT stop the switch.\n"
	"Control it with shunt(1): shunt status, shunt port add ...\n";

enum { OPTION_LCORES = 256, OPTION_LOG_LEVEL };

static const struct option options_long[] = {
	{"config", required_argument, NULL, 'c'},
	{"socket", required_argument, NULL, 's'},
	{"lcores", required_argument, NULL, OPTION_LCORES},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

/** Set the log level. */
static int
options_log_level(struct options *options, const char *level, struct err *err)
{
	static const char *const levels[] = {"error", "warning", "info", "debug", NULL};

	for (int i = 0; levels[i] != NULL; i++)
		if (strcmp(levels[i], level) == 0) {
			options->log_level = level;
			return 0;
		}
	return err_set(
		err, EINVAL, "--log-level %.40s: is none of error, warning, info, debug", level);
}

/** Set one option. @param option result of getopt @param word the argument, for errors */
static int
options_set(struct options *options, int option, const char *word, struct err *err)
{
	switch (option) {
	case 'c':
		options->config = optarg;
		options->config_given = true;
		return 0;
	case 's':
		options->socket = optarg;
		return 0;
	case OPTION_LCORES:
		options->lcores = optarg;
		return 0;
	case OPTION_LOG_LEVEL:
		return options_log_level(options, optarg, err);
	case 'h':
		fputs(options_help, stdout);
		options->done = true;
		return 0;
	case 'V':
		printf("shuntd %s (%s)\n", SHUNT_VERSION, rte_version());
		options->done = true;
		return 0;
	case ':':
		return err_set(err, EINVAL, "%.60s: needs an argument; see shuntd --help", word);
	default:
		return err_set(err, EINVAL, "%.60s: no such option; see shuntd --help", word);
	}
}

int
options_parse(struct options *options, int argc, char **argv, struct err *err)
{
	const char *socket = getenv("SHUNT_SOCKET");
	int option, rc = 0;

	*options = (struct options){.config = OPTIONS_CONFIG, .log_level = "info"};
	options->socket = socket != NULL && socket[0] != '\0' ? socket : OPTIONS_SOCKET;
	opterr = 0;
	while (rc == 0 && !options->done) {
		const char *word = argv[optind];
		option = getopt_long(argc, argv, "+:c:s:hV", options_long, NULL);
		if (option < 0)
			break;
		rc = options_set(options, option, word, err);
	}
	if (rc < 0 || options->done)
		return rc;
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return err_set(err, EINVAL,
			"%.60s: unexpected; arguments for the EAL come after --", argv[optind]);
	options->eal_argc = argc - optind;
	options->eal_argv = argv + optind;
	return 0;
}
