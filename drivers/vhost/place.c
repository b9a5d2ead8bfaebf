/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a ring goes on: as its front end says, where it was told; else by the ring's journal. Runs on
 * the library's event thread.
 */
#include <string.h>

#include "base/log.h"
#include "vhost/message.h"
#include "vhost/vhost.h"
#include "vring/call.h"

LOG_MODULE(vhost);

void
vhost_place_forget(struct vhost_dev *dev)
{
	memset(dev->base, VHOST_BASE_GIVEN, sizeof(dev->base));
}

void
vhost_place_message(struct vhost_dev *dev, const struct vhost_message *message)
{
	uint32_t ring = message->index;

	if (ring >= RTE_DIM(dev->base))
		return;
	if (message->request == MESSAGE_GET_VRING_BASE)
		dev->base[ring] = VHOST_BASE_TOLD;
	else if (message->request == MESSAGE_SET_VRING_BASE && dev->base[ring] == VHOST_BASE_OURS)
		dev->base[ring] = VHOST_BASE_GIVEN;
}

/** Where a ring's descriptors lie, whatever process the memory is mapped in. */
static struct virtq_home
place_home(const struct vhost_epoch *epoch, const uint8_t *desc)
{
	const struct memory *memory = &epoch->mapping->memory;
	unsigned i = 0;

	while (i + 1 < memory->n &&
		(uintptr_t)(desc - memory->region[i].host) >= memory->region[i].size)
		i++;
	const struct memory_region *region = &memory->region[i];
	return (struct virtq_home){
		region->device, region->file, (uint64_t)(desc - (const uint8_t *)region->map)};
}

/** A ring that goes on where the library says: the front end knows, or our last epoch did. */
static void
place_continue(const struct virtq_setup *setup, enum vhost_base base)
{
	struct virtq_journal *journal = setup->journal;
	uint16_t given = journal->base;

	if (base == VHOST_BASE_OURS && virtq_journal_is(setup)) {
		virtq_journal_set(journal, setup->last_avail);
		return;
	}
	virtq_journal_begin(setup, journal->coarse);
	/* Elsewhere now, but the front end has not been told. */
	if (base == VHOST_BASE_OURS)
		journal->base = given;
}

enum virtq_fault
vhost_place_ring(struct vhost_dev *dev, const struct vhost_epoch *epoch, uint16_t number,
	struct virtq_setup *setup)
{
	uint16_t given = setup->last_avail;
	enum virtq_fault fault = VIRTQ_GOOD;

	setup->journal = &dev->journal[number];
	setup->home = place_home(epoch, (const uint8_t *)setup->desc);
	if (dev->base[number] == VHOST_BASE_GIVEN)
		fault = virtq_resume(setup, number % 2 != 0, !epoch->direct);
	else
		place_continue(setup, dev->base[number]);
	if (fault != VIRTQ_GOOD)
		return fault;
	if (setup->last_avail != given)
		log_info("%s: ring %u goes on at 0x%x, not at 0x%x", dev->config.socket, number,
			setup->last_avail, given);
	setup->journal->coarse = !epoch->direct;
	/* The last process may have used descriptors and ended before it said so. */
	if (dev->base[number] == VHOST_BASE_GIVEN && setup->callfd >= 0)
		call_send(setup->callfd, setup->call_socket);
	dev->base[number] = VHOST_BASE_OURS;
	return VIRTQ_GOOD;
}
