/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds and ends vhost sessions: memory, rings and features that stay constant between two
 * messages of a front end. Memory is mapped once more (mapping.c), and ring addresses are
 * translated into that mapping, so that nothing the library unmaps is in use. Before a message that
 * changes any of it the session ends: lcores stop using it, and the library gets the positions of
 * the rings, since it answers GET_VRING_BASE.
 */
#include "vhost/session.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <rte_malloc.h>
#include <rte_vhost.h>

#include "vhost/base.h"
#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/features.h"
#include "vhost/interrupt.h"
#include "vhost/keys.h"
#include "vhost/library.h"
#include "vhost/mapping.h"
#include "vhost/ring.h"
#include "vring/call.h"

enum { SESSION_DRAIN_MS = 100 }; /* max. wait for in-flight zero-copy frames of a guest */

/* Ended sessions whose memory a device may still read. Guarded by session_retired_lock. */
static struct vhost_session *session_retired;
static pthread_mutex_t session_retired_lock = PTHREAD_MUTEX_INITIALIZER;

/** @return FRAME_* offloads that the guest accepts in frames that it receives */
static uint8_t
session_capabilities(uint64_t features)
{
	uint8_t capabilities = FRAME_CHAIN;

	/* Segmentation requires it (virtio 1.2 section 5.1.3.1), whatever the driver sends. */
	if ((features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_CSUM)) == 0)
		return capabilities;
	capabilities |= FRAME_CSUM;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO4))
		capabilities |= FRAME_TSO4;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO6))
		capabilities |= FRAME_TSO6;
	return capabilities;
}

/** @return offloads that the guest may request in frames that it sends */
static uint8_t
session_offloads(uint64_t features)
{
	uint8_t offloads = 0;

	if (features & VHOST_FEATURE(VIRTIO_NET_F_CSUM))
		offloads |= FRAME_CSUM;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_HOST_TSO4))
		offloads |= FRAME_TSO4;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_HOST_TSO6))
		offloads |= FRAME_TSO6;
	return offloads;
}

/** @return reason for the library path, constant text; NULL if the session can be direct */
static const char *
session_library_reason(const struct vhost_config *config, uint64_t features)
{
	if (config->datapath == VHOST_DATAPATH_LIBRARY)
		return "library: as configured";
	if (features & VHOST_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
		return "library: the guest has a vIOMMU";
	if (features & VHOST_FEATURE(VHOST_F_LOG_ALL))
		return "library: migration logs writes";
	return NULL;
}

/** Translate an address in the library's mapping. @return NULL if not in one region */
static void *
session_translate(const struct vhost_session *session, const void *address, uint64_t size)
{
	const struct memory *memory = &session->mapping->memory;

	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		uint64_t offset = (uintptr_t)address - region->uva;
		if (address != NULL && offset < region->size && size <= region->size - offset)
			return region->hva + offset;
	}
	return NULL;
}

/** Translate the areas of a split ring. */
static void
session_split_areas(const struct vhost_session *session, const struct rte_vhost_vring *vring,
	struct virtq_setup *setup)
{
	const struct vhost_areas areas = vhost_ring_areas(vring->size, false);

	setup->desc = session_translate(session, vring->desc, areas.desc);
	setup->avail = session_translate(session, vring->avail, areas.avail);
	setup->used = session_translate(session, vring->used, areas.used);
}

/** Translate the areas of a packed ring. */
static void
session_packed_areas(const struct vhost_session *session, const struct rte_vhost_vring *vring,
	struct virtq_setup *setup)
{
	const struct vhost_areas areas = vhost_ring_areas(vring->size, true);

	setup->packed_desc = session_translate(session, vring->desc_packed, areas.desc);
	setup->driver_event = session_translate(session, vring->driver_event, areas.avail);
	setup->device_event = session_translate(session, vring->device_event, areas.used);
}

/** Fill the setup of a ring from the features and from the library's description of the ring. */
static void
session_ring_setup(const struct vhost_dev *dev, const struct vhost_session *session,
	uint16_t number, const struct rte_vhost_vring *vring, struct virtq_setup *setup)
{
	uint64_t features = session->features;
	bool packed = (features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0;
	bool modern = packed || (features & VHOST_FEATURE(VIRTIO_F_VERSION_1)) != 0;

	*setup = (struct virtq_setup){
		.memory = &session->mapping->memory,
		.size = vring->size,
		.packed = packed,
		.mergeable = (features & VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF)) != 0,
		.event_idx = (features & VHOST_FEATURE(VIRTIO_RING_F_EVENT_IDX)) != 0,
		.offloads = session_offloads(features),
		.callfd = vhost_interrupt_dup(dev, number, vring->callfd),
	};
	setup->header_len = modern || setup->mergeable ? VIRTQ_HEADER_MAX : VIRTQ_HEADER_LEN;
	(packed ? session_packed_areas : session_split_areas)(session, vring, setup);
	/* In packed rings bit 15 of a base is the wrap counter, as in an idx_wrap. */
	rte_vhost_get_vring_base(session->vid, number, &setup->last_avail, &setup->last_used);
}

