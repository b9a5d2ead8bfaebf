/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost driver: a VM's virtqueues behind a vhost-user socket (virtio 1.2 section 5.1, QEMU's
 * vhost-user protocol). librte_vhost handles the protocol; frames are moved by lib/vring (direct)
 * or by the library's bursts. Private to drivers/vhost.
 *
 * Thread safety: three kinds of threads use struct vhost_dev: the control thread opens and closes
 * the port, the library's event thread connects and disconnects front ends, polling lcores move
 * frames. The comment at each group of fields names the writer and the readers.
 */
#ifndef SHUNT_DRIVERS_VHOST_H
#define SHUNT_DRIVERS_VHOST_H

#include <stdatomic.h>

#include "frame/dma_map.h"
#include "port/port.h"
#include "vhost/keys.h"
#include "vring/call_relay.h"
#include "vring/vring.h"

enum {
	VHOST_MBUFS_PER_QUEUE = 64,
	VHOST_NOBODY = -1,     /**< vid while no front end is connected */
	VHOST_NO_RING = -1,    /**< ring number of a fault that concerns no single ring */
	VHOST_PENDING_MAX = 8, /**< rings with a notification pending, per lcore */
	VHOST_PENDING_US = 10, /**< a busy lcore notifies with a fence once in this time */
};

/** Mask of a virtio feature bit. */
#define VHOST_FEATURE(bit) (UINT64_C(1) << (bit))

/** Origin of the ring position that the library holds. */
enum vhost_base {
	VHOST_BASE_GIVEN, /**< given by the front end, possibly not reported by any back end */
	VHOST_BASE_TOLD,  /**< front end got or gets it by GET_VRING_BASE on this connection */
	VHOST_BASE_OURS,  /**< reached by our own sessions */
};

/** Our mapping of a guest's memory, counted by reference: the last vhost_mapping_put() frees it. */
struct vhost_mapping {
	struct memory memory;
	struct dma_map_memory dma_map; /**< DMA map of the same memory, where devices use one */
	atomic_uint users;             /**< sessions and the port; event thread and control */
};

/**
 * A vhost session: memory, rings and features as they are between two messages of the front end.
 * Built and freed by the library's event thread; polling lcores read it while it is live, and are
 * meanwhile the only ones to advance its rings.
 */
struct vhost_session {
	struct vhost_session *next; /**< list of ended sessions whose memory devices still read */
	int vid;
	bool direct;                   /**< lib/vring moves frames of all rings, else the library */
	const char *reason;            /**< why not direct; NULL if direct */
	uint64_t features;             /**< negotiated */
	uint8_t capabilities;          /**< FRAME_* that the guest accepts */
	struct vhost_mapping *mapping; /**< NULL = neither direct nor packed */
	struct virtq *ring[2 * PORT_QUEUES_MAX]; /**< in virtio's numbering; NULL = not set up */
};

/**
 * Buffers that a polling lcore has popped from a guest's ring and not returned yet, and rings with
 * a notification pending. One per lcore, since it completes a burst before it polls again: small
 * enough to stay in the L1 cache.
 */
struct vhost_burst {
	struct virtq_batch batch;
	struct virtq *popped;                     /**< ring of the batch; NULL = none */
	struct virtq *pending[VHOST_PENDING_MAX]; /**< rings with a notification pending */
	unsigned n_pending;
	uint64_t sure_at; /**< TSC from which pending notifications are sent with a fence */
};

extern __thread struct vhost_burst vhost_burst;

/** Relay for the interrupts of a ring whose frames the library moves (interrupt.c). */
struct vhost_relay {
	/* Only used by the library's event thread. */
	bool given;             /**< the library's callfd is ours */
	enum virtq_fault fault; /**< of the descriptor that the front end gave */
	/* Written by the event thread, read by polling lcores. Open until the connection ends. */
	struct call_relay ours; /**< the callfd that the library writes to */
	atomic_int to[2];   /**< from the front end: an eventfd, a Unix socket; negative = none */
	atomic_bool socket; /**< index in `to` of the one in use */
};

