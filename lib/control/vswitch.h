/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch: its ports, its FDB, its polling lcores, and changes of them while frames flow. A
 * function that fails leaves the switch as it was, unless its comment says otherwise.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_VSWITCH_H
#define SHUNT_CONTROL_VSWITCH_H

#include <sched.h>
#include <sys/queue.h>
#include <time.h>

#include <jansson.h>

#include "datapath/datapath.h"
#include "datapath/snapshot.h"
#include "event/event.h"
#include "fdb/fdb.h"
#include "port/port.h"

struct event_base;
struct features_state;

/** A port of the switch. */
struct vswitch_port {
	struct port port;
	struct port_link link; /**< as last read */
	struct counters base;  /**< counters of its id before this port was added */
	/** Load of its queues in the slots that they had before, by queue. */
	struct datapath_load queue_before[PORT_QUEUES_MAX];
	TAILQ_ENTRY(vswitch_port) next; /**< in the order of addition */
};

/** A polling lcore. */
struct vswitch_lcore {
	unsigned cpu;
	int node;
	int lcore_id; /**< in the data path */
};

/** The switch. */
struct vswitch {
	const struct port_driver *const *drivers;
	struct event_base *events;
	struct fdb *fdb;
	struct datapath *datapath;
	struct port_services services;
	struct event *link_event;
	struct event *tick_event;
	int link_fd;           /**< eventfd, written by drivers, read by the control thread */
	bool publish_deferred; /**< added ports are published by vswitch_publish_resume() */

	TAILQ_HEAD(vswitch_ports, vswitch_port) ports;
	unsigned n_ports;
	struct port *by_id[PORT_MAX];
	bool up[PORT_MAX]; /**< enabled, and the link is up */

	cpu_set_t allowed; /**< CPUs that this process may use */
	struct vswitch_lcore lcore[LCORE_MAX];
	unsigned n_lcores;

	struct snapshot_queue queue[DATAPATH_SLOT_MAX];
	unsigned n_queues;
	struct datapath_load slot_base[DATAPATH_SLOT_MAX]; /**< load when its queue got it */
	uint64_t slot_seen[DATAPATH_SLOT_MAX];             /**< busy cycles at the last tick */
	uint64_t slot_load[DATAPATH_SLOT_MAX]; /**< busy cycles between the last two ticks */

	/** State of features for the switch as a whole, in the order of their table; NULL = off. */
	void *feature_state[FEATURES_MAX];

	struct event_hub *hub;   /**< where events are published; NULL = nowhere */
	struct event *fdb_event; /**< timer that publishes changes of the FDB */
	bool fdb_recorded;       /**< the FDB records changes */
	time_t started;
};

/** Configuration of a new switch. */
struct vswitch_config {
	const struct port_driver *const *drivers; /**< terminated by NULL */
	struct event_base *events;                /**< of the control thread; outlives the switch */
	struct fdb_config fdb;
	cpu_set_t allowed;     /**< CPUs that this process may use */
	cpu_set_t polling;     /**< CPUs of polling lcores */
	struct event_hub *hub; /**< for events; outlives the switch; NULL = none are published */
};

/** Read CLOCK_MONOTONIC. @return seconds */
time_t vswitch_now(void);

/**
 * Create a switch without ports and start its polling lcores.
 *
 * @return NULL with the reason in err
 */
struct vswitch *vswitch_create(const struct vswitch_config *config, struct err *err);

/** Delete all ports, stop all lcores, free everything. NULL is ignored. */
void vswitch_destroy(struct vswitch *vswitch);

/* vswitch_find.c */

/**
 * Find a port.
 *
 * @param name exact name; untrusted
 * @return the port, owned by the switch; NULL with the reason in err when there is none
 */
struct vswitch_port *vswitch_port_find(struct vswitch *vswitch, const char *name, struct err *err);

/* vswitch_port.c */

/**
 * Open a port and publish it. While publication is deferred, vswitch_publish_resume() publishes it,
 * and relations to other ports are not checked.
 *
 * @param config copied
 * @return 0; negative errno with the reason: -EEXIST, -ENOSPC when all ids or slots are in use
 */
