/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The snapshot: the forwarding configuration of all polling lcores in one immutable object. The
 * control thread builds a new one for every change and publishes it by pointer. The old one is
 * freed when no polling lcore uses it any more.
 *
 * Thread safety: built by the control thread, read by polling lcores, never written once published.
 */
#ifndef SHUNT_DATAPATH_SNAPSHOT_H
#define SHUNT_DATAPATH_SNAPSHOT_H

#include "datapath/feature.h"
#include "lcore/topology.h"
#include "port/port.h"
#include "snoop/ring.h"
#include "snoop/table.h"

/** One rx queue that an lcore polls. */
struct snapshot_poll {
	uint16_t (*rx)(void *dev, uint16_t lcore_id, uint16_t queue, struct frame frames[],
		uint16_t n, struct counters *counters);
	void (*rx_done)(void *dev, uint16_t lcore_id, uint16_t queue); /**< may be NULL */
	bool (*rx_monitor)(
		void *dev, uint16_t queue, struct port_monitor *watch); /**< may be NULL */
	void *dev;
	uint16_t port;
	uint16_t queue;
	uint16_t slot;  /**< index of the load counters of this queue */
	uint16_t quota; /**< rx quota of the port on this lcore, from 1; 0 = none */
	const struct ingress_stage *ingress; /**< of the port; NULL = none */
};

/** A tx port; tx is NULL where there is no port, or it is down. */
struct snapshot_target {
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters); /**< the driver's, or that of a feature before it */
	void *dev;
	uint32_t max_len;
	/** Shorter frames may skip the stages: max_len + 1, or 0 if there are stages. */
	uint32_t plain_limit;
	const struct egress_stage *stages;      /**< never NULL; ended by run == NULL */
	const struct egress_stage *copy_stages; /**< those for copies */
};

/** The stages of a port with features, and their state. Arrays end with run == NULL. */
struct snapshot_stages {
	struct ingress_stage ingress[FEATURES_MAX + 2];
	struct egress_stage egress[FEATURES_MAX + 2];
	struct egress_stage copies[FEATURES_MAX + 2];
	void *state[FEATURES_MAX];
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	struct feature_drain drain; /**< run == NULL: none */
	const void *drain_state;
};

/**
 * Compile the features of a port. Control thread.
 *
 * @param stages receives the stages, to be freed with snapshot_stages_free(); NULL: the port has
 *        none, and takes the plain path
 * @return 0; -ENOMEM
 */
int snapshot_stages_build(const struct feature_input *input, struct snapshot_stages **stages);

/** Free stages and their state. NULL is ignored. Control thread. */
void snapshot_stages_free(struct snapshot_stages *stages);

/** Work that an lcore has to do for a port in each round. */
struct snapshot_drain {
	bool (*run)(struct burst_context *context, const void *state);
	const void *state;
};

/** Queues and further work of one lcore. */
struct snapshot_lcore {
	uint32_t polls; /**< number of entries of `poll` */
	struct snapshot_poll *poll;
	struct snapshot_drain *drain;
	uint16_t n_drains;
	uint16_t n_quotas; /**< number of ports with an rx quota on this lcore */
};

/** Kinds of floods. */
enum { SNAPSHOT_BROADCAST, SNAPSHOT_MULTICAST, SNAPSHOT_UNKNOWN, SNAPSHOT_FLOODS };

/** Targets of a flood: ports that are up. */
struct snapshot_flood {
	uint16_t n;
	uint16_t port[PORT_MAX];
};

/** The forwarding configuration; immutable once published. */
struct snapshot {
	struct snapshot_target target[PORT_MAX];
	struct snapshot_flood flood[SNAPSHOT_FLOODS]; /**< by kind of flood */
	bool floods_differ;   /**< flood keys: the kinds have different targets */
	bool floods_filtered; /**< floods use flood_filtered(); every port has rules */
	const struct rules *rules[PORT_MAX];      /**< by id; NULL = plain switching */
	struct snapshot_stages *stages[PORT_MAX]; /**< by id; NULL = plain switching */
	const struct snoop_table *groups;         /**< NULL = no snooping; set before publication */
	struct snoop_ring *const *rings; /**< by lcore: snooped messages; owned by control */
	struct snapshot_lcore lcore[LCORE_MAX];
	struct snapshot_drain drain[PORT_MAX]; /**< of all lcores, in order of lcore id */
	struct snapshot_poll poll[];           /**< of all lcores, in order of lcore id */
};

/** An rx queue and its lcore; input of snapshot_build(), kept by the control thread. */
struct snapshot_queue {
	struct port *port;
	uint16_t queue;
	uint16_t slot;
	int lcore_id; /**< -1 = not polled */
	bool active;  /**< port enabled and its link up */
};

/**
 * Build a snapshot. It refers to the ports, their devices, meters, shapers and captures, which must
 * outlive it.
 *
 * @param ports by id, PORT_MAX entries, NULL where there is none
 * @param up by id: port enabled and its link up
 * @param queues all rx queues; those that are active and have an lcore are polled
 * @param n_queues up to DATAPATH_SLOT_MAX
 * @return snapshot to publish or to free with snapshot_free(); NULL when there is no memory
 */
struct snapshot *snapshot_build(struct port *const ports[PORT_MAX], const bool up[PORT_MAX],
	const struct snapshot_queue queues[], unsigned n_queues);

/**
 * Get the ingress stages of a port.
 *
 * @param port id, below PORT_MAX
 * @return the stages, valid as long as the snapshot; NULL = none but plain classification
 */
const struct ingress_stage *snapshot_ingress(const struct snapshot *snapshot, uint16_t port);

/** Free a snapshot that no polling lcore uses, with its rules, stages and groups. NULL is ignored. */
void snapshot_free(struct snapshot *snapshot);

#endif
