/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of snooping for the switch as a whole: messages from polling lcores, and the groups that
 * they make.
 *
 * Thread safety: control thread only; each polling lcore writes its own ring.
 */
#ifndef SHUNT_FEATURES_SNOOPING_STATE_H
#define SHUNT_FEATURES_SNOOPING_STATE_H

#include "datapath/feature.h"
#include "snoop/groups.h"
#include "snoop/ring.h"

struct event;

/** State of snooping while it is on. */
struct snooping {
	struct groups *groups;
	struct event *tick; /**< timer, of the control part */
	unsigned lcores;
	struct snoop_ring *ring[LCORE_MAX]; /**< by lcore id, below `lcores` */
};

extern const struct feature snooping_feature;

/** Read CLOCK_MONOTONIC. @return milliseconds */
uint64_t snooping_now_ms(void);

/** Create the state for up to LCORE_MAX polling lcores. @return NULL: no memory */
struct snooping *snooping_create(unsigned lcores);

/** Free the state, which no snapshot refers to. NULL is ignored. */
void snooping_destroy(struct snooping *snooping);

/**
 * Process the messages of polling lcores, at most one ring's worth per lcore; later ones wait for
 * the next call.
 */
void snooping_collect(struct snooping *snooping);

/**
 * Count the messages lost because the ring of an lcore was full.
 *
 * @return number of messages
 */
uint64_t snooping_lost(const struct snooping *snooping);

#endif
