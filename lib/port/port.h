/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports, and what a port driver must provide. Everything that differs between a VM's virtqueues
 * and a NIC's queues is behind `struct port_driver`; the switch knows drivers through this header
 * only. All drivers stand in one static table (drivers/drivers.c) that main() hands to the switch.
 *
 * Thread safety: a struct port is the control thread's; polling lcores see only the `dev` pointer
 * and the rx and tx slots, through a snapshot (datapath/snapshot.h).
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
	PORT_ABSENT = 0xfffe,   /**< of one that is named, but not there */
	PORT_CAPTURES_MAX = 16, /**< at once */
};

struct capture;
struct port;
struct meter;
struct shaper;

/** What the switch does for a driver; any thread but a polling lcore may call these. */
struct port_services {
	/** Return once no polling lcore uses what it read before the call. Takes no lock. */
	void (*quiesce)(void *arg);
	/** Have polling lcores poll queues that they only watch. Takes no lock. */
	void (*wake)(void *arg);
	/** Have the control thread look at the driver's link state soon. Takes no lock. */
	void (*link_changed)(void *arg);
	/** How many polling lcores may send at once, now or later. */
	unsigned lanes;
	/**
	 * How many there are. Written by control, read by polling lcores for every burst: with one,
	 * a queue to send to needs no lock. Raised, and waited for, before another one starts.
	 */
	atomic_uint senders;
	void *arg;
};

/** How to see from outside that a queue without frames has some. */
struct port_watch {
	const uint16_t *word; /**< changes when there are frames */
	uint16_t value;       /**< while there are none */
};

/** Link as a driver sees it. */
struct port_link {
	bool up;
	uint32_t
		generation; /**< counts the times the link came up: a flap between two looks shows */
	uint32_t speed;     /**< Mb/s, 0 = unknown */
};

enum { PORT_FACTS_MAX = 24, PORT_ARGS_MAX = 16, PORT_HINTS_MAX = 4, PORT_XML_MAX = 2048 };

/** What a driver has to say in `port show`, beside the keys. */
struct port_facts {
	struct {
		const char *name; /**< constant */
		char value[KEY_VALUE_MAX];
	} fact[PORT_FACTS_MAX];
	unsigned n;
};

/** What `shunt port qemu` prints. */
struct port_frontend {
	unsigned qemu; /**< asked: QEMU_VERSION(), or QEMU_UNKNOWN for any from QEMU_OLDEST on */

	char args[PORT_ARGS_MAX][KEY_VALUE_MAX]; /**< QEMU: option, blank, value; not quoted */
	unsigned n_args;
	const char *hints[PORT_HINTS_MAX]; /**< a sentence each; constant */
	unsigned n_hints;
	char xml[PORT_XML_MAX];    /**< libvirt: an <interface> element */
	char domain[PORT_XML_MAX]; /**< libvirt: what else the <domain> needs, once */
};

struct port_driver {
	/** Its word and keys in the configuration; keys that are live may change by `change`. */
	const struct port_type *type;

	/** Control thread. Refuse combinations of keys; nothing exists yet. 0 or negative errno. */
	int (*check)(const struct port_config *config, struct err *err);

	/**
	 * Control thread. Open the port: set `dev`, `numa_node`, `rx_queues`, `tx_queues`,
	 * `max_len`. rx and tx may be called as soon as this returned 0. Whatever was opened is
	 * closed again when it fails. Must not wait for a peer.
	 */
	int (*open)(struct port *port, struct err *err);

	/**
	 * Control thread. Close the port; no polling lcore will call rx or tx any more, and none
	 * does. The driver frees `dev` and all that belongs to it.
	 */
	void (*close)(struct port *port);

	/**
	 * Control thread, about once a second and after link_changed. Say how the link is.
	 */
	void (*link)(struct port *port, struct port_link *link);

	/**
	 * Control thread. Live keys changed: port->config holds the new values. NULL when a driver
	 * has no live keys. 0, or negative errno with the old state kept.
	 */
	int (*change)(struct port *port, struct err *err);

	/** Control thread. Add facts for `port show`, with port_fact(). */
	void (*facts)(const struct port *port, struct port_facts *facts);

	/**
	 * Control thread. Fill in how a VM connects, by the zeroed frontend's version of QEMU;
	 * NULL where none can.
	 */
	void (*frontend)(const struct port *port, struct port_frontend *frontend);

	/** Control thread. Frames the device lost before the switch could receive; may be NULL. */
	uint64_t (*missed)(const struct port *port);

