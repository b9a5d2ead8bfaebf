/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks before and after librte_vhost handles a message of a front end: sessions end before a
 * message that changes them and start again after it; requests that the library handles wrongly are
 * invalidated or answered here. The library's event thread.
 */
#include "vhost/hooks.h"

#include <stdlib.h>
#include <string.h>

#include <rte_vhost.h>

#include "base/log.h"
#include "base/mac.h"
#include "vhost/base.h"
#include "vhost/device.h"
#include "vhost/fault.h"
#include "vhost/features.h"
#include "vhost/interrupt.h"
#include "vhost/mapping.h"
#include "vhost/message.h"
#include "vhost/registry.h"
#include "vhost/session.h"
#include "vhost/table.h"
#include "vring/sigbus.h"

LOG_MODULE(vhost);

/**
 * Whether a message changes the memory, rings or features of a session. GET_VRING_BASE is not among
 * these messages: the library calls destroy_device for it.
 */
static bool
hooks_ends_session(uint32_t request)
{
	switch (request) {
	case MESSAGE_SET_FEATURES:
	case MESSAGE_RESET_OWNER:
	case MESSAGE_SET_MEM_TABLE:
	case MESSAGE_SET_LOG_BASE:
	case MESSAGE_SET_VRING_NUM:
	case MESSAGE_SET_VRING_ADDR:
	case MESSAGE_SET_VRING_BASE:
	case MESSAGE_SET_VRING_KICK:
	case MESSAGE_SET_VRING_CALL:
		return true;
	default:
		return false;
	}
}

/** Compare a memory table with that of the library. @return true if they differ */
static bool
hooks_memory_differs(int vid, const struct vhost_message_memory *memory)
{
	struct rte_vhost_memory *now = NULL;
	bool same = memory->n <= MEMORY_REGIONS_MAX && rte_vhost_get_mem_table(vid, &now) == 0 &&
		    now->nregions == memory->n;

	for (uint32_t i = 0; same && i < memory->n; i++)
		same = now->regions[i].guest_phys_addr == memory->region[i].gpa &&
		       now->regions[i].size == memory->region[i].size &&
		       now->regions[i].guest_user_addr == memory->region[i].uva;
	free(now);
	return !same;
}

/*
 * Invalidate requests that the library must not carry out. They are not refused here, so that the
 * library refuses them and closes the descriptors that came along.
 */
static void
hooks_invalidate(struct vhost_dev *dev, struct vhost_message *message)
{
	/* The library adds the offset twice, and would write the log past its mapping. */
	if (message->request == MESSAGE_SET_LOG_BASE && message->log.offset != 0)
		message->size = 0;
	if (message->request == MESSAGE_SET_FEATURES &&
		vhost_features_need_control_queue(dev, message->number)) {
		message->number = UINT64_MAX;
		vhost_fault_set(dev, VIRTQ_CONTROL_QUEUE, VHOST_NO_RING);
	}
	/* Not offered. No region has this size and offset. */
	if (message->request == MESSAGE_ADD_MEM_REG || message->request == MESSAGE_REM_MEM_REG)
		message->memory.region[0] = (struct vhost_message_region){
			.size = 1, .uva = UINT64_MAX, .offset = UINT64_MAX};
}

void
vhost_hooks_message_end(void)
{
	sigbus_leave();
}

/** Check a new table; invalidate one that the library might fail with. @return true: it is valid */
static bool
hooks_check_table(struct vhost_dev *dev, struct vhost_message *message)
{
	struct err err = {0};

	if (vhost_table_reserve(dev, message, &err) == 0)
		return true;
	if (!dev->refusal_logged)
		log_warning(
			"%s: another memory table was refused: %s", dev->config.socket, err.text);
	dev->refusal_logged = true;
	message->memory.n = UINT32_MAX;
	return false;
}

/** Before SET_MEM_TABLE: check the table, stop the library's bursts if it is new. */
static void
hooks_set_table(struct vhost_dev *dev, int vid, struct vhost_message *message)
{
	bool same = dev->mapped && !hooks_memory_differs(vid, &message->memory);

	if (dev->session != NULL) { /* the library's bursts */
		if (same || (dev->mapped && !hooks_check_table(dev, message)))
			return;
		/* Lcores in a burst wait for the locks, then use rings in the new table. */
		atomic_store(&dev->live, NULL);
	}
	vhost_table_record(dev, vid, message);
	if (!same)
		vhost_mapping_release(dev);
	/* False until it has succeeded: the library may have no table, and would not report it. */
	dev->mapped = same;
	if (++dev->tables == 0)
		dev->tables = 1;
	atomic_store(&dev->table_pending, dev->tables);
}

