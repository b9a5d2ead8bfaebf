/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of a vhost port.
 *
 * Thread safety: three kinds of threads use struct vhost_dev: the control thread opens and closes
 * the port, the library's event thread connects and disconnects front ends, polling lcores move
 * frames. The comment at each group of fields names the writer and the readers.
 */
#ifndef SHUNT_DRIVERS_VHOST_DEVICE_H
#define SHUNT_DRIVERS_VHOST_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "base/err.h"
#include "port/port.h"
#include "vhost/fault.h"
#include "vhost/interrupt.h"
#include "vhost/keys.h"
#include "vhost/table.h"

struct vhost_mapping;
struct vhost_session;
struct virtq_journal;

enum { VHOST_NO_FRONT_END = -1 }; /**< vid while no front end is connected */

/** A vhost port. */
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
	_Alignas(64)
		atomic_int connection; /**< vid of the connected front end, or VHOST_NO_FRONT_END */
	atomic_uint generation;        /**< counts the times the port went live */
	atomic_uint front_ends;        /**< as in struct port_link */
	atomic_uint refused;           /**< counts second front ends refused */
	atomic_uint faults;            /**< counts faults; written by lcores too */
	_Atomic uint64_t features;     /**< negotiated */
	atomic_int fault;              /**< enum virtq_fault in effect; written by lcores too */
	atomic_int fault_last;         /**< the last fault, kept after recovery */
	atomic_int fault_ring;         /**< ring of the last fault, or VHOST_NO_RING */
	char fault_detail[ERR_TEXT_MAX]; /**< of VIRTQ_BAD_MEMORY; under a lock of fault.c */
	atomic_uint table_pending;      /**< number of a table being handled, or failed; 0 = none */
	const char *_Atomic path;       /**< "direct" or the reason against; NULL = no session */
	const char *_Atomic interrupts; /**< kind of the descriptors that interrupt the guest */
	atomic_bool sealed;             /**< direct, and guest memory cannot be truncated */

	atomic_bool running; /**< between new_device and destroy_device */

	/* Only used by the library's event thread. */
	struct vhost_session *session; /**< the live one, or the one paused */
	bool mapped;                   /**< the library has a memory table */
	bool get_features_seen;        /**< the front end has sent GET_FEATURES */
	bool set_owner_first;          /**< and SET_OWNER before it */
	uint64_t protocol;             /**< protocol features, acknowledged */
	struct vhost_mapping *mapping; /**< of the last session with one, for the next; or NULL */
	unsigned tables;               /**< counts memory tables */
	bool refusal_logged;           /**< a refused table was logged on this connection */
	struct vhost_table table;
	uint8_t base[2 * PORT_QUEUES_MAX]; /**< enum vhost_base of each ring */

	/* Set by control at open; one per ring, written as vring/journal.h says. */
	struct virtq_journal *journal;

	struct vhost_fault_log fault_log; /**< only used by control */

	struct vhost_relay relay[2 * PORT_QUEUES_MAX]; /**< per ring, in virtio's numbering */

	struct vhost_dev *next; /**< registry, under its lock */
};

#endif
