/* SPDX-License-Identifier: BSD-3-Clause */
/* Derives the device's position in a packed ring from the descriptor flags. */
#include "base/shared.h"
#include "vring/packed.h"

uint16_t
virtq_packed_read_flags(const struct virtq_setup *setup, uint16_t idx_wrap)
{
	const struct virtq_packed_desc *desc = &setup->packed_desc[virtq_packed_index(idx_wrap)];

	return shared_load_acquire(&desc->flags) & VIRTQ_PACKED_OWNER;
}

bool
virtq_packed_can_resume(const struct virtq_setup *setup, uint16_t idx_wrap)
{
	bool available = true;

	for (uint32_t i = 0; i < setup->size; i++) {
		uint16_t owner = virtq_packed_read_flags(setup, idx_wrap);
		available = available && owner == virtq_packed_avail_flags(idx_wrap);
		bool avail_flag = (owner & 1 << VRING_PACKED_DESC_F_AVAIL) != 0;
		if (!available && avail_flag == ((idx_wrap & VIRTQ_PACKED_WRAP) != 0))
			return false;
		idx_wrap = virtq_packed_step(setup->size, idx_wrap, 1);
	}
	return true;
}

bool
virtq_packed_is_fresh(const struct virtq_setup *setup, bool strictly)
{
	bool any = false, first = false;

	/* Backwards, since the driver may be adding descriptors. */
	for (uint32_t i = setup->size; i-- > 0;) {
		uint16_t owner = virtq_packed_read_flags(setup, (uint16_t)i);
		first = owner == virtq_packed_avail_flags(VIRTQ_PACKED_START);
		any = any || first;
		if (owner & 1 << VRING_PACKED_DESC_F_USED)
			return false;
		if (strictly && !first && shared_load_relaxed(&setup->packed_desc[i].addr) != 0)
			return false;
	}
	return first || !any;
}

uint32_t
virtq_packed_chain_len(const struct virtq_setup *setup, uint16_t idx_wrap, uint16_t *id)
{
	if (virtq_packed_read_flags(setup, idx_wrap) != virtq_packed_avail_flags(idx_wrap))
		return 0;
	for (uint32_t n = 1; n <= setup->size; n++) {
		const struct virtq_packed_desc *desc =
			&setup->packed_desc[virtq_packed_index(idx_wrap)];
		struct virtq_packed_desc one = {.word = shared_load_relaxed(&desc->word)};
		*id = one.id;
		if ((one.flags & VRING_DESC_F_NEXT) == 0)
			return n;
		idx_wrap = virtq_packed_step(setup->size, idx_wrap, 1);
	}
	return 0;
}
