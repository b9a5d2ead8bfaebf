/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for tests: memory that lib/vring maps, and the driver's side of rings in it, split and
 * packed.
 *
 * Guest memory is three regions; the first two are adjacent in GPA and far apart in HVA. Each lies
 * between inaccessible pages.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_TEST_RING_HELP_H
#define SHUNT_TEST_RING_HELP_H

#include "vring/vring.h"

enum { RING_REGIONS = 3, RING_REGION_SIZE = 4 << 20, RING_SIZE_MAX = 1024 };

/** GPA of the regions; the tables of the rings are in the last one. */
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
	uint16_t flags; /**< VRING_DESC_F_WRITE, or an invalid flag; NEXT is added */
};

struct ring_driver {
	struct ring_guest *guest;
	struct virtq ring;        /**< the device's side */
	struct virtq_setup setup; /**< setup at the start */
	bool packed;
	union {
		struct vring_desc *desc; /**< the driver's side */
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
	uint16_t next_desc;   /**< next descriptor, ascending; packed: next buffer id */
	uint16_t avail_next;  /**< index to be published next; packed: count of chains */
	uint16_t used_seen;   /**< the same for used entries */
	uint32_t descs_avail; /**< packed: descriptors since the start of the first round */
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
	uint16_t size;  /**< 0 = 256 */
	uint16_t first; /**< both indexes at the start; packed: number of descriptors used before */
	bool packed;
	bool short_header;
	bool event_idx;
	bool mergeable;
	uint8_t offloads;
	struct virtq_journal *journal; /**< initialized; NULL = no journal */
	struct dirty_log *dirty_log;
};

/** Map guest memory, all zero. Fails the process on error. */
void ring_guest_start(struct ring_guest *guest);
/** The same with regions of another size; ring_start() needs the default size. */
void ring_guest_start_sized(struct ring_guest *guest, uint32_t size);
void ring_guest_stop(struct ring_guest *guest);

/** HVA of a GPA. */
uint8_t *ring_at(const struct ring_guest *guest, uint64_t addr);

/** Copy to and from guest memory, across the border of regions. */
void ring_write(const struct ring_guest *guest, uint64_t addr, const void *from, uint32_t len);
void ring_read(const struct ring_guest *guest, uint64_t addr, void *to, uint32_t len);
void ring_fill(const struct ring_guest *guest, uint64_t addr, uint8_t value, uint32_t len);

/** A hash of the first and last `len` bytes of the guest's first two regions. */
uint64_t ring_digest(const struct ring_guest *guest, uint32_t len);

/**
 * Initialize a ring in guest memory and the device's side of it.
 *
 * @param slot which ring of the guest, 0 to 3
 */
void ring_start(struct ring_driver *driver, struct ring_guest *guest, unsigned slot,
	const struct ring_options *options);
void ring_stop(struct ring_driver *driver);

/**
 * Initialize the ring in slot 0 again, with burst functions and ring format that override the
 * options. Packed rings have no short header.
 */
void ring_restart(struct ring_driver *driver, const struct virtq_ops *ops, bool packed,
	const struct ring_options *options);

/** Write a chain of descriptors and make it available. @return its head */
uint16_t ring_add(struct ring_driver *driver, const struct ring_part parts[], unsigned n);

/** The same as a table of indirect descriptors at an address. */
uint16_t ring_add_indirect(
	struct ring_driver *driver, uint64_t table, const struct ring_part parts[], unsigned n);

/** Make a head available, valid or not. */
void ring_add_head(struct ring_driver *driver, uint16_t head);

/** Packed: index and wrap counter of a descriptor counted since the start of the first round. */
uint16_t ring_idx_wrap(const struct ring_driver *driver, uint32_t count);

/** Flags of the first descriptor of the chain that was posted last. */
uint16_t *ring_flags(struct ring_driver *driver);

/** Take the next used entry; of a packed ring, in order. @return false when there is none */
bool ring_used(struct ring_driver *driver, struct vring_used_elem *entry);

/** Take all used entries. */
void ring_reclaim(struct ring_driver *driver);

/** Set the used index of which a driver with EVENT_IDX wants an interrupt. */
void ring_set_event(struct ring_driver *driver, uint16_t index);

/** Notify the driver of used buffers, if it wants interrupts. */
void ring_notify(struct ring_driver *driver);

/** @return interrupts since the last call */
unsigned ring_calls(struct ring_driver *driver);

/**
 * Bytes of a frame that was popped: the classified head, then the rest. Fails on a wrong length.
 */
void ring_frame_read(const struct frame *frame, uint8_t *to);

/** Fill with bytes that differ by frame and by position. */
void ring_pattern(uint8_t *to, uint32_t len, uint32_t seed);

#endif
