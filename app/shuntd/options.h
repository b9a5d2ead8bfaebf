/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of shuntd.
 *
 * Thread safety: main() only.
 */
#ifndef SHUNT_SHUNTD_OPTIONS_H
#define SHUNT_SHUNTD_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"

#define OPTIONS_CONFIG "/etc/shunt/shunt.yaml"
#define OPTIONS_SOCKET "/run/shunt/shunt.sock"

struct options {
	const char *config;
	bool config_given; /**< the file must exist; a default file may be missing */
	const char *socket;
	const char *lcores; /**< NULL: not given */
	const char *log_level;
	int eal_argc; /**< arguments after "--" */
	char **eal_argv;
	bool done; /**< help or version has been printed */
};

/** Parse the command line. @return 0; -EINVAL with the reason in err */
int options_parse(struct options *options, int argc, char **argv, struct err *err);

#endif