/** State of table.c for a front end's memory table. Only used by the library's event thread. */
struct vhost_table {
	bool proven; /**< checked on this connection: fds lie where struct vhost_message has them */
	uint32_t n_fds; /**< of the message being handled */
	int fd[MEMORY_REGIONS_MAX];
	unsigned n; /**< mappings kept until the library has made its own */
	void *map[MEMORY_REGIONS_MAX];
	size_t size[MEMORY_REGIONS_MAX];
	bool used[2 * PORT_QUEUES_MAX]; /**< rings that the library had mapped in the last table */
};

/** State of the log of a port's faults. Only used by the control thread. */
struct vhost_told {
	unsigned faults;  /**< vhost_dev.faults when last logged */
	int64_t at;       /**< time of that, seconds, monotonic */
	unsigned table;   /**< vhost_dev.table_open at the last look */
	int64_t table_at; /**< since when, seconds, monotonic */
	bool stuck;       /**< a memory table has not succeeded for longer than FAULT_STUCK_S */
};

struct vhost_dev {
	/* Written by control at open, constant while the port exists. */
	struct vhost_config config;
	const struct port_services *services;
	struct rte_mempool *pool;
	unsigned reserved; /**< mbufs, of the pool */
	uint16_t queues;   /**< queue pairs that are polled */

	/*
	 * Written by the library's event thread, read by polling lcores. `live` is NULL while no
	 * frames may be moved. The live session may be changed or freed only after `live` was set
	 * to NULL and services->quiesce() has returned.
	 */
	_Alignas(64) struct vhost_session *_Atomic live;
	_Atomic uint64_t rarp;     /**< MAC to announce, 0 = none; a polling lcore resets it */
	atomic_ushort send_queues; /**< guest rx rings enabled, from the first on */
	atomic_uchar enabled[2 * PORT_QUEUES_MAX]; /**< per ring, in virtio's numbering */

	/* Written by the library's event thread, read by control. */
	_Alignas(64) atomic_int connection; /**< vid of the connected front end, or VHOST_NOBODY */
	atomic_uint generation;             /**< counts the times the port went live */
	atomic_uint refused;                /**< counts second front ends refused */
	atomic_uint faults;                 /**< counts faults; written by lcores too */
	_Atomic uint64_t features;          /**< negotiated */
	atomic_int fault;                /**< enum virtq_fault in effect; written by lcores too */
	atomic_int fault_last;           /**< the last fault, kept after recovery */
	atomic_int fault_ring;           /**< ring of the last fault, or VHOST_NO_RING */
	char fault_detail[ERR_TEXT_MAX]; /**< of VIRTQ_BAD_MEMORY; under a lock of fault.c */
	atomic_uint table_open;          /**< number of a table that has not succeeded; 0 = none */
	const char *_Atomic path; /**< "direct", or why not; NULL = no session yet, or it failed */
	const char *_Atomic interrupts; /**< kind of the descriptors that interrupt the guest */
	atomic_bool sealed;             /**< direct, and guest memory cannot be truncated */

	atomic_bool running; /**< between new_device and destroy_device */

	/* Only used by the library's event thread. */
	struct vhost_session *session; /**< the live one, or the one paused */
	bool mapped;                   /**< the library has a memory table */
	bool asked;                    /**< the front end has sent GET_FEATURES */
	bool owner_first;              /**< and SET_OWNER before it */
	uint64_t protocol;             /**< protocol features, acknowledged */
	struct vhost_mapping *mapping; /**< of the last session with one, for the next; or NULL */
	unsigned tables;               /**< counts memory tables */
	bool refusal_told;             /**< a refused table was logged on this connection */
	struct vhost_table table;
	uint8_t base[2 * PORT_QUEUES_MAX]; /**< enum vhost_base of each ring */

