/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of all features at a port: opened for a configuration or set by the feature itself,
 * exchanged, closed once no snapshot refers to it.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_FEATURES_STATE_H
#define SHUNT_FEATURES_STATE_H

#include "datapath/feature.h"

/** State of each feature, in the order of the table; NULL = none. */
struct features_state {
	void *row[FEATURES_MAX];
};

/**
 * Provide the state that a configuration of a port needs: that of the port where it fits, else a
 * new one. The port is not changed.
 *
 * @param port open
 * @param next receives the state, to be passed to features_swap() or features_close()
 * @return 0; negative errno with the reason
 */
int features_open(const struct port *port, const struct port_config *config,
	struct features_state *next, struct err *err);

/**
 * Exchange the state of a port.
 *
 * @param state new one; receives the old one, which lcores use until the next publication
 */
void features_swap(struct port *port, struct features_state *state);

/** Count the frames that wait in the state of a port to be sent. @return number of frames */
unsigned features_backlog(const struct port *port);

/**
 * Check whether features_swap() would take state from a port in which frames may wait.
 *
 * @param next as for features_swap()
 * @return true if it would; lcores may add frames until the next publication
 */
bool features_lose_queue(const struct port *port, const struct features_state *next);

/** Drop the frames that wait at a port that is down. @return number of frames */
unsigned features_purge(struct port *port);

/**
 * Close the state that a port does not use. No snapshot may refer to it.
 *
 * @return number of frames dropped that waited in it
 */
unsigned features_close(const struct port *port, struct features_state *state);

/** Close all state of a port, which has none afterwards. No snapshot may refer to it. */
void features_close_all(struct port *port);

/**
 * Get the state of one feature at a port, for the feature itself.
 *
 * @param feature a row of the table
 * @return where the state is; it may be exchanged, and takes effect with the next publication
 */
void **features_state_of(struct port *port, const struct feature *feature);

#endif
