/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Determines the position at which a ring resumes: the front end's if a back end has reported it,
 * else by the ring's journal. Runs on the library's event thread.
 */
#include "vhost/base.h"

#include <string.h>

#include "base/log.h"
#include "vhost/device.h"
#include "vhost/mapping.h"
#include "vhost/message.h"
#include "vhost/session.h"
#include "vring/call.h"

LOG_MODULE(vhost);

void
vhost_base_reset(struct vhost_dev *dev)
{
	memset(dev->base, VHOST_BASE_GIVEN, sizeof(dev->base));
}

void
vhost_base_message(struct vhost_dev *dev, const struct vhost_message *message)
{
	uint32_t ring = message->index;

	if (ring >= RTE_DIM(dev->base))
		return;
	if (message->request == MESSAGE_GET_VRING_BASE)
		dev->base[ring] = VHOST_BASE_REPORTED;
	else if (message->request == MESSAGE_SET_VRING_BASE &&
		 dev->base[ring] == VHOST_BASE_SESSION)
		dev->base[ring] = VHOST_BASE_GIVEN;
}

/** Location of a ring's descriptors as file and offset, valid in any process. */
static struct virtq_location
base_location(const struct vhost_session *session, const uint8_t *desc)
{
	const struct memory *memory = &session->mapping->memory;
	unsigned i = 0;

	while (i + 1 < memory->n &&
		(uintptr_t)(desc - memory->region[i].hva) >= memory->region[i].size)
		i++;
	const struct memory_region *region = &memory->region[i];
	return (struct virtq_location){
		region->device, region->file, (uint64_t)(desc - (const uint8_t *)region->map)};
}

/** Continue at the library's position, which a back end reported or the last session reached. */
static void
base_continue(const struct virtq_setup *setup, enum vhost_base base)
{
	struct virtq_journal *journal = setup->journal;
	uint16_t given = journal->base;

	if (base == VHOST_BASE_SESSION && virtq_journal_matches(setup)) {
		virtq_journal_set(journal, setup->last_avail);
		return;
	}
	virtq_journal_begin(setup, journal->coarse);
	/* The ring has moved, but the front end still knows the position that it gave before. */
	if (base == VHOST_BASE_SESSION)
		journal->base = given;
}

enum virtq_fault
vhost_base_resume(struct vhost_dev *dev, const struct vhost_session *session, uint16_t number,
	struct virtq_setup *setup)
{
	uint16_t given = setup->last_avail;
	enum virtq_fault fault = VIRTQ_GOOD;

	setup->journal = &dev->journal[number];
	setup->location = base_location(session, (const uint8_t *)setup->desc);
	if (dev->base[number] == VHOST_BASE_GIVEN)
		fault = virtq_resume(setup, number % 2 != 0, !session->direct);
	else
		base_continue(setup, dev->base[number]);
	if (fault != VIRTQ_GOOD)
		return fault;
	if (setup->last_avail != given)
		log_info("%s: ring %u continues at 0x%x, not at 0x%x", dev->config.socket, number,
			setup->last_avail, given);
	setup->journal->coarse = !session->direct;
	/* The last process may have used descriptors and ended before it interrupted the guest. */
	if (dev->base[number] == VHOST_BASE_GIVEN && setup->callfd >= 0)
		call_send(setup->callfd, setup->call_socket);
	dev->base[number] = VHOST_BASE_SESSION;
	return VIRTQ_GOOD;
}