/** Check the setup of a ring, and the kind of its callfd. @return VIRTQ_GOOD, or the fault */
static enum virtq_fault
session_check_ring(struct virtq_setup *setup)
{
	enum virtq_fault fault = VIRTQ_GOOD;

	if (setup->callfd >= 0)
		fault = call_check(setup->callfd, &setup->call_socket);
	if (fault != VIRTQ_GOOD)
		return fault;
	if (setup->desc == NULL || setup->avail == NULL || setup->used == NULL ||
		!virtq_valid(setup))
		return VIRTQ_BAD_RING;
	return VIRTQ_GOOD;
}

/** Set up a ring of a direct session. @return VIRTQ_GOOD, also for a ring without addresses */
static enum virtq_fault
session_add_ring(struct vhost_dev *dev, struct vhost_session *session, uint16_t number)
{
	struct virtq_setup setup = {.callfd = -1};
	struct rte_vhost_vring vring;

	/* Not set up, or not yet: a fault only if the last table had the ring mapped. */
	if (rte_vhost_get_vhost_vring(session->vid, number, &vring) < 0 || vring.size == 0 ||
		vring.desc == NULL)
		return dev->table.ring_mapped[number] ? VIRTQ_BAD_RING : VIRTQ_GOOD;
	session_ring_setup(dev, session, number, &vring, &setup);
	struct virtq *ring = rte_zmalloc("virtq", sizeof(*ring), 64);
	/* Zero-copy frames may complete out of order, which IN_ORDER rules out: then copy. */
	if (number % 2 != 0 && !setup.packed &&
		(session->features & VHOST_FEATURE(VIRTIO_F_IN_ORDER)) == 0)
		setup.inflight = inflight_create(setup.size);
	if (setup.inflight != NULL)
		setup.inflight->dma_mapped = &session->mapping->dma_map.mapped;
	enum virtq_fault fault =
		dev->relay[number].installed ? dev->relay[number].fault : VIRTQ_GOOD;
	if (fault == VIRTQ_GOOD)
		fault = session_check_ring(&setup);
	if (fault == VIRTQ_GOOD)
		fault = vhost_base_resume(dev, session, number, &setup);
	if (fault == VIRTQ_GOOD && (ring == NULL || virtq_init(ring, &setup) < 0))
		fault = VIRTQ_BAD_RING;
	if (fault != VIRTQ_GOOD) {
		if (setup.callfd >= 0)
			close(setup.callfd);
		inflight_destroy(setup.inflight);
		rte_free(ring);
		return fault;
	}
	virtq_suppress_kicks(ring);
	session->ring[number] = ring;
	return VIRTQ_GOOD;
}

/**
 * Set the position at which the library resumes a packed ring. For a split ring the library uses
 * the used index: without packed rings the session has no mapping, and nothing is done.
 */
static enum virtq_fault
session_set_library_base(struct vhost_dev *dev, struct vhost_session *session, uint16_t number)
{
	struct rte_vhost_vring vring;
	struct virtq_setup setup;

	if (session->mapping == NULL ||
		rte_vhost_get_vhost_vring(session->vid, number, &vring) < 0 || vring.size == 0 ||
		vring.desc == NULL)
		return VIRTQ_GOOD;
	session_ring_setup(dev, session, number, &vring, &setup);
	enum virtq_fault fault = session_check_ring(&setup);
	if (fault == VIRTQ_GOOD)
		fault = vhost_base_resume(dev, session, number, &setup);
	if (fault == VIRTQ_GOOD)
		rte_vhost_set_vring_base(session->vid, number, setup.last_avail, setup.last_used);
	if (setup.callfd >= 0)
		close(setup.callfd);
	return fault;
}

/** Free a session, with its rings and its reference to the mapping. */
static void
session_free(struct vhost_session *session)
{
	for (unsigned i = 0; i < RTE_DIM(session->ring); i++) {
		if (session->ring[i] == NULL)
			continue;
		if (session->ring[i]->callfd >= 0)
			close(session->ring[i]->callfd);
		inflight_destroy(session->ring[i]->inflight);
		rte_free(session->ring[i]);
	}
	vhost_mapping_put(session->mapping);
	rte_free(session);
}

/** @return true if a device may still read the session's memory */
static bool
session_in_use(const struct vhost_session *session)
{
	for (unsigned i = 0; i < RTE_DIM(session->ring); i++)
		if (session->ring[i] != NULL && session->ring[i]->inflight != NULL &&
			inflight_in_use(session->ring[i]->inflight))
			return true;
	return false;
}

void
vhost_session_reap(void)
{
	struct vhost_session *done = NULL;

	pthread_mutex_lock(&session_retired_lock);
	struct vhost_session **link = &session_retired;
	while (*link != NULL) {
		struct vhost_session *session = *link;
		if (session_in_use(session)) {
			link = &session->next;
			continue;
		}
		*link = session->next;
		session->next = done;
		done = session;
	}
	pthread_mutex_unlock(&session_retired_lock);
	/* Outside the lock: removing a DMA map takes time. */
	while (done != NULL) {
		struct vhost_session *session = done;
		done = session->next;
		session_free(session);
	}
}

