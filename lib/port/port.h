/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports, and the interface that a port driver implements. Everything that differs between a VM's
 * virtqueues and a NIC's queues is behind `struct port_driver`; the switch knows drivers through
 * this header only. All drivers are listed in one static table (drivers/drivers.c) that main()
 * passes to the switch.
 *
 * Thread safety: a struct port belongs to the control thread; polling lcores use only the `dev`
 * pointer and the rx and tx slots, through a snapshot (datapath/snapshot.h).
 */
#ifndef SHUNT_PORT_PORT_H
#define SHUNT_PORT_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"
#include "frame/frame.h"
#include "port/counters.h"
#include "port/keys.h"

enum {
	PORT_MAX = 1056,    /**< ports at once: 1024 vhost devices and 32 ethdevs; ids are below */
	PORT_NONE = 0xffff, /**< the id of no port */
	PORT_ABSENT = 0xfffe,   /**< id of a port that a key names but that does not exist */
	PORT_FEATURES_MAX = 16, /**< features of a port */
};

struct port;
struct port_watch;

/** Events of a descriptor that the control loop watches. */
enum { PORT_WATCH_READ = 1, PORT_WATCH_WRITE = 2 };

/**
 * Services of the switch for drivers; any thread but a polling lcore may call the functions, except
 * where noted.
 */
struct port_services {
	/** Return once no polling lcore uses what it read before the call. Takes no lock. */
	void (*quiesce)(void *arg);
	/** Make polling lcores poll idle queues, which they only monitor. Takes no lock. */
	void (*wake)(void *arg);
	/** Make the control thread call the driver's link() soon. Takes no lock. */
	void (*link_changed)(void *arg);
	/**
	 * Watch a descriptor in the loop of the control thread. Control thread.
	 *
	 * @param fd remains the driver's; must stay open until unwatch()
	 * @param events PORT_WATCH_READ, PORT_WATCH_WRITE or both
	 * @param ready called by the control thread as long as the descriptor is ready, with
	 *        `ready_arg` and the events that have occurred
	 * @return handle for unwatch(); NULL: no memory, or a descriptor that cannot be watched
	 */
	struct port_watch *(*watch)(void *arg, int fd, unsigned events,
		void (*ready)(void *ready_arg, unsigned events), void *ready_arg);
	/** End a watch; `ready` may do so too. NULL is ignored. Control thread. */
	void (*unwatch)(struct port_watch *watch);
	/** Number of polling lcores that may ever send at once. */
	unsigned lcores;
	/**
	 * Number of polling lcores that send now. Written by control, read by polling lcores for
	 * every burst: if it is 1, a queue is sent to without a lock. It is raised, and the change
	 * waited for, before another lcore starts.
	 */
	atomic_uint senders;
	void *arg;
};

/** Monitor condition of an rx queue: a word in memory that changes when frames arrive. */
struct port_monitor {
	const uint16_t *word; /**< changes when there are frames */
	uint16_t value;       /**< while there are none */
};

/** Link state as a driver reports it. */
struct port_link {
	bool up;
	uint32_t generation; /**< counts the times the link came up, so that a flap is noticed */
	uint32_t speed;      /**< Mb/s, 0 = unknown */
	/** Connections and disconnections of front ends so far: odd while one is connected. */
	uint32_t front_ends;
};

enum { PORT_INFO_MAX = 24, PORT_ARGS_MAX = 16, PORT_HINTS_MAX = 4, PORT_XML_MAX = 2048 };

/** Entries that a driver adds to `port show`, besides the keys. */
struct port_info {
	struct {
		const char *name; /**< constant */
		char value[KEY_VALUE_MAX];
	} entry[PORT_INFO_MAX];
	unsigned n;
};

/** Output of `shunt port qemu`. */
struct port_frontend {
	unsigned qemu; /**< input: QEMU_VERSION(); QEMU_UNKNOWN = any from QEMU_OLDEST on */

