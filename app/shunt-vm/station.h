/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A station sends and receives on one queue pair of a VM. Its send buffers are filled once; unless
 * every frame is checked, touched or re-addressed, sending and receiving move only indexes.
 *
 * Checks. With sample 1 every frame is numbered, sealed and checked. With sample S, slots that are
 * multiples of S are numbered and sealed anew each time they are sent; the receiver looks at one
 * frame in S, finds from the still ones in between how far the next numbered one is, and compares
 * its number with how many frames it received meanwhile.
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

/** What all stations of a run do; constant while they run. */
struct traffic {
	struct frame_shape shape;
	unsigned sample; /**< 0: no checks, 1: every frame */
	unsigned burst;
	bool touch;
	bool random; /**< order of addresses */
	uint16_t vlan;
	uint32_t macs;   /**< addresses of each VM */
	unsigned copies; /**< VMs that every frame is for */
	bool hostile;    /**< VM 0 attacks: only frames of the others are checked */
};

/** What the receiver knows of one flow. */
struct flow {
	uint64_t mac; /**< the sender's first address */
	bool hostile; /**< the sender attacks */
	struct sequence sequence;
	uint64_t sampled_number; /**< sampling: number and count at the last look */
	uint64_t sampled_count;
	bool sampled;
};

/** Counters of a station; read by others when its worker is done, or for display. */
struct station_counters {
	uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
	uint64_t checked;
	uint64_t corrupted;
	uint64_t foreign;    /**< not this program's frames */
	uint64_t stray;      /**< for another VM: flooded */
	uint64_t late;       /**< sampling: numbered frames that came again or out of order */
	uint64_t missing;    /**< sampling: gaps, as frames */
	uint64_t unexpected; /**< sampling: frames too many between two looks */
};

struct station {
	/* Hot: read on every burst. */
	struct queue *tx, *rx;
	const struct traffic *traffic;
	bool rx_light;   /**< a frame is always one buffer, and most are not looked at */
	bool tx_light;   /**< most buffers stay as they are */
	unsigned until;  /**< sampling: frames before the next look */
	unsigned credit; /**< loop: frames that may be sent */
	uint64_t now;    /**< TSC, set by the worker before each step */
	struct station_counters count;
	/* Cold. */
	unsigned share; /**< loop: frames of this station that circle */
	struct vm *vm;
	unsigned pair;
	unsigned flow;           /**< number of this station among all */
	unsigned n_flows;        /**< stations of all VMs */
	const struct vm *target; /**< the VM that it sends to, NULL: one of another process */
	const struct vm *second; /**< every other frame goes there, unless NULL */
	uint64_t target_mac;     /**< first address of the target */
	uint32_t mac_next;       /**< addresses: next one of a sequential order */
	uint64_t random_state;
	unsigned staged;               /**< frames written by station_stage(), not sent yet */
	struct flow *flows;            /**< by sending station; shared by the VM's pairs */
	struct sequence_order *orders; /**< by sending station and its address */
	struct histogram *latency;     /**< in units of frame_stamp() */
	uint8_t *scratch;              /**< for frames in several buffers */
};

/** One received frame; valid until the station posts buffers again. */
struct received {
	const uint8_t *frame;
	uint32_t bytes;
	struct net_header header;
};

typedef void (*station_take)(void *context, struct station *station, const struct received *frame);

/** Ready a station of a VM. @return 0, -ENOMEM */
int station_open(struct station *station, struct vm *vm, unsigned pair, unsigned flow,
	unsigned n_flows, const struct traffic *traffic);

void station_close(struct station *station);

/** Choose the VM to send to, and perhaps one that gets every other frame; station_fill() follows. */
void station_aim(struct station *station, const struct vm *target, const struct vm *second);

/** Send to a group address, or to a VM of another process; station_fill() follows. */
void station_aim_address(struct station *station, uint64_t mac);

/** Fill all free send buffers, forget counters and flows, post all receive buffers. */
void station_start(struct station *station);

/** Choose the way to send and receive after something in struct traffic changed. */
void station_tune(struct station *station);

/** Write the load's frames into all send buffers that are free. */
void station_fill(struct station *station);

/** Forget counters and what was seen of the flows. */
void station_reset(struct station *station);

/** How many frames can be sent now; looks at completions only when fewer than wanted. */
unsigned station_space(struct station *station, unsigned wanted);

/** Send n frames of the load, n <= station_space(). */
void station_send(struct station *station, unsigned n);

/** Receive and check at most max frames. @return how many */
unsigned station_receive(struct station *station, unsigned max);

/** Receive at most max frames and show each to a function. @return how many */
unsigned station_walk(struct station *station, unsigned max, station_take take, void *context);

/**
 * Write a frame into the next send buffer; station_flush() sends.
 *
 * @return false when there is no space, or the frame is too large for a buffer
 */
bool station_stage(struct station *station, const uint8_t *frame, uint32_t bytes,
	const struct net_header *header);

/** Send the first n frames of those staged, or all when there are fewer. */
void station_flush(struct station *station, unsigned n);

/** The k-th address of a VM whose first is mac. */
uint64_t station_mac(uint64_t mac, uint32_t k);

/** An address as a number that counts up, last byte lowest. */
static inline uint64_t
station_mac_number(uint64_t mac)
{
	return __builtin_bswap64(mac) >> 16;
}

/** Frames of a flow lost, duplicated, reordered, as its receiver counted. */
static inline struct flow *
station_flow(struct station *station, unsigned flow)
{
	return &station->flows[flow];
}

#endif
