/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost driver: a VM's virtqueues behind a vhost-user socket (virtio 1.2 section 5.1, QEMU's
 * vhost-user protocol). librte_vhost speaks the protocol and moves the frames.
 * Private to drivers/vhost.
 *
 * Thread safety: three threads meet in struct vhost_dev: the control thread opens and closes, the
 * library's event thread connects and disconnects, polling lcores move frames. Each field says who
 * writes it and who reads it.
 */
#ifndef SHUNT_DRIVERS_VHOST_H
#define SHUNT_DRIVERS_VHOST_H

#include <stdatomic.h>

#include "frame/reach.h"
#include "port/port.h"
#include "vhost/keys.h"
#include "vring/call_relay.h"
#include "vring/vring.h"

enum {
	VHOST_MBUFS_PER_QUEUE = 64,
	VHOST_NOBODY = -1,    /**< instead of a vid */
	VHOST_NO_RING = -1,   /**< instead of a ring's number: the fault is none of a ring's */
	VHOST_UNTOLD_MAX = 8, /**< rings whose guests are told together */
	VHOST_UNTOLD_US = 10, /**< while it is busy an lcore makes sure of them as often */
};

/** A feature bit as virtio numbers it, in a set of them. */
#define VHOST_FEATURE(bit) (UINT64_C(1) << (bit))

/** What the position is worth that the library has of a ring. */
enum vhost_base {
	VHOST_BASE_GIVEN, /**< the front end's word, which no back end may have told it */
	VHOST_BASE_TOLD,  /**< the front end was told on this connection, or will be */
	VHOST_BASE_OURS,  /**< where our epochs have come */
};

/** A guest's memory as we have it mapped. Freed by whoever lets go last. */
struct vhost_mapping {
	struct memory memory;
	struct reach_memory reach; /**< the same, within reach of devices where there are any */
	atomic_uint users;         /**< epochs, and the port: event thread and control */
};

/**
 * What settled between one message of the front end and the next: memory, rings, features. Built
 * and freed by the library's event thread; read by polling lcores while it is live. Rings are the
 * lcores' own to advance meanwhile.
 */
struct vhost_epoch {
	struct vhost_epoch *next; /**< of those that ended while devices read their memory */
	int vid;
	bool direct;          /**< our own bursts on both rings of every pair, else the library's */
	const char *reason;   /**< why not direct */
	uint64_t features;    /**< negotiated */
	uint8_t capabilities; /**< FRAME_* that the guest takes */
	struct vhost_mapping *mapping;           /**< NULL = neither direct nor packed */
	struct virtq *ring[2 * PORT_QUEUES_MAX]; /**< as virtio numbers them; NULL = not set up */
};

/**
 * What a polling lcore has taken out of a guest's ring and not given back, and whom it has yet to tell
 * of what it did. One for each lcore, for it is done with one burst before it polls again: small
 * enough to stay in the nearest cache.
 */
struct vhost_burst {
	struct virtq_batch batch;
	struct virtq *popped;                   /**< whose buffers the batch holds; NULL = none */
	struct virtq *untold[VHOST_UNTOLD_MAX]; /**< whose guests may want to be told */
	unsigned n_untold;
	uint64_t sure_at; /**< TSC when that is to be settled */
};

extern __thread struct vhost_burst vhost_burst;

/** Interrupts of a ring on their way through us, where the library moves the frames (interrupt.c). */
struct vhost_relay {
	/* The library's event thread's alone. */
	bool given;             /**< the library has a descriptor of ours */
	enum virtq_fault fault; /**< of what the front end gave */
	/* Written by it, read by polling lcores. Open until the connection ends. */
	struct call_relay ours; /**< what the library writes to */
	atomic_int to
		[2]; /**< what the front end gave: an eventfd, or a Unix socket; negative = none */
	atomic_bool socket; /**< which of them */
};

/** What table.c keeps of a front end's memory table. The library's event thread's alone. */
struct vhost_table {
	bool proven;    /**< descriptors are where struct vhost_message says; of this connection */
	uint32_t n_fds; /**< of the message under way */
	int fd[MEMORY_REGIONS_MAX];
	unsigned n; /**< mappings kept until the library has its own */
	void *map[MEMORY_REGIONS_MAX];
	size_t size[MEMORY_REGIONS_MAX];
	bool used[2 * PORT_QUEUES_MAX]; /**< rings that the library had in the last table */
};

/** What the control thread has logged of a port's faults. Its alone. */
struct vhost_told {
	unsigned faults; /**< of vhost_dev.faults */
	int64_t at;      /**< seconds, monotonic */
	unsigned table;  /**< vhost_dev.table_open at the last look, and since when */
	int64_t table_at;
	bool stuck; /**< a memory table has not succeeded for long */
};

