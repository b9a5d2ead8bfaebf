/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modes: the work of the VMs of a run once they are connected.
 *
 * Thread safety: the table is constant; a mode runs on the main thread.
 */
#ifndef SHUNT_VM_MODE_H
#define SHUNT_VM_MODE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "settings.h"

struct fleet;

enum {
	MODE_PAIR = 1,       /**< one VM sends to another */
	MODE_FLOOD = 2,      /**< one VM sends to all others at once */
	MODE_CEILING = 4,    /**< its result is compared with the generator's ceiling */
	MODE_UNSEALED = 8,   /**< memory may be truncated */
	MODE_ANY_FRAME = 16, /**< frames of other programs, of any size, are received or sent */
	MODE_SINGLE = 32,    /**< its VMs share state: one worker only */
};

struct mode {
	const char *name;
	const char *argument; /**< name of a required argument, or NULL */
	const char *options;  /**< options specific to the mode; others of that kind are refused */
	const char *help;
	unsigned vms_min, vms_max;
	unsigned flags;
	/**
	 * Run the mode.
	 *
	 * @param fleet is open and connected
	 * @param result object that receives the results, errors of frames included
	 * @return 0; negative errno with the reason in err
	 */
	int (*run)(struct fleet *fleet, json_t *result, struct err *err);
};

/** All modes; ends with a NULL name. */
extern const struct mode modes[];

/** @return the mode of that name, or NULL */
const struct mode *mode_find(const char *name);

/** @return true if the mode takes the option (without "--"); all modes take those of the load */
bool mode_takes(const struct mode *mode, const char *option);

int mode_loop(struct fleet *fleet, json_t *result, struct err *err);
int mode_send(struct fleet *fleet, json_t *result, struct err *err);
int mode_ndr(struct fleet *fleet, json_t *result, struct err *err);
int mode_latency(struct fleet *fleet, json_t *result, struct err *err);
int mode_learn(struct fleet *fleet, json_t *result, struct err *err);
int mode_congestion(struct fleet *fleet, json_t *result, struct err *err);
int mode_burst(struct fleet *fleet, json_t *result, struct err *err);
int mode_echo(struct fleet *fleet, json_t *result, struct err *err);
int mode_replay(struct fleet *fleet, json_t *result, struct err *err);
int mode_record(struct fleet *fleet, json_t *result, struct err *err);
int mode_idle(struct fleet *fleet, json_t *result, struct err *err);
int mode_migrate(struct fleet *fleet, json_t *result, struct err *err);
int mode_attack(struct fleet *fleet, json_t *result, struct err *err);

#endif
