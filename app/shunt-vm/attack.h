/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks: VM 0 does what no driver should, again and again, while the other VMs circle frames.
 * A back end may close VM 0's connection or stop its rings; it must live, serve the others, and take
 * VM 0 back when it behaves.
 *
 * Thread safety: acts run on the worker of VM 0, one after the other.
 */
#ifndef SHUNT_VM_ATTACK_H
#define SHUNT_VM_ATTACK_H

#include <stdint.h>

#include "fleet.h"
#include "loop.h"
#include "negotiate.h"

struct attack {
	struct vm *vm;
	struct station *station;
	struct queue *tx, *rx;
	uint64_t rounds;
	uint64_t next_at;     /**< TSC of the next round */
	unsigned closed;      /**< times that the back end closed the connection */
	unsigned stuck;       /**< times that it stopped taking frames */
	unsigned refused;     /**< requests that it refused */
	unsigned unreachable; /**< times that it could not be reached again */
	struct err err;       /**< why it could not */
	struct loop loop;     /**< of the others */
	const struct attack_kind *kind;
};

struct attack_kind {
	const char *name;
	const char *help;
	unsigned flags;
	/** One round; connections that end are made again before the next. */
	void (*act)(struct attack *attack);
};

enum {
	ATTACK_SPLIT = 1,    /**< split rings only */
	ATTACK_INDIRECT = 2, /**< needs indirect=on */
	ATTACK_LOAD = 4,     /**< VM 0 circles frames too, in between */
};

/** Attacks on rings and on the protocol; each ends with a NULL name. */
extern const struct attack_kind attack_ring_kinds[];
extern const struct attack_kind attack_message_kinds[];

#endif
