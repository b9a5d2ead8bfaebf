/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame/hold.h"

#include <rte_malloc.h>

#include "frame/frame.h"

/** The last mbuf of a held frame is freed. Any thread. */
static void
hold_released(void *addr, void *opaque)
{
	(void)addr;
	hold_release(opaque);
}

static bool
hold_is_out(const struct hold *hold, const struct hold_entry *entry)
{
	/* Acquire: whoever read the buffer is through before it goes back. */
	return entry->slot != HOLD_NO_SLOT &&
	       atomic_load_explicit(&hold->slot[entry->slot].out, memory_order_acquire);
}

static void
hold_setup(struct hold *hold)
{
	hold->n_idle = hold->slots;
	for (uint16_t i = 0; i < hold->slots; i++) {
		hold->idle[i] = i;
		hold->slot[i].shared.free_cb = hold_released;
		hold->slot[i].shared.fcb_opaque = &hold->slot[i];
	}
}

struct hold *
hold_create(uint32_t size)
{
	struct hold *hold = rte_zmalloc("hold", sizeof(*hold), 64);

	if (hold == NULL)
		return NULL;
	hold->mask = (uint16_t)(size - 1);
	hold->slots = (uint16_t)(size / HOLD_SHARE_SLOTS);
	hold->patience = (uint16_t)(size / HOLD_SHARE_WAIT);
	hold->slot = rte_calloc("hold", hold->slots, sizeof(*hold->slot), 64);
	hold->late = rte_calloc("hold", hold->slots, sizeof(*hold->late), 64);
	hold->idle = rte_calloc("hold", hold->slots, sizeof(*hold->idle), 64);
	hold->entry = rte_calloc("hold", size, sizeof(*hold->entry), 64);
	if (hold->slots == 0 || hold->slot == NULL || hold->late == NULL || hold->idle == NULL ||
		hold->entry == NULL) {
		hold_destroy(hold);
		return NULL;
	}
	hold_setup(hold);
	return hold;
}

void
hold_destroy(struct hold *hold)
{
	if (hold == NULL)
		return;
	rte_free(hold->slot);
	rte_free(hold->late);
	rte_free(hold->idle);
	rte_free(hold->entry);
	rte_free(hold);
}

struct hold_slot *
hold_take(struct hold *hold, uint32_t place)
{
	uint16_t number = hold->idle[--hold->n_idle];
	struct hold_slot *slot = &hold->slot[number];

	hold->taken |= UINT32_C(1) << place;
	hold->slot_of[place] = number;
	/* Before any mbuf refers to it; handing the mbufs on orders it for their next owner. */
	atomic_store_explicit(&slot->out, true, memory_order_relaxed);
	return slot;
}

struct rte_mbuf_ext_shared_info *
hold_share(struct hold_slot *slot, uint16_t pieces)
{
	rte_mbuf_ext_refcnt_set(&slot->shared, pieces);
	return &slot->shared;
}

void
hold_enter(struct hold *hold, uint32_t place, uint16_t token)
{
	bool held = hold->taken >> place & 1;

	hold->entry[hold->next++ & hold->mask] =
		(struct hold_entry){token, held ? hold->slot_of[place] : HOLD_NO_SLOT};
	hold->taken &= ~(UINT32_C(1) << place);
}

/** Done with an entry. @return its token */
static uint16_t
hold_retire(struct hold *hold, const struct hold_entry *entry)
{
	if (entry->slot != HOLD_NO_SLOT)
		hold->idle[hold->n_idle++] = entry->slot;
	return entry->token;
}

uint16_t
hold_collect(struct hold *hold, uint16_t tokens[], uint16_t n)
{
	uint16_t count = 0;

	for (; count < n && hold->first != hold->next; hold->first++) {
		const struct hold_entry *entry = &hold->entry[hold->first & hold->mask];
		if (!hold_is_out(hold, entry)) {
			tokens[count++] = hold_retire(hold, entry);
			continue;
		}
		if ((uint16_t)(hold->next - hold->first) <= hold->patience)
			break;
		hold->late[hold->n_late++] = *entry;
	}
	for (uint16_t i = 0; count < n && i < hold->n_late;) {
		if (hold_is_out(hold, &hold->late[i])) {
			i++;
			continue;
		}
		tokens[count++] = hold_retire(hold, &hold->late[i]);
		hold->late[i] = hold->late[--hold->n_late];
	}
	return count;
}

uint16_t
hold_give_up(struct hold *hold, uint16_t tokens[], uint16_t n)
{
	uint16_t count = 0;

	/* Their slots are not used again: somebody still reads. */
	while (count < n && hold->n_late > 0)
		tokens[count++] = hold->late[--hold->n_late].token;
	return count;
}

uint16_t
hold_rewind(struct hold *hold)
{
	uint16_t left = (uint16_t)(hold->next - hold->first);

	hold->first = hold->next;
	return left;
}

bool
hold_is_read(const struct hold *hold)
{
	for (uint16_t i = 0; i < hold->slots; i++)
		if (atomic_load_explicit(&hold->slot[i].out, memory_order_acquire))
			return true;
	return false;
}

_Static_assert(FRAME_BURST <= 32, "a burst's places are the bits of a mask");
