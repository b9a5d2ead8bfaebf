/* SPDX-License-Identifier: BSD-3-Clause */
/* In-flight zero-copy frames of a ring: tracks which of its buffers may be returned. */
#include "frame/inflight.h"

#include <rte_malloc.h>

#include "frame/frame.h"

/** free_cb of rte_mbuf_ext_shared_info: the last mbuf of a frame is freed. Any thread. */
static void
inflight_mbuf_freed(void *addr, void *opaque)
{
	(void)addr;
	inflight_release(opaque);
}

/** @return true if the buffer of an entry may still be read by a device */
static bool
inflight_entry_in_use(const struct inflight *inflight, const struct inflight_entry *entry)
{
	/* Acquire: reads of the buffer are complete before it is returned. */
	return entry->slot != INFLIGHT_NO_SLOT &&
	       atomic_load_explicit(&inflight->slot[entry->slot].in_use, memory_order_acquire);
}

/** Put all slots on the stack of free ones. */
static void
inflight_setup_slots(struct inflight *inflight)
{
	inflight->n_free = inflight->slots;
	for (uint16_t i = 0; i < inflight->slots; i++) {
		inflight->free_slot[i] = i;
		inflight->slot[i].shared.free_cb = inflight_mbuf_freed;
		inflight->slot[i].shared.fcb_opaque = &inflight->slot[i];
	}
}

struct inflight *
inflight_create(uint32_t size)
{
	struct inflight *inflight = rte_zmalloc("inflight", sizeof(*inflight), 64);

	if (inflight == NULL)
		return NULL;
	inflight->mask = (uint16_t)(size - 1);
	inflight->slots = (uint16_t)(size / INFLIGHT_SHARE_SLOTS);
	inflight->wait_max = (uint16_t)(size / INFLIGHT_SHARE_WAIT);
	inflight->slot = rte_calloc("inflight", inflight->slots, sizeof(*inflight->slot), 64);
	inflight->late = rte_calloc("inflight", inflight->slots, sizeof(*inflight->late), 64);
	inflight->free_slot =
		rte_calloc("inflight", inflight->slots, sizeof(*inflight->free_slot), 64);
	inflight->entry = rte_calloc("inflight", size, sizeof(*inflight->entry), 64);
	if (inflight->slots == 0 || inflight->slot == NULL || inflight->late == NULL ||
		inflight->free_slot == NULL || inflight->entry == NULL) {
		inflight_destroy(inflight);
		return NULL;
	}
	inflight_setup_slots(inflight);
	return inflight;
}

void
inflight_destroy(struct inflight *inflight)
{
	if (inflight == NULL)
		return;
	rte_free(inflight->slot);
	rte_free(inflight->late);
	rte_free(inflight->free_slot);
	rte_free(inflight->entry);
	rte_free(inflight);
}

struct inflight_slot *
inflight_take(struct inflight *inflight, uint32_t index)
{
	uint16_t number = inflight->free_slot[--inflight->n_free];
	struct inflight_slot *slot = &inflight->slot[number];

	inflight->burst_mask |= UINT32_C(1) << index;
	inflight->slot_of[index] = number;
	/* Relaxed: passing the mbufs on orders this store for their next owner. */
	atomic_store_explicit(&slot->in_use, true, memory_order_relaxed);
	return slot;
}

struct rte_mbuf_ext_shared_info *
inflight_shared_info(struct inflight_slot *slot, uint16_t pieces)
{
	rte_mbuf_ext_refcnt_set(&slot->shared, pieces);
	return &slot->shared;
}

void
inflight_append(struct inflight *inflight, uint32_t index, uint16_t token)
{
	bool slot_taken = inflight->burst_mask >> index & 1;

	inflight->entry[inflight->next++ & inflight->mask] = (struct inflight_entry){
		token, slot_taken ? inflight->slot_of[index] : INFLIGHT_NO_SLOT};
	inflight->burst_mask &= ~(UINT32_C(1) << index);
}

/** Free the slot of an entry, if any. @return the entry's token */
static uint16_t
inflight_free_entry(struct inflight *inflight, const struct inflight_entry *entry)
{
	if (entry->slot != INFLIGHT_NO_SLOT)
		inflight->free_slot[inflight->n_free++] = entry->slot;
	return entry->token;
}

uint16_t
inflight_reclaim(struct inflight *inflight, uint16_t tokens[], uint16_t n)
{
	uint16_t count = 0;

	for (; count < n && inflight->first != inflight->next; inflight->first++) {
		const struct inflight_entry *entry =
			&inflight->entry[inflight->first & inflight->mask];
		if (!inflight_entry_in_use(inflight, entry)) {
			tokens[count++] = inflight_free_entry(inflight, entry);
			continue;
		}
		if ((uint16_t)(inflight->next - inflight->first) <= inflight->wait_max)
			break;
		inflight->late[inflight->n_late++] = *entry;
	}
	for (uint16_t i = 0; count < n && i < inflight->n_late;) {
		if (inflight_entry_in_use(inflight, &inflight->late[i])) {
			i++;
			continue;
		}
		tokens[count++] = inflight_free_entry(inflight, &inflight->late[i]);
		inflight->late[i] = inflight->late[--inflight->n_late];
	}
	return count;
}

uint16_t
inflight_drop_late(struct inflight *inflight, uint16_t tokens[], uint16_t n)
{
	uint16_t count = 0;

	/* Their slots are not freed, since they are still in flight. */
	while (count < n && inflight->n_late > 0)
		tokens[count++] = inflight->late[--inflight->n_late].token;
	return count;
}

uint16_t
inflight_drop_entries(struct inflight *inflight)
{
	uint16_t left = (uint16_t)(inflight->next - inflight->first);

	inflight->first = inflight->next;
	return left;
}

bool
inflight_in_use(const struct inflight *inflight)
{
	for (uint16_t i = 0; i < inflight->slots; i++)
		if (atomic_load_explicit(&inflight->slot[i].in_use, memory_order_acquire))
			return true;
	return false;
}

_Static_assert(FRAME_BURST <= 32, "frames of a burst are the bits of a mask");
