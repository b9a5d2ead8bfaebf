/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks: VM 0 violates virtio or vhost-user repeatedly while the other VMs exchange frames. The
 * back end may close VM 0's connection or stop its rings. It must keep running, keep serving the
 * other VMs, and accept VM 0 again when it conforms.
 *
 * Thread safety: rounds of an attack run on the worker of VM 0, one after the other.
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
	unsigned closed;      /**< number of connections that the back end closed */
	unsigned stuck;       /**< rings are unusable: reconnect before the next round */
	unsigned refused;     /**< requests that the back end refused */
	unsigned unreachable; /**< failed reconnections */
	struct err err;       /**< reason of the last one */
	struct loop loop;     /**< load of the other VMs */
	const struct attack_kind *kind;
};

struct attack_kind {
	const char *name;
	const char *help;
	unsigned flags;
	/** Run one round. A connection that it ends is restored before the next round. */
	void (*act)(struct attack *attack);
};

enum {
	ATTACK_SPLIT = 1,    /**< split rings only */
	ATTACK_INDIRECT = 2, /**< needs indirect=on */
	ATTACK_LOAD = 4,     /**< VM 0 exchanges frames too, between rounds */
};

/** Attacks on rings and on vhost-user; each array ends with a NULL name. */
extern const struct attack_kind attack_ring_kinds[];
extern const struct attack_kind attack_message_kinds[];

#endif
