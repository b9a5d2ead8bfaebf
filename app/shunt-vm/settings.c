/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses the command line of shunt-vm. */
#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "mode.h"

enum { COUNT_MAX = 1000000000, MACS_MAX = 1 << 20 };

#define FIELD(kind_, name_, field_, ...)                                                           \
	{                                                                                          \
		.name = (name_), .kind = (kind_),                                                  \
		.offset = offsetof(struct settings_options, field_),                               \
		.size = sizeof(((struct settings_options *)0)->field_), ##__VA_ARGS__              \
	}

static const char *const mac_orders[] = {"sequential", "random", NULL};

const struct key settings_keys[] = {
	FIELD(KEY_TEXT, "seconds", seconds),
	FIELD(KEY_TEXT, "timeout", timeout),
	FIELD(KEY_TEXT, "lcore", lcore),
	FIELD(KEY_NUMBER, "threads", threads, .min = 1, .max = SETTINGS_CPUS_MAX),
	FIELD(KEY_TEXT, "frame", frame),
	FIELD(KEY_TEXT, "rate", rate),
	FIELD(KEY_TEXT, "loss", loss),
	FIELD(KEY_TEXT, "trial", trial),
	FIELD(KEY_TEXT, "peer", peer),
	FIELD(KEY_NUMBER, "frames", frames, .min = 1, .max = VRING_SIZE_MAX),
	FIELD(KEY_NUMBER, "macs", macs, .min = 1, .max = MACS_MAX),
	FIELD(KEY_CHOICE, "mac-order", mac_order, .choices = mac_orders),
	FIELD(KEY_NUMBER, "vlan", vlan, .min = 1, .max = 4094),
	FIELD(KEY_NUMBER, "burst", burst, .min = 1, .max = VRING_SIZE_MAX),
	FIELD(KEY_NUMBER, "sample", sample, .min = 0, .max = 64),
	FIELD(KEY_NUMBER, "from", from, .min = 0, .max = SETTINGS_VMS_MAX - 1),
	FIELD(KEY_NUMBER, "to", to, .min = 0, .max = SETTINGS_VMS_MAX - 1),
	FIELD(KEY_NUMBER, "count", count, .min = 1, .max = COUNT_MAX),
	FIELD(KEY_NUMBER, "stall", stall, .min = 0, .max = SETTINGS_VMS_MAX - 1),
	FIELD(KEY_NUMBER, "drop-every", drop_every, .min = 1, .max = COUNT_MAX),
	FIELD(KEY_NUMBER, "dup-every", dup_every, .min = 1, .max = COUNT_MAX),
	FIELD(KEY_NUMBER, "swap-every", swap_every, .min = 1, .max = COUNT_MAX),
	FIELD(KEY_SWITCH, "touch", touch),
	FIELD(KEY_SWITCH, "verify", verify),
	FIELD(KEY_SWITCH, "reconnect", reconnect),
	FIELD(KEY_SWITCH, "max", max),
	FIELD(KEY_SWITCH, "offload", offload),
	FIELD(KEY_SWITCH, "both", both),
	{.name = NULL},
};

static const struct settings_options settings_defaults = {
	.seconds = "1",
	.timeout = "5",
	.frame = "64",
	.rate = "max",
	.loss = "0.5",
	.trial = "0.5",
	.peer = "02:ff:ff:00:00:00",
	.threads = 1,
	.macs = 1,
	.burst = 64,
	.sample = 64,
	.to = 1,
	.stall = 2,
};