	/* Set by control at open; one per ring, written as vring/journal.h says. */
	struct virtq_journal *journal;

	struct vhost_told told; /**< only used by control */

	struct vhost_relay relay[2 * PORT_QUEUES_MAX]; /**< per ring, in virtio's numbering */

	struct vhost_dev *next; /**< registry, under its lock */
};

/* fault.c */

/**
 * Record that the front end or its driver broke a rule: the port is down until the front end sets
 * its rings up again. While a fault is in effect further ones are ignored. The control thread logs
 * the reason. Any thread.
 *
 * @param ring in virtio's numbering, or VHOST_NO_RING
 */
void vhost_break(struct vhost_dev *dev, enum virtq_fault fault, int ring);

/**
 * Record VIRTQ_BAD_MEMORY. Any thread but a polling lcore.
 *
 * @param why the reason in words, copied
 */
void vhost_break_memory(struct vhost_dev *dev, const char *why);

/**
 * Log faults since the last call: the first one of a port at once, then at most one line in 10 s.
 * Control thread.
 *
 * @param port name of the port
 * @return true if the port is broken
 */
bool vhost_fault_look(struct vhost_dev *dev, const char *port);

/** Add the fault in effect, if any, to the port info. Control thread. */
void vhost_fault_info(const struct vhost_dev *dev, struct port_info *info);

/* table.c: a new memory table while the library's bursts run. The library's event thread. */

struct vhost_message;

/**
 * Check that the library cannot fail with this table. The mappings that guarantee it are kept until
 * vhost_table_done().
 *
 * @return 0; negative errno with the reason, nothing kept
 */
int vhost_table_try(struct vhost_dev *dev, const struct vhost_message *message, struct err *err);

/** Release what vhost_table_try() kept. Control too, while closing. May be called twice. */
void vhost_table_done(struct vhost_dev *dev);

/** Before the library gets a table: note its descriptors, and the rings mapped in the last one. */
void vhost_table_begin(struct vhost_dev *dev, int vid, const struct vhost_message *message);

/** After the library took a table: check that its descriptors are those noted before. */
void vhost_table_prove(struct vhost_dev *dev, int vid);

/** @return number of a ring mapped in the last table but not in this one; or VHOST_NO_RING */
int vhost_table_misses(const struct vhost_dev *dev, int vid);

/* connection.c: callbacks of the library's event thread */

/** Make the library serve dev->config.socket. Control thread. @return 0 or negative errno */
int vhost_connection_open(struct vhost_dev *dev, struct err *err);

/**
 * Disconnect the front end and unregister the socket. Control thread, once no polling lcore uses
 * the port.
 */
void vhost_connection_close(struct vhost_dev *dev);

/* session.c: vhost sessions. The library's event thread, or control while closing. */

/** Build a session from the present setup and make it live. Breaks the port if that fails. */
void vhost_session_start(struct vhost_dev *dev, int vid);

/**
 * End the session and pass ring positions to the library. Waits for polling lcores, and up to
 * 100 ms for in-flight zero-copy frames. May be called twice.
 */
void vhost_session_stop(struct vhost_dev *dev);

/** Free ended sessions whose memory no device reads any more. Any thread but a polling lcore. */
void vhost_session_collect(void);

/* mapping.c: memory that sessions share. The library's event thread, except vhost_mapping_put(). */

/**
 * Map the memory that the front end shares, or reuse the mapping of the last session.
 *
 * @return NULL with the reason; else a reference to be released by vhost_mapping_put()
 */
struct vhost_mapping *vhost_mapping_get(struct vhost_dev *dev, int vid, struct err *err);

/** Release a reference. NULL is ignored. Any thread but a polling lcore. */
void vhost_mapping_put(struct vhost_mapping *mapping);

/** Release the mapping kept for the next session. Control too, while closing. */
void vhost_mapping_forget(struct vhost_dev *dev);

