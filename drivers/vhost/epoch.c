/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Epochs: what polling lcores may rely on between two messages of a front end. Memory is mapped
 * once more, by us (mapping.c), and rings are translated into that, so that nothing the library
 * unmaps is in use. Before a message that changes any of it the epoch ends: lcores let go, and the library is
 * told how far the rings came, for it answers GET_VRING_BASE.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <rte_malloc.h>
#include <rte_vhost.h>

#include "vhost/vhost.h"
#include "vring/call.h"

enum { EPOCH_PATIENCE_MS = 100 }; /* for devices that read from a guest's memory */

/* Ended, but a device may still read their memory. Guarded by retired_lock, a leaf. */
static struct vhost_epoch *retired;
static pthread_mutex_t retired_lock = PTHREAD_MUTEX_INITIALIZER;

static uint8_t
epoch_capabilities(uint64_t features)
{
	uint8_t capabilities = FRAME_CHAIN;

	/* Segmentation requires it (virtio 1.2 section 5.1.3.1), whatever the driver says. */
	if ((features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_CSUM)) == 0)
		return capabilities;
	capabilities |= FRAME_CSUM;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO4))
		capabilities |= FRAME_TSO4;
	if (features & VHOST_FEATURE(VIRTIO_NET_F_GUEST_TSO6))
		capabilities |= FRAME_TSO6;
	return capabilities;
}

/** What the guest may ask for in the frames it sends. */
static uint8_t
epoch_offers(uint64_t features)
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