int vswitch_port_add(struct vswitch *vswitch, const struct port_config *config, struct err *err);

/**
 * Change the configuration of the port of the same name: in operation when all keys that differ
 * are live keys, else by closing and opening it. On failure it has its old configuration again; a
 * port that cannot be reopened with that is deleted, and an error is logged.
 *
 * @param config copied
 * @return 0; negative errno with the reason: -ENOENT when there is no such port
 */
int vswitch_port_change(struct vswitch *vswitch, const struct port_config *config, struct err *err);

/**
 * Unpublish a port, close and free it; its captures end. Whether other ports name it is not
 * checked here, see vswitch_check_relations().
 *
 * @param name of the port; untrusted
 * @return 0; -ENOENT with the reason
 */
int vswitch_port_del(struct vswitch *vswitch, const char *name, struct err *err);

/**
 * Read the links of all ports and publish ports that went up or down. Where a link changed, or was
 * down since the last call, learnt FDB entries and group memberships are flushed. Queues of a port
 * whose NUMA node changed are assigned to lcores again.
 */
void vswitch_links(struct vswitch *vswitch);

/** Counters of a port since it was added. */
void vswitch_port_counters(
	const struct vswitch *vswitch, const struct vswitch_port *port, struct counters *counters);

/** Load of an rx queue since its port was added. @param queue one of this port */
void vswitch_queue_load(const struct vswitch *vswitch, const struct vswitch_port *port,
	const struct snapshot_queue *queue, struct datapath_load *load);

/* vswitch_lcore.c */

/**
 * Start a polling lcore on a CPU and balance the queues.
 *
 * @param cpu number of the CPU
 * @return 0; negative errno with the reason: -EINVAL for a CPU that this process may not use,
 *         -EEXIST when it polls already, -EBUSY when no CPU would be left to other threads
 */
int vswitch_lcore_add(struct vswitch *vswitch, unsigned cpu, struct err *err);

/**
 * Stop the polling lcore of a CPU and give its queues to the other lcores.
 *
 * @param cpu number of the CPU
 * @return 0; negative errno with the reason: -ENOENT when it does not poll, -EBUSY when it is the
 *         last polling lcore
 */
int vswitch_lcore_del(struct vswitch *vswitch, unsigned cpu, struct err *err);

/** Balance the queues over the lcores by load. @return number of queues moved */
unsigned vswitch_lcore_balance(struct vswitch *vswitch);

/**
 * Make the set of polling lcores equal to a set of CPUs, and balance the queues.
 *
 * @param polling the CPUs, not empty
 * @return 0; negative errno with the reason, with lcores started or stopped before the failure kept
 */
int vswitch_lcore_set(struct vswitch *vswitch, const cpu_set_t *polling, struct err *err);

/** Assign an lcore to every queue that has none. Does not publish. */
void vswitch_lcore_assign(struct vswitch *vswitch);

/**
 * Take queues from their lcores, and publish, so that other lcores may be given them: on return no
 * lcore polls them.
 *
 * @param choose whether to take a queue; called with `arg`
 * @param arg passed to `choose`
 */
void vswitch_lcore_release(struct vswitch *vswitch,
	bool (*choose)(const struct snapshot_queue *, const void *), const void *arg);

/** Confine all threads that do not poll to allowed CPUs without a polling lcore. */
void vswitch_lcore_confine(struct vswitch *vswitch);

/**
 * Find an lcore.
 *
 * @param lcore_id its id in the data path
 * @return the lcore; NULL when there is none, as for -1
 */
const struct vswitch_lcore *vswitch_lcore_of(const struct vswitch *vswitch, int lcore_id);

/* vswitch_relations.c */

/**
 * Check that the relations of all ports (uplink, mirror, policy) are valid after a change of one
 * port.
 *
 * @param name of the port to change, add or delete
 * @param config its configuration afterwards; NULL = deleted
 * @return 0; negative errno with the reason
 */
int vswitch_check_relations(struct vswitch *vswitch, const char *name,
	const struct port_config *config, struct err *err);

/* vswitch_features.c */

