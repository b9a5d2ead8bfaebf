/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of all features, and what they check and set together. Generated from the list in
 * meson.build.
 *
 * Thread safety: the table is constant; functions access only their arguments.
 */
#ifndef SHUNT_FEATURES_TABLE_H
#define SHUNT_FEATURES_TABLE_H

#include "datapath/feature.h"

/** The rows, in the order of their stages within a phase; ended by NULL. */
extern const struct feature *const features[];

/**
 * Check the keys of a port by themselves.
 *
 * @return 0; negative errno with the reason
 */
int features_check(const struct port_config *config, struct err *err);

/**
 * Check the intended configurations of all ports of a switch against each other.
 *
 * @param configs in any order
 * @param n number of configurations
 * @param culprit receives the index of the invalid configuration; may be NULL
 * @return 0; negative errno with the reason: -ENOENT (a key names a port that does not exist),
 *         -EINVAL or -EBUSY (ports that do not fit together)
 */
int features_relate(
	const struct port_config *const configs[], unsigned n, unsigned *culprit, struct err *err);

/**
 * Check whether a change of keys makes the learned addresses and group memberships of a port
 * invalid, so that they must be flushed.
 *
 * @return true if it does
 */
bool features_need_flush(const struct port_config *old, const struct port_config *changed);

/** Set what the FDB applies for a port, which has been opened or changed. */
void features_apply(const struct port *port, struct fdb *fdb);

/** @return the place of a row in the table */
unsigned features_index(const struct feature *feature);

#endif