struct vhost_dev {
	/* Written by control at open, constant while the port is there. */
	struct vhost_config config;
	const struct port_services *services;
	struct rte_mempool *pool;
	unsigned reserved; /**< mbufs, of the pool */
	uint16_t queues;   /**< queue pairs that are polled */

	/*
	 * Written by the library's event thread, read by polling lcores. `live` is NULL while no
	 * frames may be moved: storing NULL and waiting for services->quiesce() is what makes it
	 * safe to change or free what was live.
	 */
	_Alignas(64) struct vhost_epoch *_Atomic live;
	_Atomic uint64_t rarp;     /**< address to announce, 0 = none; taken by a polling lcore */
	atomic_ushort send_queues; /**< guest rx rings enabled, from the first on */
	atomic_uchar enabled[2 * PORT_QUEUES_MAX]; /**< rings, as virtio numbers them */

	/* Written by the library's event thread, read by control. */
	_Alignas(64) atomic_int connection; /**< vid of the front end connected, or VHOST_NOBODY */
	atomic_uint generation;             /**< counts the times the port went live */
	atomic_uint refused;                /**< second front ends turned away */
	atomic_uint faults;                 /**< times it was broken; by lcores too */
	_Atomic uint64_t features;          /**< negotiated */
	atomic_int fault;                /**< enum virtq_fault while it is broken; by lcores too */
	atomic_int fault_last;           /**< the same, kept when it is whole again */
	atomic_int fault_ring;           /**< whose, or VHOST_NO_RING */
	char fault_detail[ERR_TEXT_MAX]; /**< of VIRTQ_BAD_MEMORY; under a lock of fault.c */
	atomic_uint table_open;          /**< number of a table that has not succeeded; 0 = none */
	const char *_Atomic path;        /**< which bursts move frames, and why; NULL = none did */
	const char *_Atomic interrupts;  /**< kind of the descriptors that interrupt the guest */
	atomic_bool sealed;              /**< guest memory that nobody can cut short */

	atomic_bool running; /**< between new_device and destroy_device */

	/* The library's event thread's alone. */
	struct vhost_epoch *epoch;     /**< what is live, or was until paused */
	bool mapped;                   /**< the library has a memory table */
	bool asked;                    /**< the front end has sent GET_FEATURES */
	bool owner_first;              /**< and SET_OWNER before it */
	uint64_t protocol;             /**< protocol features, acknowledged */
	struct vhost_mapping *mapping; /**< of the last epoch that had one, for the next; or NULL */
	unsigned tables;               /**< counts memory tables */
	bool refusal_told;             /**< of this connection */
	struct vhost_table table;
	uint8_t base[2 * PORT_QUEUES_MAX]; /**< enum vhost_base of each ring */

	/* Set by control at open; of each ring, written as vring/journal.h says. */
	struct virtq_journal *journal;

	struct vhost_told told; /**< control's alone */

	struct vhost_relay relay[2 * PORT_QUEUES_MAX]; /**< rings, as virtio numbers them */

	struct vhost_dev *next; /**< registry, under its lock */
};

/* fault.c */

/**
 * This front end broke a rule: the port is down until it sets its rings up anew. Any thread; it is
 * the control thread that logs why.
 *
 * @param ring as virtio numbers it, or VHOST_NO_RING
 */
void vhost_break(struct vhost_dev *dev, enum virtq_fault fault, int ring);

/** The same for memory, with the reason in words. Any thread but a polling one. */
void vhost_break_memory(struct vhost_dev *dev, const char *why);

/**
 * Log why a port broke since the last look: the first time at once, then once in 10 s at most. Control
 * thread.
 *
 * @param port its name
 * @return whether it is broken
 */
bool vhost_fault_look(struct vhost_dev *dev, const char *port);

/** What is shown of it. Control thread. */
void vhost_fault_facts(const struct vhost_dev *dev, struct port_facts *facts);

/* table.c: another memory table while the library's bursts run. The library's event thread. */

struct vhost_message;

/**
 * Can the library not fail with this table? What makes that sure is kept until vhost_table_done().
 *
 * @return 0; negative errno with the reason, nothing kept
 */
int vhost_table_try(struct vhost_dev *dev, const struct vhost_message *message, struct err *err);

/** Let go of what was kept. Control too, while closing. Safe to call twice. */
void vhost_table_done(struct vhost_dev *dev);

/** Before the library gets a table: note its descriptors, and which rings are in the last one. */
void vhost_table_begin(struct vhost_dev *dev, int vid, const struct vhost_message *message);

