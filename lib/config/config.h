/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file: read it, compare it with what runs, make it so, write what runs.
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

struct config_port {
	struct port_config config;
	unsigned line; /**< in the file, from 1 */
};

/** What a file says. */
struct config {
	char path[CONFIG_PATH_MAX];     /**< of the file, for messages */
	char lcores[CONFIG_LCORES_MAX]; /**< empty = not said */
	unsigned lcores_line;
	struct fdb_config fdb;             /**< 0 = not said */
	char metrics[METRICS_ADDRESS_MAX]; /**< empty = off */
	unsigned metrics_line;
	bool snooping;
	struct config_port *ports;
	unsigned n_ports;
};

/** What applying a configuration did: names of ports. */
struct config_changes {
	json_t *added;
	json_t *removed;
	json_t *changed;
};

/**
 * Read a file. Everything that can be checked without a running switch is checked.
 *
 * @param config filled in; config_free() it, also after a failure
 * @return 0; negative errno with "FILE:LINE: key: reason"; -ENOENT when there is no such file
 */
int config_read(struct config *config, const char *path, const struct port_driver *const drivers[],
	struct err *err);

/** The same from memory. @param length bytes of YAML */
int config_parse(struct config *config, const char *text, size_t length,
	const struct port_driver *const drivers[], struct err *err);

void config_free(struct config *config);

/** What a configuration describes. */
struct config_target {
	struct vswitch *vswitch;
	struct metrics *metrics;
};

/**
 * Make the switch what the configuration says. Ports that it says the same of are not touched.
 *
 * @param changes receives names; NULL when nobody wants to know
 * @return 0; the first failure otherwise, after all else has been done
 */
int config_apply(const struct config_target *target, const struct config *config,
	struct config_changes *changes, struct err *err);

/** What runs, as a file that config_read() takes. @return text to free(), or NULL */
char *config_print(const struct config_target *target);

/** What runs, in one object of the same shape. */
json_t *config_json(const struct config_target *target);

/** The RPC methods config.show, config.save and config.apply. */
struct config_service {
	struct config_target target;
	const char *path; /**< the file shuntd was started with */
};

void config_register(struct rpc *rpc, struct config_service *service);

#endif
