/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features of ports: what a port does with frames beyond plain switching. All are rows of one static
 * table, features[], in the order of their stages. A snapshot compiles them into arrays of stages
 * for each port; a port without any takes the plain path.
 *
 * Thread safety: the control thread compiles; stages run on polling lcores.
 */
#ifndef SHUNT_DATAPATH_FEATURE_H
#define SHUNT_DATAPATH_FEATURE_H

#include "datapath/ingress.h"
#include "datapath/output.h"
#include "datapath/rules.h"

enum { FEATURES_MAX = 16 };

_Static_assert((int)FEATURES_MAX <= (int)OUTPUT_COPIES_MAX, "each stage may make copies");

/** What a feature of a port is compiled from. */
struct feature_input {
	struct port *const *ports; /**< by id, PORT_MAX entries, NULL where there is none */
	const struct port *port;   /**< one of them */
	const struct rules *rules; /**< of the port; NULL = none */
	bool snooping;             /**< any port is snooped */
};

/** Work of a feature that is due without frames, done by the lcore that polls queue 0 of the port. */
struct feature_drain {
	/** @return whether frames were sent */
	bool (*run)(struct burst_context *context, const void *state);
	uint16_t *owner; /**< receives that lcore's id; LCORE_MAX = none */
};

/** What a feature adds to a port. */
struct feature_stages {
	struct ingress_stage ingress; /**< run == NULL: none */
	struct egress_stage egress;   /**< run == NULL: none */
	bool rewrites;        /**< egress may change lengths: runs before the length check */
	bool copies;          /**< egress also concerns copies, such as mirrored frames */
	bool before_classify; /**< ingress runs before frames are classified */

	/** The driver's tx and device, which a feature may replace by its own. */
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	struct feature_drain drain; /**< run == NULL: none */
	void *state; /**< freed with the snapshot by free(); NULL = nothing was compiled */
};

/** A row of the table. */
struct feature {
	const char *name;

	/**
	 * Compile the feature for a port. Leaves `stages` as it is where the port needs none.
	 * Control thread.
	 *
	 * @return 0; -ENOMEM
	 */
	int (*compile)(const struct feature_input *input, struct feature_stages *stages);
};

/** The table, in the order of stages; ended by a NULL name. */
extern const struct feature features[];

#endif
