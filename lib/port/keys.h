/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of a port: the structure, and the tables that describe its keys: common ones, a
 * section of each feature, and those of the port's type. The switch parses files and requests by
 * these tables; the command line prints help, the manual page and completion from them. Does not
 * depend on DPDK, since the command line links it.
 *
 * Thread safety: constant tables; functions access only their arguments.
 */
#ifndef SHUNT_PORT_KEYS_H
#define SHUNT_PORT_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

enum {
	PORT_NAME_MAX = 32,
	PORT_QUEUES_MAX = 128,
	PORT_NUMA_AUTO = -1,
	PORT_SECTIONS_MAX = 2048, /**< bytes of all sections */
	PORT_DRIVER_CONFIG_MAX = 640,
};

struct port_driver;

/** Configuration of a port; plain bytes, compared and copied as such. */
struct port_config {
	char name[PORT_NAME_MAX];
	const struct port_driver *driver;
	bool enabled;
	int64_t numa;                                 /**< PORT_NUMA_AUTO or a node */
	_Alignas(8) char sections[PORT_SECTIONS_MAX]; /**< see port_section_get() */
	_Alignas(8) char driver_config[PORT_DRIVER_CONFIG_MAX];
};

/** The keys of a feature: a section of every port's configuration. */
struct port_section {
	const struct key *keys; /**< of the section's structure, ended by a NULL name */
	size_t size;            /**< bytes of that structure */

	/** Set the defaults of keys in a zeroed structure. NULL: all are 0. */
	void (*defaults)(void *section);
};

/** The sections of all features, in their order; ended by NULL. */
extern const struct port_section *const port_sections[];

/** A type of port: its name, help and keys. */
struct port_type {
	const char *name;
	const char *help;
	const struct key *keys; /**< of driver_config, ended by a NULL name */

	/** Set the defaults of keys in a zeroed driver_config. */
	void (*defaults)(void *driver_config);
};

/**
 * Get a section of a configuration.
 *
 * @param section one of port_sections
 * @return the section's structure
 */
const void *port_section_get(const struct port_config *config, const struct port_section *section);

/** As port_section_get(), to be written. @return the section's structure */
void *port_section_change(struct port_config *config, const struct port_section *section);

/** A table of keys with the object that it describes. */
struct port_key_table {
	const struct key *keys; /**< ended by a NULL name */
	void *object;           /**< part of the configuration */
};

/**
 * Get a table of keys that ports of every type have.
 *
 * @param number from 0 on: the common keys, then the sections
 * @return false: there are no more
 */
bool port_key_table(struct port_config *config, unsigned number, struct port_key_table *table);

/**
 * Set the defaults of these keys in a zeroed configuration.
 *
 * @return false: the sections take more than PORT_SECTIONS_MAX bytes
 */
bool port_config_defaults(struct port_config *config);

#endif