	char args[PORT_ARGS_MAX][KEY_VALUE_MAX]; /**< QEMU: option, blank, value; not quoted */
	unsigned n_args;
	const char *hints[PORT_HINTS_MAX]; /**< a sentence each; constant */
	unsigned n_hints;
	char xml[PORT_XML_MAX];    /**< libvirt: an interface element */
	char domain[PORT_XML_MAX]; /**< libvirt: further elements of the domain, needed once */
};

/** A port driver: a static table of functions. */
struct port_driver {
	/** Its name and keys in the configuration; live keys may be changed by `change`. */
	const struct port_type *type;

	/**
	 * Check that the keys fit together, before anything is opened. Control thread.
	 *
	 * @return 0; negative errno with the reason
	 */
	int (*check)(const struct port_config *config, struct err *err);

	/**
	 * Open the port: set `dev`, `numa_node`, `rx_queues`, `tx_queues`, `max_len`, and
	 * `inserts_tags` where it applies. rx and tx may be called as soon as this has returned 0.
	 * On failure the driver closes what it has opened. Must not wait for a peer. Control
	 * thread.
	 *
	 * @return 0; negative errno with the reason
	 */
	int (*open)(struct port *port, struct err *err);

	/**
	 * Close the port and free `dev` with all that belongs to it. Called once no polling lcore
	 * is in rx or tx or can call them any more. Control thread.
	 */
	void (*close)(struct port *port);

	/** Report the link state. About once a second and after link_changed. Control thread. */
	void (*link)(struct port *port, struct port_link *link);

	/**
	 * Apply changed live keys: port->config holds the new values. NULL if the driver has no
	 * live keys. Control thread.
	 *
	 * @return 0; negative errno with the reason, the old state kept
	 */
	int (*change)(struct port *port, struct err *err);

	/** Add entries for `port show`, with port_info_add(). Control thread. */
	void (*info)(const struct port *port, struct port_info *info);

	/**
	 * Describe how a VM connects to the port. NULL if no VM can. Control thread.
	 *
	 * @param frontend zeroed but for `qemu`, the version to describe
	 */
	void (*frontend)(const struct port *port, struct port_frontend *frontend);

	/**
	 * May be NULL. Control thread.
	 *
	 * @return frames lost in the device before the switch could receive them
	 */
	uint64_t (*missed)(const struct port *port);

	/**
	 * Receive up to n frames. The one polling lcore that owns the queue.
	 *
	 * @param lcore_id of the calling polling lcore, below services.lcores
	 *
	 * The caller owns the frames returned and counts them. Frames that the driver has to drop
	 * are counted by the driver in rx_packets, rx_bytes and rx_drops.
	 *
	 * @return number of frames
	 */
	uint16_t (*rx)(void *dev, uint16_t lcore_id, uint16_t queue, struct frame frames[],
		uint16_t n, struct counters *counters);

	/**
	 * The frames that rx returned have been processed: their guest memory may be returned to
	 * the guest. Called by the lcore that called rx, before it calls rx again. NULL if frames
	 * of the driver never lie in guest memory.
	 *
	 * @param lcore_id as that of rx
	 */
	void (*rx_done)(void *dev, uint16_t lcore_id, uint16_t queue);

	/**
	 * Complete what rx, rx_done and tx of any port of this driver have deferred on this lcore.
	 * Called by every polling lcore at the end of each poll-loop iteration. Deferred work may
	 * use a port until it is complete, at the latest until services->quiesce() returns. NULL if
	 * the driver defers nothing.
	 *
	 * @param lcore_id of the calling polling lcore
	 * @param now TSC when the last queue was polled
	 * @param busy there were frames in this iteration; if not, nothing may remain deferred
	 * @return false: work remains deferred, for some microseconds at most
	 */
	bool (*round_done)(uint16_t lcore_id, uint64_t now, bool busy);