/**
 * Control part of a feature with state for the switch as a whole, while a key of the configuration
 * file with the name of the feature is on. It is NAME_control in control.c of the feature's folder.
 */
struct vswitch_feature {
	const struct feature *feature;

	/** Create the state. @return NULL with the reason in err */
	void *(*open)(struct vswitch *vswitch, struct err *err);

	/** Free the state, which no snapshot refers to. */
	void (*close)(void *state);

	/** Build the member of `status` with the name of the feature. @return owned by the caller */
	json_t *(*status)(const void *state);
};

/** All such features; ended by NULL. */
extern const struct vswitch_feature *const vswitch_features[];

/**
 * Get the state of a feature for the switch as a whole.
 *
 * @param feature a row of the table
 * @return the state; NULL = off
 */
void *vswitch_feature_state(const struct vswitch *vswitch, const struct feature *feature);

/**
 * Turn a feature on or off; publishes.
 *
 * @param part one of vswitch_features
 * @param on true for on
 * @return 0; negative errno with the reason, and the feature is as it was
 */
int vswitch_feature_set(
	struct vswitch *vswitch, const struct vswitch_feature *part, bool on, struct err *err);

/** Free the state of features for the switch as a whole. After datapath_destroy(). */
void vswitch_features_destroy(struct vswitch *vswitch);

/**
 * Let features forget what they have learned from a port.
 *
 * @param port id, below PORT_MAX
 */
void vswitch_features_forget(struct vswitch *vswitch, uint16_t port);

/**
 * Exchange the state of the features of a port. Frames that wait in state that the port loses are
 * sent first if the port is up.
 *
 * @param state new one, of features_open(); receives the old one, which lcores use until the next
 *        publication
 */
void vswitch_features_swap(
	struct vswitch *vswitch, struct vswitch_port *port, struct features_state *state);

/** As features_close(); frames that wait are dropped and counted. */
void vswitch_features_close(
	struct vswitch *vswitch, const struct vswitch_port *port, struct features_state *state);

/* vswitch_events.c */

/**
 * Publish events to a hub from now on.
 *
 * @param hub outlives the switch; NULL: nothing is published
 * @return 0; -ENOMEM
 */
int vswitch_events_open(struct vswitch *vswitch, struct event_hub *hub);

/** Publish the recorded changes of the FDB, before the id of a port loses its name. */
void vswitch_events_port_closed(struct vswitch *vswitch, const struct vswitch_port *port);

/**
 * Publish how the link and the front end of a port changed.
 *
 * @param old the link before; up to two changes of each since then are published
 */
void vswitch_events_link(
	struct vswitch *vswitch, const struct vswitch_port *port, const struct port_link *old);

/** Publish no more events. May be called more than once. */
void vswitch_events_close(struct vswitch *vswitch);

/* vswitch_watch.c */

/**
 * The `watch` of struct port_services.
 *
 * @param arg the switch
 * @param fd descriptor; must stay open until vswitch_unwatch()
 * @param events PORT_WATCH_READ, PORT_WATCH_WRITE or both
 * @param ready called by the control thread as long as the descriptor is ready
 * @param ready_arg passed to `ready`
 * @return handle for vswitch_unwatch(); NULL: no memory, or a descriptor that cannot be watched
 */
struct port_watch *vswitch_watch(void *arg, int fd, unsigned events,
	void (*ready)(void *ready_arg, unsigned events), void *ready_arg);

/** The `unwatch` of struct port_services. NULL is ignored. */
void vswitch_unwatch(struct port_watch *watch);

/* vswitch_publish.c */

/**
 * Publish the state of the switch to the polling lcores: build a snapshot, wait until no lcore uses
 * the previous one, and free that. Without memory it tries again until there is some.
 */
void vswitch_publish(struct vswitch *vswitch);

/**
 * Defer the publication of ports that are added to vswitch_publish_resume(), which publishes all at
 * once: the first frames are flooded to all of them. Other changes are published as usual.
 */
void vswitch_publish_defer(struct vswitch *vswitch);

/** End the deferral and publish. */
void vswitch_publish_resume(struct vswitch *vswitch);

#endif