/** Parse an option: "--name", "--name=value" or "--name value". */
static int
settings_option(struct settings *settings, int argc, char **argv, int *at, struct err *err)
{
	const char *equals = strchr(argv[*at], '='), *value;
	const char *from = argv[*at] + strspn(argv[*at], "-");
	const struct key *key;
	char name[32] = "";

	memcpy(name, from, strnlen(from, sizeof(name) - 1));
	name[strcspn(name, "=")] = '\0';
	key = key_find(settings_keys, name);
	if (key == NULL)
		return err_set(err, EINVAL, "unknown option %s (see --help)", argv[*at]);
	if (equals != NULL)
		value = equals + 1;
	else if (key->kind == KEY_SWITCH)
		value = "on";
	else if (*at + 1 < argc)
		value = argv[++*at];
	else
		return err_set(err, EINVAL, "%s: a value is missing", argv[*at]);
	settings->given |= UINT64_C(1) << (key - settings_keys);
	return key_set(key, &settings->options, value, err);
}

/** Parse a VM of the command line. */
static int
settings_vm(struct settings *settings, const char *text, struct err *err)
{
	struct vm_config *config = &settings->vms[settings->n_vms];

	if (settings->n_vms == SETTINGS_VMS_MAX)
		return err_set(err, EINVAL, "at most %d VMs are possible", SETTINGS_VMS_MAX);
	vm_defaults(config, settings->n_vms);
	if (vm_parse(config, text, err) != 0)
		return err_prefix(err, "%.80s", text);
	settings->n_vms++;
	return 0;
}

/** Parse what follows --: the mode, its argument and its options. */
static int
settings_mode(struct settings *settings, int argc, char **argv, struct err *err)
{
	int code = 0;

	if (argc == 0)
		return err_set(err, EINVAL, "a mode is missing after -- (see --help)");
	settings->mode = mode_find(argv[0]);
	if (settings->mode == NULL)
		return err_set(err, EINVAL, "'%.40s' is no mode (see --help)", argv[0]);
	for (int i = 1; code == 0 && i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0)
			code = settings_option(settings, argc, argv, &i, err);
		else if (settings->mode->argument == NULL || settings->argument[0] != '\0')
			return err_set(err, EINVAL, "%s: unexpected '%.60s'", argv[0], argv[i]);
		else if ((size_t)snprintf(settings->argument, sizeof(settings->argument), "%s",
				 argv[i]) >= sizeof(settings->argument))
			return err_set(err, EINVAL, "%s: argument too long", argv[0]);
	}
	if (code == 0 && settings->mode->argument != NULL && settings->argument[0] == '\0')
		return err_set(err, EINVAL, "%s: %s is missing", argv[0], settings->mode->argument);
	return code;
}

/** Parse a number above 0 with an optional k, M or G. */
static int
settings_number(double *number, const char *name, const char *text, double max, struct err *err)
{
	char *end;

	*number = strtod(text, &end);
	if (*end == 'k')
		*number *= 1e3;
	else if (*end == 'M')
		*number *= 1e6;
	else if (*end == 'G')
		*number *= 1e9;
	if (end == text || (*end != '\0' && (strchr("kMG", *end) == NULL || end[1] != '\0')) ||
		!(*number > 0 && *number <= max))
		return err_set(err, EINVAL, "%s: '%.40s' is not a number above 0, at most %g", name,
			text, max);
	return 0;
}

/** Parse the list of CPUs of the option lcore. */
static int
settings_cpus(struct settings *settings, struct err *err)
{
	const char *at = settings->options.lcore;

	while (*at != '\0') {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end != at && *end == '-')
			last = strtol(end + 1, &end, 10);
		if (end == at || (*end != ',' && *end != '\0') || first < 0 || last < first ||
			settings->n_cpus + (unsigned long)(last - first) >= SETTINGS_CPUS_MAX)
			return err_set(err, EINVAL, "lcore: '%.40s' is no list of CPUs like 0,2-3",
				settings->options.lcore);
		while (first <= last)
			settings->cpus[settings->n_cpus++] = (int)first++;
		at = *end == ',' ? end + 1 : end;
	}
	return 0;
}