/** After it took it: were the descriptors those that were noted? */
void vhost_table_prove(struct vhost_dev *dev, int vid);

/** @return the number of a ring that was in the last table and is not in this; or VHOST_NO_RING */
int vhost_table_misses(const struct vhost_dev *dev, int vid);

/* connection.c: what the library's event thread tells us */

/** Make the library serve dev->config.socket. Control thread. @return 0 or negative errno */
int vhost_connection_open(struct vhost_dev *dev, struct err *err);

/** Disconnect whoever is there and forget the socket; frames have stopped. Control thread. */
void vhost_connection_close(struct vhost_dev *dev);

/* epoch.c: what settles between messages. The library's event thread, or control while closing. */

/** Let frames move by what is set up now. */
void vhost_epoch_start(struct vhost_dev *dev, int vid);

/** Stop frames, and tell the library how far the rings came. Safe to call twice. */
void vhost_epoch_stop(struct vhost_dev *dev);

/** Free what ended while devices read its memory, where they are through. Not a polling lcore. */
void vhost_epoch_collect(void);

/* mapping.c: memory that epochs share. The library's event thread, but for put. */

/** The memory that the front end has shared now. @return NULL with the reason; else to be put */
struct vhost_mapping *vhost_mapping_get(struct vhost_dev *dev, int vid, struct err *err);

/** Let go of it. NULL is fine. Any thread but a polling one. */
void vhost_mapping_put(struct vhost_mapping *mapping);

/** The next epoch will have other memory, or there is none. Control too, while closing. */
void vhost_mapping_forget(struct vhost_dev *dev);

/* place.c: where rings go on. The library's event thread. */

struct vhost_message;

/** A front end has connected: whatever it says of rings, no back end need have told it. */
void vhost_place_forget(struct vhost_dev *dev);

/** Before a message: it may tell where a ring is, or ask. */
void vhost_place_message(struct vhost_dev *dev, const struct vhost_message *message);

/**
 * Correct where a ring goes on, and begin or continue its journal.
 *
 * @param epoch has the memory mapped
 * @param setup valid, with the position that the library has
 * @return VIRTQ_GOOD; VIRTQ_BAD_PLACE
 */
enum virtq_fault vhost_place_ring(struct vhost_dev *dev, const struct vhost_epoch *epoch,
	uint16_t number, struct virtq_setup *setup);

/* journal.c: what outlives the process. Control thread. */

/**
 * Have journals of rings in a file in memory, which a later process finds by the path of its control
 * socket. Without one they end with the process, which is warned of.
 */
void vhost_journal_open(const char *control);

/** Once no port uses a journal: remove the file unless a ring may go on by it. */
void vhost_journal_close(void);

/** Journals of a port's rings, those of the last port with this socket if there are any; or NULL. */
struct virtq_journal *vhost_journal_take(const char *socket, unsigned rings);

/** The port is closed; what its front end needs to go on stays. */
void vhost_journal_give(struct virtq_journal *journal, unsigned rings);

/* socket.c: the file system side of a listening socket */

/** Refuse a path that is somebody's; remove a socket nobody listens at any more. */
int vhost_socket_claim(const char *path, struct err *err);

/** Set owner and mode of the socket as configured. */
int vhost_socket_protect(const struct vhost_config *config, struct err *err);

/* frontend.c */

/** Whether XML and a terminal take the path: no control characters, no U+FFFE, no U+FFFF. */
bool vhost_frontend_can_say(const char *path);

/** The frontend slot of struct port_driver. */
void vhost_frontend(const struct port *port, struct port_frontend *frontend);

/* reconnect.c: client mode. Control thread. */

/** rte_vhost_driver_register() in client mode; the first time it creates threads. @return 0, -1 */
int vhost_reconnect_register(const char *path);

/**
 * Have the library connect as soon as a front end listens at a path that was registered. Called again
 * it finds a directory that was made, or made anew, meanwhile.
 */
void vhost_reconnect_watch(const char *path);

/** Undo vhost_reconnect_watch(). Safe for a path that is not watched. */
void vhost_reconnect_forget(const char *path);

/* threads.c: threads that the library creates */

enum { VHOST_THREADS_MAX = 8 };

/** Threads that one call into the library created. Written by control, before others read it. */
struct vhost_threads {
	pid_t tid[VHOST_THREADS_MAX];
	unsigned n;
};

/**
 * Call the library, and note the threads that it creates meanwhile unless some are noted already.
 * Control thread.
 *
 * @return what `call` returned
 */
int vhost_threads_find(
	struct vhost_threads *threads, int (*call)(const char *path), const char *path);

