/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings of a run, from the command line.
 *
 * Thread safety: filled before threads start, constant afterwards.
 */
#ifndef SHUNT_VM_SETTINGS_H
#define SHUNT_VM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/key.h"
#include "frame.h"
#include "vm.h"

enum { SETTINGS_VMS_MAX = 512, SETTINGS_CPUS_MAX = 64, SETTINGS_ARGUMENT_MAX = 4096 };

struct mode;

/** Options, described by settings_keys; strings are parsed into members of struct settings. */
struct settings_options {
	char seconds[16], timeout[16], lcore[128];
	char frame[16], rate[32], loss[16], trial[16], peer[18];
	int64_t threads;
	int64_t frames, macs, mac_order, vlan, burst, sample, from, to, count, stall;
	int64_t drop_every, dup_every, swap_every;
	bool touch, verify, reconnect, max, both, offload;
};

struct settings {
	struct settings_options options;
	bool json;
	double seconds, timeout;
	double loss;   /**< share of frames that may be lost at the PDR */
	double trial;  /**< seconds of one trial */
	double rate;   /**< frames per second, 0: unlimited */
	uint64_t peer; /**< address of a VM in another process, as mac_load() */
	struct frame_shape shape;
	unsigned sample; /**< one frame in this number is checked; 0: none, 1: all */
	int cpus[SETTINGS_CPUS_MAX];
	unsigned n_cpus;
	unsigned n_vms;
	struct vm_config vms[SETTINGS_VMS_MAX];
	const struct mode *mode;
	uint64_t given;                       /**< bit i: settings_keys[i] is on the command line */
	char argument[SETTINGS_ARGUMENT_MAX]; /**< of the mode: a file or an attack */
};

extern const struct key settings_keys[];

/** Positive results of settings_parse(). */
enum { SETTINGS_HELP = 1, SETTINGS_VERSION = 2 };

/**
 * Parse the command line.
 *
 * @return 0; SETTINGS_HELP or SETTINGS_VERSION for these options; -EINVAL with the reason in err
 */
int settings_parse(struct settings *settings, int argc, char **argv, struct err *err);

/** Print the usage of the program. */
void settings_help(FILE *file);

#endif
