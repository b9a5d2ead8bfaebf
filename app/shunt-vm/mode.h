/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modes: what the VMs do once they are there.
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
	MODE_PAIR = 1,       /**< from one VM to another */
	MODE_FLOOD = 2,      /**< from one VM to all others at once */
	MODE_CEILING = 4,    /**< its result is compared with the generator's ceiling */
	MODE_UNSEALED = 8,   /**< memory may be truncated */
	MODE_ANY_FRAME = 16, /**< frames of any size come and go, not only this program's own */
	MODE_SINGLE = 32,    /**< its VMs share state: one thread */
};

struct mode {
	const char *name;
	const char *argument; /**< what must follow, or NULL */
	const char *options;  /**< those that it has; others of this kind it refuses */
	const char *help;
	unsigned vms_min, vms_max;
	unsigned flags;
	/**
	 * @param fleet started
	 * @param result an object to fill
	 * @return 0; negative errno with the reason in err; what went wrong with frames is in result
	 */
	int (*run)(struct fleet *fleet, json_t *result, struct err *err);
};

/** All modes; ends with a NULL name. */
extern const struct mode modes[];

/** @return NULL when there is none of that name */
const struct mode *mode_find(const char *name);

/** Does an option, without its "--", mean something to a mode? Those of the load always do. */
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