/** End the wait that these threads are in, by a signal: the library has no other way. Any thread. */
void vhost_threads_wake(const struct vhost_threads *threads);

/* event_thread.c: the library's event thread. Control thread. */

/**
 * Have it stay once it is there. From DPDK 24.11.6 on the library ends it with its last socket, and
 * the thread that removes the socket waits for that up to a second.
 */
void vhost_thread_keep(void);

/** rte_vhost_driver_start(), which the first time creates the event thread. @return 0, negative */
int vhost_thread_start(const char *path);

/** Have it look at what it is to listen at, now instead of within a second. */
void vhost_thread_wake(void);

/* interrupt.c: guests whose frames the library moves. The library's event thread, but for pass */

/** Before the port is connected. Control thread. */
void vhost_interrupt_init(struct vhost_dev *dev);

/**
 * Have the library write to a descriptor of ours instead of the descriptor that the front end gave for
 * a ring. While the library holds the rings' locks, or lcores use none of them.
 *
 * @return VIRTQ_GOOD, or the fault: the guest cannot be interrupted through what was given
 */
enum virtq_fault vhost_interrupt_take(struct vhost_dev *dev, int vid, uint16_t ring);

/**
 * A descriptor of one's own to interrupt the guest through.
 *
 * @param fd what the library has for the ring
 * @return to be closed; negative: there is none
 */
int vhost_interrupt_dup(const struct vhost_dev *dev, uint16_t ring, int fd);

/** After SET_VRING_CALL with this number, while the library holds the rings' locks. */
void vhost_interrupt_message(struct vhost_dev *dev, int vid, uint64_t number);

/** After a burst of the library: interrupt the guest if it would have. Polling lcores; never waits. */
void vhost_interrupt_pass(struct vhost_dev *dev, uint16_t ring);

/** The connection is gone, and lcores use none of its rings. */
void vhost_interrupt_forget(struct vhost_dev *dev);

/* features.c: what a front end is offered */

/** Features of the library that a port with these keys does not offer. */
uint64_t vhost_features_off(const struct vhost_config *config);

/**
 * Those of the port's features that suit the front end that is connected. The library's event thread.
 *
 * @param features what the port offers
 */
uint64_t vhost_features_offer(const struct vhost_dev *dev, uint64_t features);

/**
 * Has the front end taken features that would leave the control queue to us, which nothing here
 * serves? The library's event thread.
 *
 * @param features acknowledged by SET_FEATURES
 */
bool vhost_features_unserved(const struct vhost_dev *dev, uint64_t features);

/* library.c: frames by the library's bursts */
uint16_t vhost_library_rx(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct frame frames[], uint16_t n);
void vhost_library_tx(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/** The library moved frames: the ring's journal follows. Whoever moved them, or nobody does any more. */
void vhost_library_note(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t ring);

/* direct.c: frames between rings, by lib/vring */
uint16_t vhost_direct_rx(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct frame frames[], uint16_t n, struct counters *counters);
void vhost_direct_discard(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct counters *counters);
void vhost_direct_tx(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/* tell.c: the end of a round */

/** A guest is to be told of what its ring holds now: when the round ends, or soon. */
void vhost_tell_later(struct virtq *ring);
bool vhost_round_done(uint64_t now, bool busy);

/* burst.c: the rx and tx slots of struct port_driver */
void vhost_rx_done(void *arg, uint16_t queue);
bool vhost_rx_watch(void *arg, uint16_t queue, struct port_watch *watch);
uint16_t vhost_rx(
	void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters);
void vhost_tx(void *arg, uint16_t lane, struct frame *const frames[], uint16_t n,
	struct counters *counters);

/** Bytes of a ring's areas (virtio 1.2 sections 2.7 and 2.8). */
struct vhost_areas {
	uint64_t desc, avail, used; /**< packed: descriptors, driver's and device's events */
};

static inline struct vhost_areas
vhost_ring_areas(uint64_t size, bool packed)
{
	if (packed)
		return (struct vhost_areas){size * sizeof(struct virtq_packed_desc),
			sizeof(struct virtq_packed_event), sizeof(struct virtq_packed_event)};
	return (struct vhost_areas){size * sizeof(struct vring_desc),
		sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t),
		sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) +
			sizeof(uint16_t)};
}

/* As virtio numbers rings (virtio 1.2 section 5.1.2): the guest receives on even ones. */
static inline uint16_t
vhost_guest_rx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue);
}

static inline uint16_t
vhost_guest_tx_ring(uint16_t queue)
{
	return (uint16_t)(2 * queue + 1);
}

extern const struct port_driver vhost_driver;

#endif
