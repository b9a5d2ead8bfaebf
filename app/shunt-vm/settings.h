/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command line asks for.
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

/** Options, described by settings_keys; text ones are parsed into the derived part below. */
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
	double loss;   /**< share of frames that PDR tolerates */
	double trial;  /**< seconds of one trial */
	double rate;   /**< frames a second, 0: as many as possible */
	uint64_t peer; /**< address of a VM in another process, as mac_load() */
	struct frame_shape shape;
	unsigned sample; /**< one frame in so many is checked; 0: none, 1: all */
	int cpus[SETTINGS_CPUS_MAX];
	unsigned n_cpus;
	unsigned n_vms;
	struct vm_config vms[SETTINGS_VMS_MAX];
	const struct mode *mode;
	uint64_t given;                       /**< bit i: the option of settings_keys[i] was */
	char argument[SETTINGS_ARGUMENT_MAX]; /**< of the mode: a file, an attack */
};

extern const struct key settings_keys[];

/** What settings_parse() says besides errors. */
enum { SETTINGS_HELP = 1, SETTINGS_VERSION = 2 };

/**
 * Read the command line.
 *
 * @return 0; SETTINGS_HELP or SETTINGS_VERSION when that was asked for; -EINVAL with the reason in err
 */
int settings_parse(struct settings *settings, int argc, char **argv, struct err *err);

/** Print how to use the program. */
void settings_help(FILE *file);

#endif
