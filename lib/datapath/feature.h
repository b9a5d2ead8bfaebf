/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features of ports: the work of a port on frames beyond plain switching. Each is a folder of
 * lib/features and a row of one static table. A snapshot compiles them into arrays of stages for
 * each port; a port without any takes the plain path.
 *
 * Thread safety: the control thread checks, compiles and explains; stages run on polling lcores.
 */
#ifndef SHUNT_DATAPATH_FEATURE_H
#define SHUNT_DATAPATH_FEATURE_H

#include "datapath/filter.h"
#include "datapath/ingress.h"
#include "datapath/output.h"
#include "datapath/trace.h"

enum {
	FEATURES_MAX = PORT_FEATURES_MAX,
	FEATURE_DRAIN_ROUNDS =
		512, /**< of an lcore, in which a port that drains sends what waits */
};

_Static_assert((int)FEATURES_MAX <= (int)OUTPUT_COPIES_MAX, "each stage may make copies");

/** Kinds of floods. */
enum { FLOOD_BROADCAST, FLOOD_MULTICAST, FLOOD_UNKNOWN, FLOOD_KINDS };

/** Input of the compilation of a feature for a port. */
struct feature_input {
	struct port *const *ports; /**< by id, PORT_MAX entries, NULL where there is none */
	const struct port *port;   /**< one of them */
	void *state;               /**< of the feature at that port; NULL = none */
	const void *switch_state;  /**< `state` of struct feature_switch */
	const void *shared;        /**< set by begin() */
};

/** Input of the compilation of a feature for the switch as a whole. */
struct feature_switch {
	struct port *const *ports; /**< as in struct feature_input */
	void *state;               /**< of the feature for the switch as a whole; NULL = off */
	struct snapshot *snapshot; /**< being compiled; receives the groups */
};

/** Work of a feature in every round, by the lcore that polls rx queue 0 of the port. */
struct feature_drain {
	/** Send frames that are due, such as those of a shaper. @return true if any were sent */
	bool (*run)(struct burst_context *context, const void *state);
	uint16_t *owner; /**< receives that lcore's id; LCORE_MAX = none */
};

/** Additions of a feature to a port. Stages and filters whose state is NULL get `state`. */
struct feature_stages {
	struct ingress_stage ingress[INGRESS_PHASES]; /**< run == NULL: none in that phase */
	struct egress_filter filter;                  /**< run == NULL: none */
	struct egress_stage egress;                   /**< run == NULL: none */
	bool rewrites;             /**< egress may change lengths: runs before the length check */
	bool copies;               /**< egress also runs on copies, such as mirrored frames */
	bool no_learning;          /**< source addresses are not learned */
	bool by_source;            /**< frames of a header run must have one source address */
	bool sets_vlan;            /**< ingress of INGRESS_HEADERS sets the VLAN */
	bool refuses[FLOOD_KINDS]; /**< floods that the port does not get */

	/** The driver's tx and device, which a feature may replace by its own. */
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	struct feature_drain drain; /**< run == NULL: none */
	void *state; /**< freed with the snapshot by free(); NULL = nothing was compiled */
};

/** A traced frame, for features to explain. */
struct feature_trace {
	struct port *const *ports; /**< by id */
	const struct port *port;   /**< rx port */
	const uint8_t *bytes;      /**< at least an Ethernet header, but for trace_ingress() */
	const struct trace *trace;
	struct fdb *fdb; /**< of the switch, to look addresses up */

	/** Add a step to the trace. @param step a word @param format of the explanation */
	void (*explain)(void *arg, const char *step, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
	void *arg;
};

/** A row of the table. Control thread. */
struct feature {
	const char *name;

	/**
	 * Check the keys of a port by themselves. NULL: any values fit.
	 *
	 * @return 0; negative errno with the reason
	 */
	int (*check)(const struct port_config *config, struct err *err);

	/**
	 * Check a port against the other ports of a switch. NULL: there are no relations.
	 *
	 * @param configs of all ports, in any order
	 * @param n number of configurations
	 * @param i index of the port
	 * @return 0; negative errno with the reason
	 */
	int (*relate)(
		const struct port_config *const configs[], unsigned n, unsigned i, struct err *err);

