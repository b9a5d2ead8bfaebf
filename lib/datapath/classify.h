/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The classify stage of the plain path: drop frames that a bridge must not forward, learn source
 * addresses and look up destination addresses.
 *
 * Thread safety: any polling lcore, each with its own burst.
 */
#ifndef SHUNT_DATAPATH_CLASSIFY_H
#define SHUNT_DATAPATH_CLASSIFY_H

#include "datapath/context.h"
#include "vlan/vlan.h"

/**
 * Set l2_len and the VLAN of a frame: the VID of its outer customer tag; VLAN_NONE if untagged or
 * priority-tagged (IEEE 802.1Q clause 9.6).
 *
 * @param frame with a head of at least FRAME_ETH_LEN bytes
 * @return DEST_LOOKUP; DEST_DROP plus DROP_RUNT (incomplete tag) or DROP_BAD_TAG (VID 4095)
 */
static inline uint16_t
classify_vlan(struct frame *frame)
{
	const uint8_t *type = frame->head + FRAME_MACS_LEN;

	frame->l2_len = FRAME_ETH_LEN;
	frame->vlan = VLAN_NONE;
	if (frame_be16(type) != VLAN_TPID_C)
		return DEST_LOOKUP;
	if (frame->head_len < FRAME_ETH_LEN + FRAME_TAG_LEN)
		return DEST_DROP + DROP_RUNT;
	frame->l2_len = FRAME_ETH_LEN + FRAME_TAG_LEN;
	frame->vlan = frame_be16(type + 2) & VLAN_ID_MASK;
	return frame->vlan == VLAN_RESERVED ? DEST_DROP + DROP_BAD_TAG : DEST_LOOKUP;
}

/**
 * Check whether a reserved address is in a set.
 *
 * @param set a bit for each value of the last byte, 0 to 15
 * @param mac a reserved address, see mac_is_reserved()
 * @return true if it is
 */
static inline bool
classify_reserved_has(uint16_t set, uint64_t mac)
{
	return set >> (mac >> 40 & 15) & 1;
}

/**
 * Check the addresses of a frame (IEEE 802.1Q clauses 6.9 and 8.6.3).
 *
 * @param frame with a head of at least FRAME_ETH_LEN bytes
 * @param reserved reserved destinations that are accepted, a bit for each value of the last byte
 * @return DEST_LOOKUP (unicast), DEST_BROADCAST, DEST_MULTICAST, or DEST_DROP plus the reason
 */
static inline uint16_t
classify_addresses(const struct frame *frame, uint16_t reserved)
{
	if (!mac_is_source(mac_load(frame->head + MAC_BYTES)))
		return DEST_DROP + DROP_BAD_SOURCE;
	uint64_t mac = mac_load(frame->head);
	if (!mac_is_group(mac))
		return DEST_LOOKUP;
	if (mac_is_reserved(mac) && !classify_reserved_has(reserved, mac))
		return DEST_DROP + DROP_RESERVED;
	return mac == MAC_MASK ? DEST_BROADCAST : DEST_MULTICAST;
}

/**
 * Set the destination of each frame: burst->dest receives a port id, DEST_BROADCAST,
 * DEST_MULTICAST, DEST_UNKNOWN, or DEST_DROP plus the reason. Sets l2_len and vlan of the frames.
 * (IEEE 802.1Q clauses 6.9, 8.6, 8.7)
 *
 * @param learn false: sources are not learnt, and the table does not change
 * @return number of source addresses that could not be learnt
 */
unsigned classify_burst(struct fdb *fdb, struct burst *burst, bool learn);

/**
 * Check whether the sources of the burst are to be learned.
 *
 * @return false during the learn back-off of the rx port, and for a trace
 */
static inline bool
classify_learns(const struct burst_context *context)
{
	return !context->trace_only && context->learn_backoff[context->burst.port] == 0;
}

/**
 * Account a burst for the learn back-off of its rx port: begin one, or count it down. A source that
 * cannot be learnt costs much. One burst without learning for every two such sources bounds them to
 * two per burst on average.
 *
 * @param missed number of source addresses of the burst that could not be learnt
 */
static inline void
classify_back_off(struct burst_context *context, unsigned missed)
{
	uint8_t *backoff = &context->learn_backoff[context->burst.port];

	if (unlikely(*backoff > 0))
		--*backoff;
	else
		*backoff = (uint8_t)(missed / 2);
}

/** The classify stage of the plain path, as an ingress stage. @param state ignored */
void classify_plain_stage(struct burst_context *context, const void *state);

#endif
