/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest in miniature: memory that lib/vring maps, and the driver's side of rings in it, split and
 * packed.
 *
 * Guest memory is three regions; the first two are neighbours in the guest's addresses and far apart
 * in ours. Each lies between pages that nobody may touch.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_TEST_RING_HELP_H
#define SHUNT_TEST_RING_HELP_H

#include "vring/vring.h"

enum { RING_REGIONS = 3, RING_REGION_SIZE = 4 << 20, RING_SIZE_MAX = 1024 };

/** Where the regions begin; the rings' own tables are in the last one. */
#define RING_LOW   UINT64_C(0x100000)
#define RING_HIGH  (RING_LOW + RING_REGION_SIZE)
#define RING_TABLE UINT64_C(0x4000000000)
#define RING_NONE  UINT64_C(0x3000000000) /* no memory here */

struct ring_guest {
	struct memory memory;
	int fd[RING_REGIONS];
};

/** A buffer, as a driver describes it. */
struct ring_part {
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /**< VRING_DESC_F_WRITE, or what must not be; NEXT is added */
};

struct ring_driver {
	struct ring_guest *guest;
	struct virtq ring;        /**< the device's side */
	struct virtq_setup setup; /**< as it was started */
	bool packed;
	union {
		struct vring_desc *desc; /**< the driver's */
		struct virtq_packed_desc *packed_desc;
	};
	union {
		struct vring_avail *avail;
		struct virtq_packed_event *driver_event;
	};
	union {
		struct vring_used *used;
		struct virtq_packed_event *device_event;
	};
	uint16_t size;
	uint16_t next_desc;   /**< descriptors are used in turn; packed: buffer ids */
	uint16_t avail_next;  /**< index to be published next; packed: count of chains */
	uint16_t used_seen;   /**< the same of used entries */
	uint32_t descs_avail; /**< packed: descriptors since the first round began */
	uint32_t descs_used;
	struct {
		uint16_t id, descs;
		uint32_t idx_wrap;
	} posted[RING_SIZE_MAX];      /**< chains by avail_next */
	uint64_t addr[RING_SIZE_MAX]; /**< first buffer by id */
	int callfd;
};

struct ring_options {
	const struct virtq_ops *ops;
	uint16_t size; /**< 0 = 256 */
	uint16_t
		first; /**< both indexes at the start; packed: so many descriptors were used before */
	bool packed;
	bool short_header;
	bool event_idx;
	bool mergeable;
	uint8_t offloads;
	struct virtq_journal *journal; /**< begun; NULL = none */
	struct dirty_log *dirty_log;
};

/** Make guest memory, all zero. Fails the process when it cannot. */
void ring_guest_start(struct ring_guest *guest);
/** The same with regions of another size; ring_start() wants the usual one. */
void ring_guest_start_sized(struct ring_guest *guest, uint32_t size);
void ring_guest_stop(struct ring_guest *guest);

/** Where a guest's byte is. */
uint8_t *ring_at(const struct ring_guest *guest, uint64_t addr);

/** Copy in and out, over the border of regions. */
void ring_write(const struct ring_guest *guest, uint64_t addr, const void *from, uint32_t len);
void ring_read(const struct ring_guest *guest, uint64_t addr, void *to, uint32_t len);
void ring_fill(const struct ring_guest *guest, uint64_t addr, uint8_t value, uint32_t len);

/** A number for all that a guest's two first regions hold in their first and last `len` bytes. */
uint64_t ring_digest(const struct ring_guest *guest, uint32_t len);

/**
 * Lay a ring out in a guest's memory and set the device's side up.
 *
 * @param slot which of a guest's rings, 0 to 3
 */
void ring_start(struct ring_driver *driver, struct ring_guest *guest, unsigned slot,
	const struct ring_options *options);
void ring_stop(struct ring_driver *driver);

/**
 * Lay the ring in slot 0 out anew, for given bursts of one kind, whatever the options say of those.
 * Packed rings have no short header.
 */
void ring_restart(struct ring_driver *driver, const struct virtq_ops *ops, bool packed,
	const struct ring_options *options);

/** Write a chain of descriptors and make it available. @return its head */
uint16_t ring_add(struct ring_driver *driver, const struct ring_part parts[], unsigned n);

/** The same as a table of indirect descriptors that is to be at an address. */
uint16_t ring_add_indirect(
	struct ring_driver *driver, uint64_t table, const struct ring_part parts[], unsigned n);

/** Make a head available whatever it is. */
void ring_add_head(struct ring_driver *driver, uint16_t head);

/** Packed: idx_wrap, with its wrap counter, of a descriptor counted since the first round began. */
uint16_t ring_idx_wrap(const struct ring_driver *driver, uint32_t count);

/** Flags of the first descriptor of the chain that was posted last. */
uint16_t *ring_flags(struct ring_driver *driver);

/** Take the next used entry; of a packed ring, in order. @return false when there is none */
bool ring_used(struct ring_driver *driver, struct vring_used_elem *entry);

/** Take all used entries. */
void ring_reclaim(struct ring_driver *driver);

/** Where a driver with EVENT_IDX wants the next interrupt. */
void ring_set_event(struct ring_driver *driver, uint16_t index);

/** Tell the driver what was done, if it wants that. */
void ring_notify(struct ring_driver *driver);

/** @return interrupts since the last call */
unsigned ring_calls(struct ring_driver *driver);

/** Bytes of a frame that was popped: what was classified, and the rest. Fails on a wrong sum. */
void ring_frame_read(const struct frame *frame, uint8_t *to);

/** Bytes that tell frames apart and positions too. */
void ring_pattern(uint8_t *to, uint32_t len, uint32_t seed);

#endif