	/**
	 * Begin to compile the feature for all ports. It may set `groups` of the snapshot. NULL:
	 * compile() is called for each port.
	 *
	 * @param shared receives input->shared of compile() for each port, freed with the snapshot
	 *        by free(); may be left as it is
	 * @return 1; 0: no port needs the feature, or it is off; -ENOMEM
	 */
	int (*begin)(const struct feature_switch *input, void **shared);

	/**
	 * Compile the feature for a port. Leaves `stages` as it is where the port needs none.
	 *
	 * @return 0; -ENOMEM
	 */
	int (*compile)(const struct feature_input *input, struct feature_stages *stages);

	/**
	 * Check whether a change of keys makes the learned addresses and group memberships of the
	 * port invalid, so that they must be flushed. NULL: none does.
	 *
	 * @return true if it does
	 */
	bool (*needs_flush)(const struct port_config *old, const struct port_config *changed);

	/**
	 * Set what the FDB applies for a port, which has been opened or changed. NULL: nothing.
	 */
	void (*apply)(const struct port *port, struct fdb *fdb);

	/**
	 * Forget what the feature has learned from a port, whose stations may have changed. NULL:
	 * nothing is learned.
	 *
	 * @param state of the feature for the switch as a whole
	 * @param port id, below PORT_MAX
	 */
	void (*forget)(void *state, uint16_t port);

	/**
	 * Provide the state that the feature needs at a port beyond the keys, such as a token
	 * bucket. It outlives snapshots. NULL: keys need none; features_state_of() may set one.
	 *
	 * @param port open, with its present state, which is not changed
	 * @param config of the port from now on
	 * @param state the present state, NULL = none; receives the state for `config`: the same
	 *        if it fits, a new one, or NULL
	 * @return 0; negative errno with the reason, `state` as it was
	 */
	int (*open)(const struct port *port, const struct port_config *config, void **state,
		struct err *err);

	/**
	 * Free the state of a port. No snapshot refers to it, and no frames wait in it. Never NULL
	 * if there is state.
	 */
	void (*close)(const struct port *port, void *state);

	/** Count the frames that wait in the state to be sent. Any thread. NULL: none ever do. */
	unsigned (*backlog)(const void *state);

	/**
	 * Drop the frames that wait in the state. The port is down, or no snapshot refers to the
	 * state. NULL: none ever wait.
	 *
	 * @return number of frames
	 */
	unsigned (*purge)(void *state);

	/**
	 * Explain the decision of the feature's ingress stages about a frame. NULL: there is none
	 * to explain.
	 *
	 * @return true if it dropped the frame
	 */
	bool (*trace_ingress)(const struct feature_trace *traced);

	/** Explain what becomes of the source address of a frame. NULL: nothing to explain. */
	void (*trace_source)(const struct feature_trace *traced);

	/**
	 * Explain the destination of a frame, if the feature set it. NULL: the feature never does.
	 *
	 * @return true if the feature set it
	 */
	bool (*trace_target)(const struct feature_trace *traced);
};

/**
 * Find a configuration by the name of its port. Any thread.
 *
 * @param configs in any order
 * @param n number of configurations
 * @param name untrusted
 * @return one of `configs`; NULL if there is none
 */
const struct port_config *feature_find_config(
	const struct port_config *const configs[], unsigned n, const char *name);

/**
 * Find a port that a key names. Any thread.
 *
 * @param ports by id, PORT_MAX entries, NULL where there is none
 * @param name value of the key
 * @return id; PORT_NONE for ""; PORT_ABSENT: the port does not exist, or not yet
 */
uint16_t feature_port_id(struct port *const ports[PORT_MAX], const char *name);

/**
 * Get the name of the port with an id. Control thread.
 *
 * @param ports by id, PORT_MAX entries, NULL where there is none
 * @param id any number
 * @return the name, valid until the port is deleted; "" if there is no such port
 */
const char *feature_port_name(struct port *const ports[PORT_MAX], uint16_t id);

#endif