/** Resume after the addresses of the library's rings were set again. */
static void
hooks_resume_library(struct vhost_dev *dev, int vid)
{
	bool other = atomic_load(&dev->live) == NULL; /* a new table, not the previous one */
	int fault = atomic_load(&dev->fault), missing = vhost_table_missing_ring(dev, vid);

	if (missing != VHOST_NO_RING) {
		vhost_fault_set(dev, VIRTQ_BAD_RING, missing);
	} else if (fault == VIRTQ_BAD_RING ||
		   (other && (fault == VIRTQ_BAD_MEMORY || fault == VIRTQ_MEMORY_MISSING))) {
		atomic_store(&dev->fault, VIRTQ_GOOD);
		dev->services->link_changed(dev->services->arg);
	}
	atomic_store_explicit(&dev->live, dev->session, memory_order_release);
}

/** Record state from a message: kind of front end, protocol features, MAC address to announce. */
static void
hooks_record(struct vhost_dev *dev, const struct vhost_message *message)
{
	if (message->request == MESSAGE_SET_OWNER && !dev->get_features_seen)
		dev->set_owner_first = true;
	if (message->request == MESSAGE_GET_FEATURES)
		dev->get_features_seen = true;
	if (message->request == MESSAGE_SET_PROTOCOL_FEATURES)
		dev->protocol = message->number;
	if (message->request == MESSAGE_SEND_RARP) {
		atomic_store(&dev->rarp, message->number & MAC_MASK);
		dev->services->wake(dev->services->arg);
	}
}

/** Answer requests to which the library would offer too much. @return true if answered */
static bool
hooks_answer(const struct vhost_dev *dev, struct vhost_message *message)
{
	uint64_t number;

	if (message->request == MESSAGE_GET_QUEUE_NUM) {
		/* The library's answer is 128 queue pairs, most of which are not polled. */
		number = dev->queues;
	} else if (message->request == MESSAGE_GET_FEATURES) {
		if (rte_vhost_driver_get_features(dev->config.socket, &number) < 0)
			return false;
		number = vhost_features_offer(dev, number);
	} else {
		return false;
	}
	message->number = number;
	message->size = sizeof(number);
	return true;
}

/** pre_msg_handle: end the session if the message changes it. */
static enum rte_vhost_msg_result
hooks_before(int vid, void *arg)
{
	struct vhost_message *message = arg;
	struct vhost_dev *dev = vhost_registry_find(vid);

	vhost_hooks_message_end();
	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	vhost_table_release(dev);
	if (dev->session != NULL && !dev->session->direct && atomic_load(&dev->table_pending) != 0)
		vhost_fault_set_memory(dev, "librte_vhost failed to map it");
	hooks_record(dev, message);
	if (hooks_answer(dev, message))
		return RTE_VHOST_MSG_RESULT_REPLY;
	/* Direct only: quiesce() would wait for lcores that wait for locks held by the library. */
	if (hooks_ends_session(message->request) && dev->session != NULL && dev->session->direct)
		vhost_session_stop(dev);
	hooks_invalidate(dev, message);
	if (message->request == MESSAGE_SET_MEM_TABLE)
		hooks_set_table(dev, vid, message);
	if (message->request == MESSAGE_RESET_OWNER) {
		vhost_mapping_release(dev);
		dev->mapped = false;
	}
	vhost_base_message(dev, message);
	/* The library accesses the rings while it handles the message. */
	sigbus_enter();
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/**
 * post_msg_handle: start a session again, or resume the library's bursts. Not called if the message
 * failed: then no frames move until the next message.
 */
static enum rte_vhost_msg_result
hooks_after(int vid, void *arg)
{
	const struct vhost_message *message = arg;
	struct vhost_dev *dev = vhost_registry_find(vid);
	bool missing = sigbus_leave();

	if (dev == NULL || atomic_load(&dev->connection) != vid)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	vhost_table_release(dev);
	if (message->request == MESSAGE_SET_MEM_TABLE) {
		dev->mapped = true;
		atomic_store(&dev->table_pending, 0);
		vhost_table_verify(dev, vid);
	}
	if (message->request == MESSAGE_SET_VRING_CALL)
		vhost_interrupt_callfd_changed(dev, vid, message->number);
	if (missing)
		vhost_fault_set(dev, VIRTQ_MEMORY_MISSING, VHOST_NO_RING);
	else if (dev->running && dev->session == NULL && hooks_ends_session(message->request))
		vhost_session_start(dev, vid);
	else if (dev->session != NULL && (message->request == MESSAGE_SET_MEM_TABLE ||
						 message->request == MESSAGE_SET_VRING_ADDR))
		hooks_resume_library(dev, vid);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static struct rte_vhost_user_extern_ops hooks_ops = {
	.pre_msg_handle = hooks_before,
	.post_msg_handle = hooks_after,
};

int
vhost_hooks_register(int vid)
{
	return rte_vhost_extern_callback_register(vid, &hooks_ops, NULL);
}