/** Free a session, or keep it on the list while a device may read its memory. */
static void
session_retire(struct vhost_session *session)
{
	pthread_mutex_lock(&session_retired_lock);
	session->next = session_retired;
	session_retired = session;
	pthread_mutex_unlock(&session_retired_lock);
	vhost_session_reap();
}

/** Build a session from the library's setup. @return NULL on failure; then the port is broken */
static struct vhost_session *
session_build(struct vhost_dev *dev, int vid)
{
	struct vhost_session *session = rte_zmalloc("session", sizeof(*session), 64);
	enum virtq_fault fault = VIRTQ_GOOD;
	struct err err = {0};
	uint16_t ring = 0;

	if (session == NULL) {
		vhost_fault_set_memory(dev, "no memory in the switch");
		return NULL;
	}
	session->vid = vid;
	rte_vhost_get_negotiated_features(vid, &session->features);
	session->capabilities = session_capabilities(session->features);
	session->reason = session_library_reason(&dev->config, session->features);
	session->direct = session->reason == NULL;
	/* Without a table the library's rings may point into one that was unmapped. */
	if (!dev->mapped)
		err_set(&err, ENOMEM, "no memory table");
	else if (session->direct || (session->features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0)
		session->mapping = vhost_mapping_get(dev, vid, &err);
	if (err.code != 0) {
		vhost_fault_set_memory(dev, err.text);
		session_free(session);
		return NULL;
	}
	for (; fault == VIRTQ_GOOD && ring < 2 * dev->queues; ring++) {
		fault = session->direct ? session_add_ring(dev, session, ring)
					: vhost_interrupt_relay(dev, vid, ring);
		if (fault == VIRTQ_GOOD && !session->direct)
			fault = session_set_library_base(dev, session, ring);
	}
	if (fault == VIRTQ_GOOD)
		return session;
	vhost_fault_set(dev, fault, ring - 1);
	session_free(session);
	return NULL;
}

/** @return kind of the descriptors that interrupt the guest: "socket" if any of them is one */
static const char *
session_interrupt_kind(const struct vhost_dev *dev, const struct vhost_session *session)
{
	const char *kind = "none";

	for (unsigned i = 0; i < RTE_DIM(session->ring); i++) {
		const struct virtq *ring = session->ring[i];
		const struct vhost_relay *relay = &dev->relay[i];
		bool present =
			session->direct ? ring != NULL && ring->callfd >= 0 : relay->installed;

		if (present && (session->direct ? ring->call_socket : atomic_load(&relay->socket)))
			return "socket";
		kind = present ? "eventfd" : kind;
	}
	return kind;
}

void
vhost_session_start(struct vhost_dev *dev, int vid)
{
	atomic_store(&dev->fault, VIRTQ_GOOD);
	atomic_store(&dev->path, NULL);
	struct vhost_session *session = session_build(dev, vid);
	if (session == NULL)
		return;
	memset(dev->table.ring_mapped, 0, sizeof(dev->table.ring_mapped));
	dev->session = session;
	atomic_store(&dev->table_pending, 0);
	atomic_store(&dev->features, session->features);
	atomic_store(&dev->sealed, session->direct && session->mapping->memory.sealed);
	atomic_store(&dev->interrupts, session_interrupt_kind(dev, session));
	atomic_store(&dev->path, session->direct ? "direct" : session->reason);
	/* Release: pairs with the acquire in vhost_rx() and vhost_tx(). */
	atomic_store_explicit(&dev->live, session, memory_order_release);
}

/**
 * Return all buffers of popped frames to the guest, and end the rings. Waits up to SESSION_DRAIN_MS
 * until devices have read in-flight frames. Lcores no longer use these rings, but still poll all
 * other queues, including those of the devices.
 */
static void
session_drain(struct vhost_session *session)
{
	bool waits = true;

	for (unsigned ms = 0; waits && ms < SESSION_DRAIN_MS; ms++) {
		waits = false;
		for (unsigned i = 0; i < RTE_DIM(session->ring); i++) {
			if (session->ring[i] == NULL || !virtq_has_inflight(session->ring[i]))
				continue;
			virtq_reclaim(session->ring[i], NULL);
			waits = waits || virtq_has_inflight(session->ring[i]);
		}
		if (waits)
			usleep(1000);
	}
	for (unsigned i = 0; i < RTE_DIM(session->ring); i++) {
		if (session->ring[i] == NULL)
			continue;
		virtq_pop_end(session->ring[i]);
		virtq_notify(&session->ring[i], 1);
	}
}

void
vhost_session_stop(struct vhost_dev *dev)
{
	struct vhost_session *session = dev->session;

	if (session == NULL)
		return;
	atomic_store(&dev->live, NULL);
	dev->services->quiesce(dev->services->arg);
	session_drain(session);
	for (uint16_t i = 0; i < 2 * dev->queues; i++) {
		if (session->ring[i] != NULL)
			rte_vhost_set_vring_base(session->vid, i, session->ring[i]->last_avail,
				session->ring[i]->last_used);
		else if (!session->direct)
			vhost_library_journal(dev, session, i);
	}
	dev->session = NULL;
	session_retire(session);
}
