/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch: its ports, its filtering table, its polling lcores, and how they change while frames
 * flow. What is asked for here happens completely or not at all.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_VSWITCH_H
#define SHUNT_CONTROL_VSWITCH_H

#include <sched.h>
#include <sys/queue.h>
#include <time.h>

#include "datapath/datapath.h"
#include "datapath/snapshot.h"
#include "fdb/fdb.h"
#include "port/port.h"
#include "snoop/groups.h"

struct capture_config;
struct event_base;

struct vswitch_port {
	struct port port;
	struct port_link link; /**< as last seen */
	struct counters base;  /**< what its id had counted before this port */
	/** What its queues did while they had other slots. */
	struct datapath_load queue_before[PORT_QUEUES_MAX];
	TAILQ_ENTRY(vswitch_port) next; /**< in the order they were added */
};

/** Somebody who captures at a port. */
struct vswitch_capture {
	struct capture *capture;
	struct vswitch_port *port;
	/** Called once, when the port goes, before the capture is freed. */
	void (*ended)(void *arg, const char *reason);
	void *arg;
	LIST_ENTRY(vswitch_capture) next;
};

struct vswitch_lcore {
	unsigned cpu;
	int node;
	int lcore_id; /**< of the data path */
};

/** What snooping needs; all NULL while it is off. */
struct vswitch_snoop {
	struct groups *groups;
	struct event *event;
	struct snoop_ring *ring[LCORE_MAX]; /**< written by the polling lcore of the lcore */
};

struct vswitch {
	const struct port_driver *const *drivers;
	struct event_base *events;
	struct fdb *fdb;
	struct datapath *datapath;
	struct port_services services;
	struct event *link_event;
	struct event *tick_event;
	int link_fd;  /**< drivers write, the control thread reads */
	bool holding; /**< ports being added wait to be published together */

	TAILQ_HEAD(vswitch_ports, vswitch_port) ports;
	unsigned n_ports;
	struct port *by_id[PORT_MAX];
	bool up[PORT_MAX]; /**< enabled, and the link is up */

	cpu_set_t allowed; /**< CPUs of this process */
	struct vswitch_lcore lcore[LCORE_MAX];
	unsigned n_lcores;

	LIST_HEAD(vswitch_captures, vswitch_capture) captures;
	unsigned n_captures;

	struct snapshot_queue queue[DATAPATH_SLOT_MAX];
	unsigned n_queues;
	struct datapath_load slot_base[DATAPATH_SLOT_MAX]; /**< before this queue had the slot */
	uint64_t slot_seen[DATAPATH_SLOT_MAX];             /**< busy cycles at the last tick */
	uint64_t slot_load[DATAPATH_SLOT_MAX]; /**< busy cycles between the last two ticks */

	struct vswitch_snoop snoop;
	time_t started;
};

struct vswitch_config {
	const struct port_driver *const *drivers;
	struct event_base *events;
	struct fdb_config fdb;
	cpu_set_t allowed;
	cpu_set_t polling;
};

/** Seconds of the monotonic clock. */
time_t vswitch_now(void);

/** @return a switch whose lcores poll; NULL with the reason in err */
struct vswitch *vswitch_create(const struct vswitch_config *config, struct err *err);

/** Remove all ports, stop all lcores, free everything. */
void vswitch_destroy(struct vswitch *vswitch);

/* vswitch_port.c */

/** @return NULL with the reason in err when there is none of that name */
struct vswitch_port *vswitch_port_find(struct vswitch *vswitch, const char *name, struct err *err);

/** Open a port and let it take part. @return 0 or negative errno with the reason */
int vswitch_port_add(struct vswitch *vswitch, const struct port_config *config, struct err *err);

/**
 * Give a port another configuration of the same name: at once where all that differs is live,
 * else by closing and opening it. When that fails the port is as it was before.
 *
 * @return 0 or negative errno with the reason
 */
int vswitch_port_change(struct vswitch *vswitch, const struct port_config *config, struct err *err);

/** Take a port out and close it. @return 0, or -ENOENT with the reason */
int vswitch_port_del(struct vswitch *vswitch, const char *name, struct err *err);

/** Look at the links of all ports, and act on what changed. */
void vswitch_links(struct vswitch *vswitch);

/** What a port counted since it was added. */
void vswitch_port_counters(
	const struct vswitch *vswitch, const struct vswitch_port *port, struct counters *counters);

/** What a queue did since its port was added. @param queue of this port */
void vswitch_queue_load(const struct vswitch *vswitch, const struct vswitch_port *port,
	const struct snapshot_queue *queue, struct datapath_load *load);

/* vswitch_lcore.c */

/** Start polling on a CPU and spread the queues. @return 0 or negative errno with the reason */
int vswitch_lcore_add(struct vswitch *vswitch, unsigned cpu, struct err *err);