/** @return NULL when frames can move directly, else why not */
static const char *
epoch_obstacle(const struct vhost_config *config, uint64_t features)
{
	if (config->datapath == VHOST_DATAPATH_LIBRARY)
		return "library: as configured";
	if (features & VHOST_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
		return "library: the guest has a vIOMMU";
	if (features & VHOST_FEATURE(VHOST_F_LOG_ALL))
		return "library: migration logs writes";
	return NULL;
}

/** An address in the library's mapping, in ours. @return NULL unless all of it is in one region */
static void *
epoch_translate(const struct vhost_epoch *epoch, const void *address, uint64_t size)
{
	const struct memory *memory = &epoch->mapping->memory;

	for (unsigned i = 0; i < memory->n; i++) {
		const struct memory_region *region = &memory->region[i];
		uint64_t offset = (uintptr_t)address - region->front;
		if (address != NULL && offset < region->size && size <= region->size - offset)
			return region->host + offset;
	}
	return NULL;
}

static void
epoch_split_areas(const struct vhost_epoch *epoch, const struct rte_vhost_vring *vring,
	struct virtq_setup *setup)
{
	const struct vhost_areas areas = vhost_ring_areas(vring->size, false);

	setup->desc = epoch_translate(epoch, vring->desc, areas.desc);
	setup->avail = epoch_translate(epoch, vring->avail, areas.avail);
	setup->used = epoch_translate(epoch, vring->used, areas.used);
}

static void
epoch_packed_areas(const struct vhost_epoch *epoch, const struct rte_vhost_vring *vring,
	struct virtq_setup *setup)
{
	const struct vhost_areas areas = vhost_ring_areas(vring->size, true);

	setup->packed_desc = epoch_translate(epoch, vring->desc_packed, areas.desc);
	setup->driver_event = epoch_translate(epoch, vring->driver_event, areas.avail);
	setup->device_event = epoch_translate(epoch, vring->device_event, areas.used);
}

static void
epoch_ring_setup(const struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t number,
	const struct rte_vhost_vring *vring, struct virtq_setup *setup)
{
	uint64_t features = epoch->features;
	bool packed = (features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0;
	bool modern = packed || (features & VHOST_FEATURE(VIRTIO_F_VERSION_1)) != 0;

	*setup = (struct virtq_setup){
		.memory = &epoch->mapping->memory,
		.size = vring->size,
		.packed = packed,
		.mergeable = (features & VHOST_FEATURE(VIRTIO_NET_F_MRG_RXBUF)) != 0,
		.event_idx = (features & VHOST_FEATURE(VIRTIO_RING_F_EVENT_IDX)) != 0,
		.offloads = epoch_offers(features),
		.callfd = vhost_interrupt_dup(dev, number, vring->callfd),
	};
	setup->header_len = modern || setup->mergeable ? VIRTQ_HEADER_MAX : VIRTQ_HEADER_LEN;
	(packed ? epoch_packed_areas : epoch_split_areas)(epoch, vring, setup);
	/* Bases of packed rings have the wrap counter in bit 15, as ours. */
	rte_vhost_get_vring_base(epoch->vid, number, &setup->last_avail, &setup->last_used);
}

/** What is wrong with a ring that its front end has set up. */
static enum virtq_fault
epoch_check_ring(struct virtq_setup *setup)
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

static enum virtq_fault
epoch_add_ring(struct vhost_dev *dev, struct vhost_epoch *epoch, uint16_t number)
{
	struct virtq_setup setup = {.callfd = -1};
	struct rte_vhost_vring vring;

	/* Not set up, or not yet. */
	if (rte_vhost_get_vhost_vring(epoch->vid, number, &vring) < 0 || vring.size == 0 ||
		vring.desc == NULL)
		return dev->table.used[number] ? VIRTQ_BAD_RING : VIRTQ_GOOD;
	epoch_ring_setup(dev, epoch, number, &vring, &setup);
	struct virtq *ring = rte_zmalloc("virtq", sizeof(*ring), 64);
	/* Held frames may be overtaken, which IN_ORDER rules out. Without a hold frames are copied. */
	if (number % 2 != 0 && !setup.packed &&
		(epoch->features & VHOST_FEATURE(VIRTIO_F_IN_ORDER)) == 0)
		setup.hold = hold_create(setup.size);
	if (setup.hold != NULL)
		setup.hold->reached = &epoch->mapping->reach.mapped;
	enum virtq_fault fault = dev->relay[number].given ? dev->relay[number].fault : VIRTQ_GOOD;
	if (fault == VIRTQ_GOOD)
		fault = epoch_check_ring(&setup);
	if (fault == VIRTQ_GOOD)
		fault = vhost_place_ring(dev, epoch, number, &setup);
	if (fault == VIRTQ_GOOD && (ring == NULL || virtq_init(ring, &setup) < 0))
		fault = VIRTQ_BAD_RING;
	if (fault != VIRTQ_GOOD) {
		if (setup.callfd >= 0)
			close(setup.callfd);
		hold_destroy(setup.hold);
		rte_free(ring);
		return fault;
	}
	virtq_suppress_kicks(ring);
	epoch->ring[number] = ring;
	return VIRTQ_GOOD;
}

/**
 * Where does a ring go on that the library moves frames by? Of a split one it knows, by the used
 * index.
 */
static enum virtq_fault
epoch_place_library(struct vhost_dev *dev, struct vhost_epoch *epoch, uint16_t number)
{
	struct rte_vhost_vring vring;
	struct virtq_setup setup;

	if (epoch->mapping == NULL || rte_vhost_get_vhost_vring(epoch->vid, number, &vring) < 0 ||
		vring.size == 0 || vring.desc == NULL)
		return VIRTQ_GOOD;
	epoch_ring_setup(dev, epoch, number, &vring, &setup);
	enum virtq_fault fault = epoch_check_ring(&setup);
	if (fault == VIRTQ_GOOD)
		fault = vhost_place_ring(dev, epoch, number, &setup);
	if (fault == VIRTQ_GOOD)
		rte_vhost_set_vring_base(epoch->vid, number, setup.last_avail, setup.last_used);
	if (setup.callfd >= 0)
		close(setup.callfd);
	return fault;
}

static void
epoch_free(struct vhost_epoch *epoch)
{
	for (unsigned i = 0; i < RTE_DIM(epoch->ring); i++) {
		if (epoch->ring[i] == NULL)
			continue;
		if (epoch->ring[i]->callfd >= 0)
			close(epoch->ring[i]->callfd);
		hold_destroy(epoch->ring[i]->hold);
		rte_free(epoch->ring[i]);
	}
	vhost_mapping_put(epoch->mapping);
	rte_free(epoch);
}

static bool
epoch_is_read(const struct vhost_epoch *epoch)
{
	for (unsigned i = 0; i < RTE_DIM(epoch->ring); i++)
		if (epoch->ring[i] != NULL && epoch->ring[i]->hold != NULL &&
			hold_is_read(epoch->ring[i]->hold))
			return true;
	return false;
}

void
vhost_epoch_collect(void)
{
	struct vhost_epoch *done = NULL;

	pthread_mutex_lock(&retired_lock);
	struct vhost_epoch **link = &retired;
	while (*link != NULL) {
		struct vhost_epoch *epoch = *link;
		if (epoch_is_read(epoch)) {
			link = &epoch->next;
			continue;
		}
		*link = epoch->next;
		epoch->next = done;
		done = epoch;
	}
	pthread_mutex_unlock(&retired_lock);
	/* Devices may have to let go of the memory, which takes its time. */
	while (done != NULL) {
		struct vhost_epoch *epoch = done;
		done = epoch->next;
		epoch_free(epoch);
	}
}

/** Its memory stays mapped for as long as a device may read from it. */
static void
epoch_retire(struct vhost_epoch *epoch)
{
	pthread_mutex_lock(&retired_lock);
	epoch->next = retired;
	retired = epoch;
	pthread_mutex_unlock(&retired_lock);
	vhost_epoch_collect();
}

/** @return NULL, the port is broken then */
static struct vhost_epoch *
epoch_build(struct vhost_dev *dev, int vid)
{
	struct vhost_epoch *epoch = rte_zmalloc("epoch", sizeof(*epoch), 64);
	enum virtq_fault fault = VIRTQ_GOOD;
	struct err err = {0};
	uint16_t ring = 0;

	if (epoch == NULL) {
		vhost_break_memory(dev, "no memory in the switch");
		return NULL;
	}
	epoch->vid = vid;
	rte_vhost_get_negotiated_features(vid, &epoch->features);
	epoch->capabilities = epoch_capabilities(epoch->features);
	epoch->reason = epoch_obstacle(&dev->config, epoch->features);
	epoch->direct = epoch->reason == NULL;
	/* The library's rings may point into a table that it has lost. */
	if (!dev->mapped)
		err_set(&err, ENOMEM, "no memory table");
	else if (epoch->direct || (epoch->features & VHOST_FEATURE(VIRTIO_F_RING_PACKED)) != 0)
		epoch->mapping = vhost_mapping_get(dev, vid, &err);
	if (err.code != 0) {
		vhost_break_memory(dev, err.text);
		epoch_free(epoch);
		return NULL;
	}
	for (; fault == VIRTQ_GOOD && ring < 2 * dev->queues; ring++) {
		fault = epoch->direct ? epoch_add_ring(dev, epoch, ring)
				      : vhost_interrupt_take(dev, vid, ring);
		if (fault == VIRTQ_GOOD && !epoch->direct)
			fault = epoch_place_library(dev, epoch, ring);
	}
	if (fault == VIRTQ_GOOD)
		return epoch;
	vhost_break(dev, fault, ring - 1);
	epoch_free(epoch);
	return NULL;
}

/** Which descriptors interrupt the guest: "socket" when one is. */
static const char *
epoch_interrupts(const struct vhost_dev *dev, const struct vhost_epoch *epoch)
{
	const char *kind = "none";

	for (unsigned i = 0; i < RTE_DIM(epoch->ring); i++) {
		const struct virtq *ring = epoch->ring[i];
		const struct vhost_relay *relay = &dev->relay[i];
		bool there = epoch->direct ? ring != NULL && ring->callfd >= 0 : relay->given;

		if (there && (epoch->direct ? ring->call_socket : atomic_load(&relay->socket)))
			return "socket";
		kind = there ? "eventfd" : kind;
	}
	return kind;
}

void
vhost_epoch_start(struct vhost_dev *dev, int vid)
{
	atomic_store(&dev->fault, VIRTQ_GOOD);
	atomic_store(&dev->path, NULL);
	struct vhost_epoch *epoch = epoch_build(dev, vid);
	if (epoch == NULL)
		return;
	memset(dev->table.used, 0, sizeof(dev->table.used));
	dev->epoch = epoch;
	atomic_store(&dev->table_open, 0);
	atomic_store(&dev->features, epoch->features);
	atomic_store(&dev->sealed, epoch->direct && epoch->mapping->memory.sealed);
	atomic_store(&dev->interrupts, epoch_interrupts(dev, epoch));
	atomic_store(&dev->path, epoch->direct ? "direct" : epoch->reason);
	/* Release: pairs with the acquire in vhost_rx() and vhost_tx(). */
	atomic_store_explicit(&dev->live, epoch, memory_order_release);
}

/**
 * Wait for devices that read frames of this guest, not for ever. Lcores have let go of the rings,
 * and go on polling everything else, the devices too.
 */
static void
epoch_settle(struct vhost_epoch *epoch)
{
	bool waits = true;

	for (unsigned ms = 0; waits && ms < EPOCH_PATIENCE_MS; ms++) {
		waits = false;
		for (unsigned i = 0; i < RTE_DIM(epoch->ring); i++) {
			if (epoch->ring[i] == NULL || !virtq_waits(epoch->ring[i]))
				continue;
			virtq_settle(epoch->ring[i], NULL);
			waits = waits || virtq_waits(epoch->ring[i]);
		}
		if (waits)
			usleep(1000);
	}
	for (unsigned i = 0; i < RTE_DIM(epoch->ring); i++) {
		if (epoch->ring[i] == NULL)
			continue;
		virtq_pop_end(epoch->ring[i]);
		virtq_tell(&epoch->ring[i], 1);
	}
}

void
vhost_epoch_stop(struct vhost_dev *dev)
{
	struct vhost_epoch *epoch = dev->epoch;

	if (epoch == NULL)
		return;
	atomic_store(&dev->live, NULL);
	dev->services->quiesce(dev->services->arg);
	epoch_settle(epoch);
	for (uint16_t i = 0; i < 2 * dev->queues; i++) {
		if (epoch->ring[i] != NULL)
			rte_vhost_set_vring_base(epoch->vid, i, epoch->ring[i]->last_avail,
				epoch->ring[i]->last_used);
		else if (!epoch->direct)
			vhost_library_note(dev, epoch, i);
	}
	dev->epoch = NULL;
	epoch_retire(epoch);
}