	/**
	 * Get the monitor condition of an idle queue, which the lcore then reads instead of calling
	 * rx. The word must stay readable until services->quiesce() has returned, called after the
	 * driver has made it unreachable. Any other event that may bring frames must call
	 * services->wake(). NULL if the driver's queues must always be polled. The polling lcore
	 * that owns the queue.
	 *
	 * @return false: the queue must still be polled
	 */
	bool (*rx_monitor)(void *dev, uint16_t queue, struct port_monitor *watch);

	/**
	 * Prepare an idle queue for an lcore that sleeps. From the call until rx is called next,
	 * the descriptor becomes readable when frames arrive; frames that are there already need
	 * not make it readable, so that the lcore polls once more before it sleeps. What made it
	 * readable earlier is cleared. The lcore only waits for it. It may be closed once the queue
	 * cannot be reached any more and services->quiesce() has returned. NULL if the driver's
	 * queues must always be polled. The polling lcore that owns the queue.
	 *
	 * @return the descriptor, which remains the driver's; -1: the queue must be polled
	 */
	int (*rx_fd)(void *dev, uint16_t queue);

	/**
	 * Send frames in order. Frames are read-only, and shared where an mbuf has more than one
	 * reference. Any polling lcore.
	 *
	 * Takes one reference of every frame, sent or not, and counts each once: in tx_packets and
	 * tx_bytes, or in tx_drops.
	 *
	 * @param lcore_id of the calling polling lcore, below services.lcores
	 */
	void (*tx)(void *dev, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
		struct counters *counters);
};

/** An open port. */
struct port {
	struct port_config config;
	uint16_t id;
	const struct port_services *services;

	/* Set by control. */
	void *state[PORT_FEATURES_MAX]; /**< of features, in the order of their table */
	bool draining; /**< features send the frames that wait, whatever their rate */

	/* Set by the driver's open. */
	void *dev;
	int numa_node; /**< PORT_NUMA_AUTO = any */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint32_t max_len;  /**< longest frame to send, without FCS and up to two tags */
	bool inserts_tags; /**< tx takes frames in guest memory with FRAME_TAG */
};

/**
 * Add an entry; beyond PORT_INFO_MAX entries are ignored.
 *
 * @param name constant text
 * @param format of the value
 */
void port_info_add(struct port_info *info, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** @return true if VMs connect to this port, false if it is a device */
static inline bool
port_is_vm(const struct port *port)
{
	return port->config.driver->frontend != NULL;
}

/**
 * Get the driver's part of a port's configuration.
 *
 * @return structure that the keys of the driver's port type describe
 */
static inline const void *
port_driver_config(const struct port *port)
{
	return port->config.driver_config;
}

/**
 * Initialise a configuration with all defaults.
 *
 * @param drivers the table, ended by NULL
 * @param name of the port; untrusted
 * @param type name of a port type; untrusted
 * @return 0; -EINVAL with the reason: bad name, unknown type
 */
int port_config_init(struct port_config *config, const struct port_driver *const drivers[],
	const char *name, const char *type, struct err *err);

/**
 * Set one key: a common one, one of a feature, or one of the driver.
 *
 * @param key name of the key; untrusted
 * @param value as text; untrusted
 * @return 0; -EINVAL with the reason, config untouched
 */
int port_config_set(
	struct port_config *config, const char *key, const char *value, struct err *err);

/** Check that the driver's keys fit together. @return 0; -EINVAL with the reason */
int port_config_check(const struct port_config *config, struct err *err);

/** @return true if a running port can take the new configuration without being opened anew */
bool port_config_is_live(const struct port_config *old, const struct port_config *changed);

/**
 * Visit keys with their values: common ones first, then those of the features, then the driver's.
 *
 * @param all false visits only those that differ from the default
 * @param visit called for each; `value` is valid during the call
 * @param arg passed to `visit`
 */
void port_config_visit(const struct port_config *config, bool all,
	void (*visit)(const struct key *key, const char *value, void *arg), void *arg);

#endif
