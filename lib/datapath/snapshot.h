/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The snapshot: everything a polling lcore needs to know to move frames, in one immutable object.
 * The control thread builds a new one for every change and publishes it by pointer; the old one is
 * freed when every polling lcore has let go of it.
 *
 * Thread safety: built by the control thread, read by polling lcores, never written once published.
 */
#ifndef SHUNT_DATAPATH_SNAPSHOT_H
#define SHUNT_DATAPATH_SNAPSHOT_H

#include "datapath/observe.h"
#include "datapath/rules.h"
#include "port/port.h"
#include "rate/shaper.h"
#include "snoop/ring.h"
#include "snoop/table.h"

enum {
	LANE_MAX = 64, /**< polling lcores at once */
};

/** One receive queue that a lane polls. */
struct snapshot_poll {
	uint16_t (*rx)(void *dev, uint16_t queue, struct frame frames[], uint16_t n,
		struct counters *counters);
	void (*rx_done)(void *dev, uint16_t queue);                            /**< may be NULL */
	bool (*rx_watch)(void *dev, uint16_t queue, struct port_watch *watch); /**< may be NULL */
	void *dev;
	uint16_t port;
	uint16_t queue;
	uint16_t slot;  /**< where the lane counts the load of this queue */
	uint16_t crowd; /**< 1 and up: which of the lane's crowds it is in; 0 = none */
	const struct observers *observers; /**< of the port; NULL = nobody looks */
};

/** What happens to frames on their way out, beside being handed to the driver. */
struct snapshot_egress {
	const struct rules *retags;        /**< by which frames leave; NULL = all as they are */
	const struct observers *observers; /**< NULL = nobody looks */
};

/** A port that frames can leave by; tx is NULL where there is none. */
struct snapshot_target {
	void (*tx)(void *dev, uint16_t lane, struct frame *const frames[], uint16_t n,
		struct counters *counters);
	void *dev;
	uint32_t max_len;
	const struct snapshot_egress *egress; /**< NULL = nothing; of ports that are down, too */
	struct shaper *shaper;                /**< the port's; NULL = frames leave at any rate */
	uint16_t owner; /**< the lane that sends what waits; LANE_MAX = none */
	struct bucket_rate rate_out;
};

struct snapshot_lane {
	uint32_t polls; /**< how many */
	struct snapshot_poll *poll;
	uint16_t *shaped; /**< ids of ports whose waiting frames this lane sends */
	uint16_t n_shaped;
	uint16_t n_crowds; /**< ports whose queues here take turns */
};

struct snapshot {
	struct snapshot_target target[PORT_MAX];
	uint16_t flood[PORT_MAX]; /**< ids of the ports that floods leave by */
	uint16_t floods;
	bool selects; /**< not every frame to everybody leaves by every port */
	const struct rules *rules[PORT_MAX];         /**< by id; NULL = plain switching */
	const struct observers *observers[PORT_MAX]; /**< by id; NULL = nobody looks */
	struct snapshot_egress egress[PORT_MAX];
	const struct snoop_table *groups; /**< NULL = no snooping; set before it is published */
	struct snoop_ring *const *rings;  /**< by lane, for what snooping hears; control's own */
	struct snapshot_lane lane[LANE_MAX];
	uint16_t shaped[PORT_MAX];   /**< of all lanes, lane after lane */
	struct snapshot_poll poll[]; /**< of all lanes, lane after lane */
};

/** A receive queue and who polls it, as control keeps it. */
struct snapshot_queue {
	struct port *port;
	uint16_t queue;
	uint16_t slot;
	int lane;    /**< -1 = nobody */
	bool active; /**< port enabled and its link up */
};

/**
 * Build a snapshot.
 *
 * @param ports by id, PORT_MAX entries, NULL where there is none
 * @param up by id: enabled, and the link is up
 * @return NULL when there is no memory; free with snapshot_free()
 */
struct snapshot *snapshot_build(struct port *const ports[PORT_MAX], const bool up[PORT_MAX],
	const struct snapshot_queue queues[], unsigned n_queues);

/** NULL is fine. */
void snapshot_free(struct snapshot *snapshot);

#endif