/* base.c: positions at which rings resume. The library's event thread. */

struct vhost_message;

/** A front end has connected: ring positions count as given by it alone (VHOST_BASE_GIVEN). */
void vhost_base_forget(struct vhost_dev *dev);

/** Before a message is handled: note whether it sets or gets a ring's position. */
void vhost_base_message(struct vhost_dev *dev, const struct vhost_message *message);

/**
 * Correct the position at which a ring resumes, and begin or continue its journal.
 *
 * @param session has the memory mapped
 * @param setup valid, with the position that the library holds
 * @return VIRTQ_GOOD; VIRTQ_BAD_BASE
 */
enum virtq_fault vhost_base_ring(struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t number, struct virtq_setup *setup);

/* journal.c: ring positions that outlive the process. Control thread. */

/**
 * Open the file that holds journals of rings, in memory. A later process finds it by the path of
 * its control socket. If that fails a warning is logged, and journals end with the process.
 *
 * @param control path of the control socket
 */
void vhost_journal_open(const char *control);

/** Once no port uses a journal: close the file, and remove it unless a ring may resume by it. */
void vhost_journal_close(void);

/**
 * Get the journals of a port's rings: those of the last port with this socket if there are any.
 *
 * @return an array for vhost_journal_give(); NULL if there is no memory
 */
struct virtq_journal *vhost_journal_take(const char *socket, unsigned rings);

/** Return journals of a closed port. Those by which its rings may resume stay in the file. */
void vhost_journal_give(struct virtq_journal *journal, unsigned rings);

/* socket.c: the file system side of a listening socket. Control thread. */

/**
 * Make a path free to listen at: remove a socket at which no process listens.
 *
 * @return 0; negative errno with the reason: not a socket, in use, or no such directory
 */
int vhost_socket_claim(const char *path, struct err *err);

/** Set owner and mode of the socket as configured. @return 0; negative errno with the reason */
int vhost_socket_protect(const struct vhost_config *config, struct err *err);

/* frontend.c */

/** @return true if XML and a terminal take the path: no control characters, U+FFFE or U+FFFF */
bool vhost_frontend_can_say(const char *path);

/** The frontend slot of struct port_driver. */
void vhost_frontend(const struct port *port, struct port_frontend *frontend);

/* reconnect.c: client mode. Control thread. */

/** rte_vhost_driver_register() in client mode; the first call creates threads. @return 0, -1 */
int vhost_reconnect_register(const char *path);

/**
 * Make the library connect as soon as a front end listens at a registered path. Further calls watch
 * its directory too if that was created, or created anew, meanwhile.
 */
void vhost_reconnect_add(const char *path);

/** Undo vhost_reconnect_add(). A path that is not watched is ignored. */
void vhost_reconnect_forget(const char *path);

/* threads.c: threads that the library creates */

enum { VHOST_THREADS_MAX = 8 };

/** Threads that one call into the library created. Written by control, before other threads read */
struct vhost_threads {
	pid_t tid[VHOST_THREADS_MAX];
	unsigned n;
};

/**
 * Call the library, and note the threads created meanwhile unless some are noted already. Control
 * thread.
 *
 * @return what `call` returned
 */
int vhost_threads_find(
	struct vhost_threads *threads, int (*call)(const char *path), const char *path);

/** Interrupt the waits of these threads by a signal; the library has no call for it. Any thread. */
void vhost_threads_interrupt(const struct vhost_threads *threads);

/* event_thread.c: the library's event thread. Control thread. */

/**
 * Keep the event thread once it exists. From DPDK 24.11.6 on the library ends it with its last
 * socket, and the thread that removes the socket waits up to a second for that.
 */
void vhost_thread_keep(void);

/** rte_vhost_driver_start(); the first call creates the event thread. @return 0, negative */
int vhost_thread_start(const char *path);

