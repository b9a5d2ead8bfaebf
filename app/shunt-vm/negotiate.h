/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of a front end, in the order and form in which QEMU sends them. With REPLY_ACK every
 * setting is acknowledged and a refusal is an error. Without it, a final GET_FEATURES confirms that
 * the back end has processed the settings.
 *
 * Functions return 0, or negative errno with the request's name in err; callers prepend the socket.
 *
 * Thread safety: as vm.h.
 */
#ifndef SHUNT_VM_NEGOTIATE_H
#define SHUNT_VM_NEGOTIATE_H

#include "message.h"
#include "vm.h"

/** Negotiate the features of the configuration; fails if the back end lacks one of them. */
int negotiate_features(struct vm *vm, struct err *err);

/** Set memory, rings and eventfds, and enable the rings. Ring bases derive from the queues. */
int negotiate_start(struct vm *vm, struct err *err);

/**
 * Stop all rings and check the bases that the back end returns. The caller consumes the remaining
 * completions before negotiate_start() sets the bases again.
 */
int negotiate_stop(struct vm *vm, struct err *err);

/** Send the VM's regions by SET_MEM_TABLE or ADD_MEM_REG. */
int negotiate_memory(struct vm *vm, struct err *err);

/** Start or stop logging dirty pages: SET_LOG_BASE, SET_FEATURES, SET_VRING_ADDR of each ring. */
int negotiate_log(struct vm *vm, bool on, struct err *err);

/** SEND_RARP: the back end announces the VM's MAC address after a migration. */
int negotiate_rarp(struct vm *vm, struct err *err);

/** Send a request with a 64-bit payload, acknowledged when REPLY_ACK is negotiated. */
int negotiate_number(struct vm *vm, enum message_request request, uint64_t number, struct err *err);

/** Send a request with a ring index and a number. */
int negotiate_state(struct vm *vm, enum message_request request, unsigned ring, uint32_t number,
	struct err *err);

/** Send a request with a ring index and a file descriptor (-1: none). */
int negotiate_fd(
	struct vm *vm, enum message_request request, unsigned ring, int fd, struct err *err);

/** GET_VRING_BASE of one ring, which the back end stops. */
int negotiate_get_base(struct vm *vm, unsigned ring, uint32_t *base, struct err *err);

/** SET_VRING_ADDR of one ring. */
int negotiate_addr(struct vm *vm, unsigned ring, struct err *err);

/** Set size, base, addresses and eventfds of one ring; the ring is not enabled. */
int negotiate_ring(struct vm *vm, unsigned ring, struct err *err);

/** Send a request that is answered by a 64-bit payload. */
int negotiate_get(struct vm *vm, enum message_request request, uint64_t *number, struct err *err);

#endif
