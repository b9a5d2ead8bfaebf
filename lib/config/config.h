/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file: read and check it, apply it to a running switch, write the running
 * configuration.
 *
 * Thread safety: control thread only (and main() before the switch exists).
 */
#ifndef SHUNT_CONFIG_CONFIG_H
#define SHUNT_CONFIG_CONFIG_H

#include <jansson.h>

#include "control/rpc.h"
#include "control/vswitch.h"
#include "metrics/metrics.h"

enum { CONFIG_LCORES_MAX = 256, CONFIG_FILE_MAX = 4 << 20, CONFIG_PATH_MAX = 4096 };

/** A port of a configuration file. */
struct config_port {
	struct port_config config;
	unsigned line; /**< of the port's key in the file, from 1 */
};

/** Content of a configuration file. */
struct config {
	char path[CONFIG_PATH_MAX];     /**< of the file, for messages */
	char lcores[CONFIG_LCORES_MAX]; /**< list of CPUs or "auto"; empty = not given */
	unsigned lcores_line;
	struct fdb_config fdb;             /**< members that are 0 were not given */
	char metrics[METRICS_ADDRESS_MAX]; /**< empty = off */
	unsigned metrics_line;
	bool on[FEATURES_MAX]; /**< features of the switch as a whole, in the order of features[] */
	struct config_port *ports;
	unsigned n_ports;
};

/** Names of the ports that config_apply() changed: JSON arrays, each owned by the caller. */
struct config_changes {
	json_t *added;
	json_t *removed;
	json_t *changed;
};

/**
 * Read a file, with all checks that need no running switch.
 *
 * @param config receives the content; to be freed by config_free(), after a failure too
 * @param path of the file
 * @param drivers all port drivers, terminated by NULL
 * @return 0; negative errno with the reason, as "FILE:LINE: key: reason" where a line is at fault;
 *         -ENOENT when there is no such file
 */
int config_read(struct config *config, const char *path, const struct port_driver *const drivers[],
	struct err *err);

/**
 * config_read() from memory.
 *
 * @param config all zero, but for `path`, which messages name
 * @param text YAML; need not be terminated
 * @param length bytes of text
 * @param drivers as for config_read()
 * @return as config_read()
 */
int config_parse(struct config *config, const char *text, size_t length,
	const struct port_driver *const drivers[], struct err *err);

/** Free the memory that a struct config points to, not the struct. */
void config_free(struct config *config);

/** Objects that a configuration applies to; borrowed. */
struct config_target {
	struct vswitch *vswitch;
	struct metrics *metrics;
};

/**
 * Change the running switch to match a configuration. Ports whose configuration is equal are not
 * touched.
 *
 * A failure of `fdb`, `metrics`, `lcores` or a feature ends the call. A failure of a port does
 * not: the other ports are applied, and further failures are logged.
 *
 * @param changes arrays to append names to; it, and each array, may be NULL
 * @return 0; the first failure, as negative errno with the reason
 */
int config_apply(const struct config_target *target, const struct config *config,
	struct config_changes *changes, struct err *err);

/**
 * Read a file and apply it, and publish the event of that: `action`, or EVENT_FAILED.
 *
 * @param path of the file
 * @param lcores false: the file's `lcores` is ignored
 * @param changes as for config_apply()
 * @param action EVENT_APPLIED or EVENT_RELOADED
 * @return 0; the first failure, as negative errno with the reason
 */
int config_load(const struct config_target *target, const char *path, bool lcores,
	struct config_changes *changes, enum event_action action, struct err *err);

/** The running configuration as text for config_read(). @return to be freed by free(), or NULL */
char *config_print(const struct config_target *target);

/** The running configuration as JSON of the same structure. @return owned by the caller */
json_t *config_json(const struct config_target *target);

/** Argument of the RPC methods config.show, config.save and config.apply. */
struct config_service {
	struct config_target target;
	const char *path; /**< file that shuntd was started with, the default of save and apply */
};

/** Register these methods. @param service must outlive the server */
void config_register(struct rpc *rpc, struct config_service *service);

#endif