	/**
	 * The one polling lcore that owns the queue. Receive up to n frames.
	 *
	 * The caller owns the frames returned. Frames the driver itself must drop are counted by
	 * it, as rx_packets, rx_bytes and rx_drops alike; those returned are counted by the caller.
	 */
	uint16_t (*rx)(void *dev, uint16_t queue, struct frame frames[], uint16_t n,
		struct counters *counters);

	/**
	 * The lcore that called rx and got frames, before it calls it again: they are dealt with,
	 * and their guest memory may go back. NULL where frames hold none.
	 */
	void (*rx_done)(void *dev, uint16_t queue);

	/**
	 * Every polling lcore, when it has polled all its queues once: do what rx, rx_done and tx of
	 * any port of this driver left for later. What is left it may use until then, and until
	 * services->quiesce() returns. NULL where they leave nothing.
	 *
	 * @param now TSC when the last queue was polled
	 * @param busy there were frames in this round; after one without, nothing may be left
	 * @return false: something is still left, for some microseconds at most
	 */
	bool (*round_done)(uint64_t now, bool busy);

	/**
	 * The lcore that owns the queue, after rx found nothing for long. Say by what word it can
	 * see that there are frames, instead of calling rx. The word must be readable until
	 * services->quiesce() was called after the driver made it unreachable, and whatever else
	 * may bring frames must call services->wake(). NULL where a queue must always be polled.
	 *
	 * @return false: poll on
	 */
	bool (*rx_watch)(void *dev, uint16_t queue, struct port_watch *watch);

	/**
	 * Any polling lcore. Send frames in order; they are read-only, and shared where an mbuf
	 * has more than one reference.
	 *
	 * Takes one reference of every frame, sent or not, and counts each once: in tx_packets and
	 * tx_bytes, or in tx_drops.
	 *
	 * @param lane number of the calling polling lcore, below services.lanes
	 */
	void (*tx)(void *dev, uint16_t lane, struct frame *const frames[], uint16_t n,
		struct counters *counters);
};

struct port {
	struct port_config config;
	uint16_t id;
	const struct port_services *services;

	/* Set by control: ids of the ports that the configuration names, PORT_NONE = it names none. */
	uint16_t uplink;
	uint16_t mirror;

	/* Set by control: who captures. */
	struct capture *capture[PORT_CAPTURES_MAX];
	unsigned captures;
	bool snooped; /**< set by control: multicast is for those who asked for it */

	/* Set by control; NULL = no limit. Freed once no snapshot knows them. */
	struct meter *meter;   /**< of rate_in */
	struct shaper *shaper; /**< of rate_out */

	/** Of storm control (guard/storm.h): written by the polling lcores of this port's queues. */
	_Atomic uint64_t storm_due;

	/* Set by the driver's open. */
	void *dev;
	int numa_node; /**< PORT_NUMA_AUTO = no matter */
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint32_t max_len;  /**< longest frame that may leave here, without FCS and up to two tags */
	bool inserts_tags; /**< tx takes frames in guest memory with FRAME_TAG */
};

/** Add a fact; PORT_FACTS_MAX at most. */
void port_fact(struct port_facts *facts, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Is there a VM behind this port, or a device? */
static inline bool
port_is_vm(const struct port *port)
{
	return port->config.driver->frontend != NULL;
}

/** The driver's part of a port's configuration. */
static inline const void *
port_driver_config(const struct port *port)
{
	return port->config.driver_config;
}

/**
 * Start a configuration with all defaults.
 *
 * @param drivers the table, ended by NULL
 * @return 0; -EINVAL with the reason: bad name, unknown type
 */
int port_config_init(struct port_config *config, const struct port_driver *const drivers[],
	const char *name, const char *type, struct err *err);

/** Set one key, common or the driver's. @return 0; -EINVAL with the reason, config untouched */
int port_config_set(
	struct port_config *config, const char *key, const char *value, struct err *err);

/** Check that the keys fit together. @return 0; -EINVAL with the reason */
int port_config_check(const struct port_config *config, struct err *err);

/** May a running port take this new configuration without being opened anew? */
bool port_config_is_live(const struct port_config *old, const struct port_config *new);

/**
 * Visit keys with their values: common ones first, then the driver's.
 *
 * @param all false visits only those that differ from the default
 */
void port_config_visit(const struct port_config *config, bool all,
	void (*visit)(const struct key *key, const char *value, void *arg), void *arg);

#endif
