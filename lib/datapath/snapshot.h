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

#include "datapath/classify_runs.h"
#include "datapath/feature.h"
#include "lcore/topology.h"
#include "port/port.h"
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
	const struct ingress_stage *ingress;     /**< of the port; NULL = none */
	int (*rx_fd)(void *dev, uint16_t queue); /**< may be NULL */
};

/** A tx port; tx is NULL if there is no port, or the port is down. Arrays end with run == NULL. */
struct snapshot_target {
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters); /**< the driver's, or that of a feature before it */
	void *dev;
	uint32_t max_len;
	/** Shorter frames may skip the stages: max_len + 1, or 0 if there are stages. */
	uint32_t plain_limit;
	const struct egress_filter *filters;    /**< NULL: all frames may leave */
	const struct egress_stage *stages;      /**< never NULL */
	const struct egress_stage *copy_stages; /**< those for copies; never NULL */
};

enum { SNAPSHOT_INGRESS_MAX = FEATURES_MAX * INGRESS_PHASES + 4 };

/** The stages of a port with features, and their state. Arrays end with run == NULL. */
struct snapshot_stages {
	struct ingress_stage ingress[SNAPSHOT_INGRESS_MAX];
	struct egress_filter filters[FEATURES_MAX + 1];
	struct egress_stage egress[FEATURES_MAX + 2];
	struct egress_stage copies[FEATURES_MAX + 2];
	struct classify_config classify;
	bool refuses[FLOOD_KINDS]; /**< floods that the port does not get */
	void *state[FEATURES_MAX];
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	struct feature_drain drain; /**< run == NULL: none */
	const void *drain_state;
};

/** Work of an lcore for a port in each round: the drain of one feature. */
struct snapshot_drain {
	bool (*run)(struct burst_context *context, const void *state);
	const void *state;
};

/** Rx queues and drains of one lcore. */
struct snapshot_lcore {
	uint32_t polls; /**< number of entries of `poll` */
	struct snapshot_poll *poll;
	struct snapshot_drain *drain;
	uint16_t n_drains;
	uint16_t n_quotas; /**< number of ports with an rx quota on this lcore */
};

/** Targets of a flood: ports that are up. */
struct snapshot_flood {
	uint16_t n;
	uint16_t port[PORT_MAX];
};

/** The forwarding configuration; immutable once published. */
struct snapshot {
	struct snapshot_target target[PORT_MAX];
	struct snapshot_flood flood[FLOOD_KINDS]; /**< by kind of flood */
	bool floods_filtered;                     /**< a port has egress filters */
	struct snapshot_stages *stages[PORT_MAX]; /**< by id; NULL = plain switching */
	void *shared[FEATURES_MAX];               /**< state of features for all their stages */
	const struct snoop_table *groups; /**< of DEST_GROUP; set by a feature, may be NULL */
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
 * Compile the features of all ports. Control thread.
 *
 * @param snapshot receives the stages of each port and the shared state
 * @param features as for snapshot_build()
 * @param states as for snapshot_build()
 * @param ports as for snapshot_build()
 * @return 0; -ENOMEM: the snapshot can only be freed
 */
int snapshot_compile(struct snapshot *snapshot, const struct feature *const features[],
	void *const states[], struct port *const ports[PORT_MAX]);

/** Free the stages and their state. Control thread. */
void snapshot_compile_free(struct snapshot *snapshot);

/**
 * Build a snapshot. It refers to the ports, their devices and the state of features, which must
 * outlive it.
 *
 * @param features in the order of their stages within a phase, ended by NULL; FEATURES_MAX at most
 * @param states of the features for the switch as a whole, in their order; NULL = all are NULL
 * @param ports by id, PORT_MAX entries, NULL where there is none
 * @param up by id: port enabled and its link up
 * @param queues all rx queues; those that are active and have an lcore are polled
 * @param n_queues up to DATAPATH_SLOT_MAX
 * @return snapshot to publish or to free with snapshot_free(); NULL when there is no memory
 */
struct snapshot *snapshot_build(const struct feature *const features[], void *const states[],
	struct port *const ports[PORT_MAX], const bool up[PORT_MAX],
	const struct snapshot_queue queues[], unsigned n_queues);

/**
 * Get the ingress stages of a port.
 *
 * @param port id, below PORT_MAX
 * @return the stages, valid as long as the snapshot; NULL = none but plain classification
 */
const struct ingress_stage *snapshot_ingress(const struct snapshot *snapshot, uint16_t port);

/** Free a snapshot that no polling lcore uses, with its stages and groups. NULL is ignored. */
void snapshot_free(struct snapshot *snapshot);

#endif