/** Convert the options that are text. */
static int
settings_derive(struct settings *settings, struct err *err)
{
	const struct settings_options *options = &settings->options;
	const double year = 3.2e7, timeout_max = 1e6; /* poll() takes an int of milliseconds */
	int code = settings_number(&settings->seconds, "seconds", options->seconds, year, err);

	if (code == 0)
		code = settings_number(
			&settings->timeout, "timeout", options->timeout, timeout_max, err);
	if (code == 0)
		code = settings_number(&settings->trial, "trial", options->trial, year, err);
	if (code == 0)
		code = settings_number(&settings->loss, "loss", options->loss, 100, err);
	if (code == 0 && strcmp(options->rate, "max") != 0)
		code = settings_number(&settings->rate, "rate", options->rate, 1e12, err);
	if (code == 0)
		code = frame_shape_parse(&settings->shape, options->frame, err);
	if (code == 0)
		code = settings_cpus(settings, err);
	if (code == 0 && mac_parse(options->peer, &settings->peer) != 0)
		code = err_set(err, EINVAL, "peer: '%s' is no address", options->peer);
	settings->loss /= 100;
	settings->sample = options->verify ? 1 : (unsigned)options->sample;
	return code;
}

/** Check that the VMs and options fit the mode. */
static int
settings_check(const struct settings *settings, struct err *err)
{
	const struct settings_options *options = &settings->options;
	const char *mode = settings->mode->name;

	if (settings->mode->run == mode_attack && settings->n_vms == 0 &&
		strcmp(settings->argument, "list") != 0)
		return err_set(err, EINVAL, "attack: needs VMs");
	if (settings->n_vms < settings->mode->vms_min || settings->n_vms > settings->mode->vms_max)
		return err_set(err, EINVAL, "%s: needs %u %s, %u given", mode,
			settings->mode->vms_min,
			settings->mode->vms_max > settings->mode->vms_min ? "or more VMs" : "VM",
			settings->n_vms);
	for (unsigned i = 0; i < settings->n_vms; i++)
		if (settings->shape.kind == FRAME_TSO && !settings->vms[i].tso)
			return err_set(err, EINVAL, "%s: --frame tso needs tso=on",
				settings->vms[i].socket);
	if ((settings->mode->flags & MODE_PAIR) &&
		((unsigned)options->from >= settings->n_vms ||
			(unsigned)options->to >= settings->n_vms || options->from == options->to))
		return err_set(err, EINVAL, "%s: --from %d --to %d are not two of %u VMs", mode,
			(int)options->from, (int)options->to, settings->n_vms);
	if ((settings->mode->flags & MODE_FLOOD) && (unsigned)options->from >= settings->n_vms)
		return err_set(err, EINVAL, "%s: --from %d is none of %u VMs", mode,
			(int)options->from, settings->n_vms);
	for (unsigned i = 0; settings_keys[i].name != NULL; i++)
		if (settings->given >> i & 1 && !mode_takes(settings->mode, settings_keys[i].name))
			return err_set(err, EINVAL, "%s: has no option --%s (see --help)", mode,
				settings_keys[i].name);
	return 0;
}

int
settings_parse(struct settings *settings, int argc, char **argv, struct err *err)
{
	int code = 0, i = 1;

	*settings = (struct settings){.options = settings_defaults};
	for (; code == 0 && i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-j") == 0)
			settings->json = true;
		else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return SETTINGS_HELP;
		else if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0)
			return SETTINGS_VERSION;
		else if (argv[i][0] == '-')
			code = settings_option(settings, argc, argv, &i, err);
		else
			code = settings_vm(settings, argv[i], err);
	}
	if (code != 0)
		return code;
	if (i + 1 < argc && strcmp(argv[i + 1], "--help") == 0)
		return SETTINGS_HELP;
	code = settings_mode(settings, i < argc ? argc - i - 1 : 0, argv + i + 1, err);
	if (code == 0)
		code = settings_derive(settings, err);
	return code != 0 ? code : settings_check(settings, err);
}
