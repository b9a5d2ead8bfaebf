/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A station sends and receives on one queue pair of a VM. Its send buffers are filled once. Unless
 * every frame is checked, touched or re-addressed, sending and receiving change only indexes.
 *
 * With sample 1 every frame is numbered, gets a checksum and is checked. With sample S > 1, frames
 * in slots that are multiples of S get a new number and checksum each time they are sent. The
 * receiver reads one frame in S. A still frame (FRAME_STILL) names its slot, which yields the
 * distance to the next numbered frame. The numbers of two numbered frames must differ by the count
 * of frames received in between.
 *
 * Thread safety: a station, and the flows of its VM, belong to one worker.
 */
#ifndef SHUNT_VM_STATION_H
#define SHUNT_VM_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "histogram.h"
#include "queue.h"
#include "sequence.h"
#include "vm.h"

enum { STATION_MACS_MASK = 0xffffff }; /**< the last three bytes count addresses of a VM */

/** Load of all stations of a run; constant while workers run. */
struct traffic {
	struct frame_shape shape;
	unsigned sample; /**< 0: no checks, 1: every frame */
	unsigned burst;
	bool touch;
	bool random; /**< addresses in random order, else sequential */
	uint16_t vlan;
	uint32_t macs;   /**< addresses of each VM */
	unsigned copies; /**< number of VMs that receive each frame */
	bool hostile;    /**< VM 0 is hostile: only frames of the other VMs are checked */
};

/** Receiver's state of one flow. */
struct flow {
	uint64_t mac; /**< the sender's first address */
	bool hostile; /**< the sender is the hostile VM */
	struct sequence sequence;
	uint64_t sampled_number; /**< sampling: number of the last numbered frame */
	uint64_t sampled_count;  /**< sampling: frames received before it */
	bool sampled;            /**< the two are set */
};

/** Counters of a station; other threads read them when its worker is done, or for display. */
struct station_counters {
	uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
	uint64_t checked;
	uint64_t corrupted;
	uint64_t foreign;    /**< not sent by this program */
	uint64_t stray;      /**< flooded: destination is another VM */
	uint64_t late;       /**< sampling: numbered frames duplicated or out of order */
	uint64_t missing;    /**< sampling: frames missing between two numbered ones */
	uint64_t unexpected; /**< sampling: frames in excess between two numbered ones */
};

struct station {
	/* Read on every burst. */
	struct queue *tx, *rx;
	const struct traffic *traffic;
	bool rx_light;   /**< each frame is one buffer, and most frames are not read */
	bool tx_light;   /**< most buffers are sent unchanged */
	unsigned until;  /**< sampling: frames to skip before the next one that is read */
	unsigned credit; /**< loop: number of frames that may be sent */
	uint64_t now;    /**< TSC, set by the worker before each step */
	struct station_counters count;
	/* Not read on every burst. */
	unsigned share; /**< loop: frames of this station in circulation */
	struct vm *vm;
	unsigned pair;
	unsigned flow;           /**< index of this station among the stations of all VMs */
	unsigned n_flows;        /**< number of stations of all VMs */
	const struct vm *target; /**< destination; NULL: target_mac only (group, other process) */
	const struct vm *second; /**< destination of every second frame; NULL: none */
	uint64_t target_mac;     /**< first address of the target */
	uint32_t mac_next;       /**< next address in sequential order */
	uint64_t random_state;
	unsigned staged;               /**< frames written by station_stage(), not sent yet */
	struct flow *flows;            /**< by sending station; shared by the VM's queue pairs */
	struct sequence_order *orders; /**< by sending station and source address */
	struct histogram *latency;     /**< in units of frame_stamp() */
	uint8_t *scratch;              /**< holds a frame that spans several buffers */
};

/** One received frame; valid until the station posts buffers again. */
struct received {
	const uint8_t *frame;
	uint32_t bytes;
	struct net_header header;
};

typedef void (*station_take)(void *context, struct station *station, const struct received *frame);

/**
 * Initialize a station of a VM.
 *
 * @param flow index of the station among all n_flows stations
 * @return 0, -ENOMEM
 */
int station_open(struct station *station, struct vm *vm, unsigned pair, unsigned flow,
	unsigned n_flows, const struct traffic *traffic);

/** Release what station_open() has allocated; safe on a zeroed station. */
void station_close(struct station *station);

/**
 * Set the destination. The caller calls station_fill() afterwards.
 *
 * @param second destination of every second frame; NULL: none
 */
void station_aim(struct station *station, const struct vm *target, const struct vm *second);

/**
 * Set the destination to a group address or to a VM of another process. The caller calls
 * station_fill() afterwards.
 */
void station_aim_address(struct station *station, uint64_t mac);

/** Fill all free send buffers, reset counters and flows, and post all receive buffers. */
void station_start(struct station *station);

/** Select the send and receive functions; to be called after struct traffic has changed. */
void station_tune(struct station *station);

/** Write the frames of the load into all free send buffers. */
void station_fill(struct station *station);

/** Reset counters and the state of flows. */
void station_reset(struct station *station);

/** @return number of free send buffers; completions are polled only when fewer than wanted */
unsigned station_space(struct station *station, unsigned wanted);

/** Send n frames of the load, n <= station_space(). */
void station_send(struct station *station, unsigned n);

/** Receive and check up to max frames. @return number of frames received */
unsigned station_receive(struct station *station, unsigned max);

/** Receive up to max frames and call take for each. @return number of frames received */
unsigned station_walk(struct station *station, unsigned max, station_take take, void *context);

/**
 * Write a frame into the next send buffer. station_flush() sends it.
 *
 * @return false when no buffer is free or the frame exceeds a buffer
 */
bool station_stage(struct station *station, const uint8_t *frame, uint32_t bytes,
	const struct net_header *header);

/** Send the first n staged frames, or all of them when there are fewer. */
void station_flush(struct station *station, unsigned n);

/** @return address k of a VM whose address 0 is mac */
uint64_t station_mac(uint64_t mac, uint32_t k);

/** @return an address as an integer whose least significant byte is the last byte */
static inline uint64_t
station_mac_number(uint64_t mac)
{
	return __builtin_bswap64(mac) >> 16;
}

#endif