/** Stop polling on a CPU; others take its queues. @return 0 or negative errno with the reason */
int vswitch_lcore_del(struct vswitch *vswitch, unsigned cpu, struct err *err);

/** Spread the queues by load. @return how many moved */
unsigned vswitch_lcore_balance(struct vswitch *vswitch);

/** Poll on these CPUs, and on no others. @return 0 or negative errno with the reason */
int vswitch_lcore_set(struct vswitch *vswitch, const cpu_set_t *polling, struct err *err);

/** Give queues that nobody polls an lcore. Does not publish. */
void vswitch_lcore_fill(struct vswitch *vswitch);

/** Stop polling some queues, so that they can be given to other lcores; publishes. */
void vswitch_lcore_release(struct vswitch *vswitch,
	bool (*choose)(const struct snapshot_queue *, const void *), const void *arg);

/** Keep all threads that do not poll off the polling CPUs. */
void vswitch_lcore_confine(struct vswitch *vswitch);

/** The lcore of an lcore; NULL for -1. */
const struct vswitch_lcore *vswitch_lcore_of(const struct vswitch *vswitch, int lcore_id);

/**
 * Ports added from now on take part together, at vswitch_admit(), so that the first frames do not
 * miss ports that are yet to come.
 */
void vswitch_hold(struct vswitch *vswitch);
void vswitch_admit(struct vswitch *vswitch);

/* vswitch_relations.c */

/**
 * Would all ports still fit together?
 *
 * @param name of the port that is to change, come or go
 * @param config what it is to be; NULL = it goes
 * @return 0 or negative errno with the reason
 */
int vswitch_check_relations(struct vswitch *vswitch, const char *name,
	const struct port_config *config, struct err *err);

/** Find the ids of all ports that ports name. */
void vswitch_resolve_relations(struct vswitch *vswitch);

/* vswitch_rates.c */

/** What holds a port to its rates; NULL = no limit. */
struct vswitch_rates {
	struct meter *meter;
	struct shaper *shaper;
};

/**
 * What a configuration asks for: what the port has already, as far as it fits, else new.
 *
 * @return 0 or negative errno with the reason
 */
int vswitch_rates_make(const struct vswitch_port *port, const struct port_config *config,
	struct vswitch_rates *rates, struct err *err);

/**
 * Give a port these, and get those it had; publish before anything else is done with them. Frames
 * that wait in a queue that goes are sent first, where the port is up.
 */
void vswitch_rates_swap(
	struct vswitch *vswitch, struct vswitch_port *port, struct vswitch_rates *rates);

/** Free what the port does not have. Frames that wait there are dropped, and counted. */
void vswitch_rates_drop(
	struct vswitch *vswitch, const struct vswitch_port *port, struct vswitch_rates *rates);

/** Published: ports that are down hold no frames. */
void vswitch_rates_settle(struct vswitch *vswitch);

/** How many frames wait for a port's rate. */
unsigned vswitch_rates_held(const struct vswitch_port *port);
/* vswitch_capture.c */

/**
 * Capture at a port, from now on.
 *
 * @param config its lcores are filled in
 * @return NULL with the reason in err
 */
struct vswitch_capture *vswitch_capture_start(struct vswitch *vswitch, struct vswitch_port *port,
	struct capture_config *config, struct err *err);

/** Capture no more, and free it; returns once no polling lcore knows of it. */
void vswitch_capture_stop(struct vswitch *vswitch, struct vswitch_capture *capture);

/** A port is no more, and was unpublished: its captures end. */
void vswitch_capture_port_gone(struct vswitch *vswitch, const struct vswitch_port *port);

/* vswitch_snoop.c */

/** Milliseconds of the monotonic clock. */
uint64_t vswitch_now_ms(void);

/** Snooping on or off; publishes. @return 0 or -ENOMEM with the reason */
int vswitch_set_snooping(struct vswitch *vswitch, bool on, struct err *err);

/** Forget what was heard at a port. Does not publish, but soon. */
void vswitch_snoop_forget(struct vswitch *vswitch, uint16_t port);

/** Before a snapshot is built: tell ports whether there is snooping, and snooping of ports. */
void vswitch_snoop_prepare(struct vswitch *vswitch);

/** Put the table of groups into a snapshot. @return false: no memory */
bool vswitch_snoop_fill(struct vswitch *vswitch, struct snapshot *snapshot);

/** Messages that polling lcores had no space for. */
uint64_t vswitch_snoop_lost(const struct vswitch *vswitch);

/** After the data path is gone. */
void vswitch_snoop_destroy(struct vswitch *vswitch);

/* vswitch_publish.c */

/** Publish what polling lcores are to know now. */
void vswitch_publish(struct vswitch *vswitch);

#endif