/** Make the event thread listen at new sockets now instead of within a second. */
void vhost_fdset_kick(void);

/*
 * interrupt.c: interrupts of guests whose frames the library moves. The library's event thread,
 * except where noted.
 */

/** Before the port is connected. Control thread. */
void vhost_interrupt_init(struct vhost_dev *dev);

/**
 * Replace the callfd that the library got from the front end for a ring by our relay's. Called
 * while the library holds the rings' locks, or while no lcore uses the rings.
 *
 * @return VIRTQ_GOOD, or the fault: the descriptor cannot be used to interrupt the guest
 */
enum virtq_fault vhost_interrupt_take(struct vhost_dev *dev, int vid, uint16_t ring);

/**
 * Duplicate the callfd that the front end gave for a ring.
 *
 * @param fd the callfd that the library has for the ring
 * @return a descriptor that the caller closes; negative if there is none
 */
int vhost_interrupt_dup(const struct vhost_dev *dev, uint16_t ring, int fd);

/**
 * After SET_VRING_CALL, while the library holds the rings' locks.
 *
 * @param number payload of the message
 */
void vhost_interrupt_message(struct vhost_dev *dev, int vid, uint64_t number);

/** After a burst of the library: interrupt the guest if it did. Polling lcores; never waits. */
void vhost_interrupt_pass(struct vhost_dev *dev, uint16_t ring);

/** Close all relays: the connection has ended, and no lcore uses its rings. */
void vhost_interrupt_forget(struct vhost_dev *dev);

/* features.c: features offered to a front end */

/** @return features of the library that a port with these keys does not offer */
uint64_t vhost_features_off(const struct vhost_config *config);

/**
 * Select the features to offer to the connected front end. The library's event thread.
 *
 * @param features what the port offers
 * @return those of them that suit the front end
 */
uint64_t vhost_features_offer(const struct vhost_dev *dev, uint64_t features);

/**
 * The library's event thread.
 *
 * @param features acknowledged by SET_FEATURES
 * @return true if they leave the control queue to the back end, which does not serve it
 */
bool vhost_features_unserved(const struct vhost_dev *dev, uint64_t features);

/* library.c: rx and tx by the library's bursts. Polling lcores. */
uint16_t vhost_library_rx(struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t queue, struct frame frames[], uint16_t n);
void vhost_library_tx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/**
 * Copy the position of a ring whose frames the library moves to its journal. The lcore that moved
 * frames, or any thread while no lcore uses the ring.
 */
void vhost_library_note(struct vhost_dev *dev, const struct vhost_session *session, uint16_t ring);

/* direct.c: rx and tx by lib/vring. Polling lcores. */
uint16_t vhost_direct_rx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame frames[], uint16_t n, struct counters *counters);
void vhost_direct_discard(struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t queue, struct counters *counters);
void vhost_direct_tx(struct vhost_dev *dev, const struct vhost_session *session, uint16_t queue,
	struct frame *const frames[], uint16_t n, struct counters *counters);

/* notify.c: notifications at the end of a poll-loop iteration. Polling lcores. */

/** Mark a ring's notification as pending: it is sent at the end of the round, or soon after. */
void vhost_notify_later(struct virtq *ring);
/** The round_done slot of struct port_driver. */
bool vhost_round_done(uint64_t now, bool busy);

/* burst.c: the rx and tx slots of struct port_driver */
void vhost_rx_done(void *arg, uint16_t queue);
bool vhost_rx_monitor(void *arg, uint16_t queue, struct port_monitor *watch);
uint16_t vhost_rx(
	void *arg, uint16_t queue, struct frame frames[], uint16_t n, struct counters *counters);
void vhost_tx(void *arg, uint16_t lcore_id, struct frame *const frames[], uint16_t n,
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

/* Virtqueue numbers of a queue pair (virtio 1.2 section 5.1.2): the guest receives on even ones. */
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
