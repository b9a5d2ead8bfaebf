/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of a front end, in the order and the way QEMU makes them. With REPLY_ACK every
 * setting is acknowledged and a refusal is an error; without, a GET_FEATURES at the end proves that
 * the back end took them.
 *
 * Errors name the request; callers put the socket before. Thread safety: as vm.h.
 */
#ifndef SHUNT_VM_NEGOTIATE_H
#define SHUNT_VM_NEGOTIATE_H

#include "message.h"
#include "vm.h"

/** Ask for the features that the configuration wants, refuse to go on without one of them. */
int negotiate_features(struct vm *vm, struct err *err);

/** Set memory, all rings and their eventfds, enable them. Ring bases follow from the queues. */
int negotiate_start(struct vm *vm, struct err *err);

/**
 * Stop all rings and check the bases that the back end returns. Completions are still to be consumed,
 * before negotiate_start() tells the back end where to go on.
 */
int negotiate_stop(struct vm *vm, struct err *err);

/** SET_MEM_TABLE or ADD_MEM_REG with the VM's regions. */
int negotiate_memory(struct vm *vm, struct err *err);

/** Start or stop logging dirty pages: SET_LOG_BASE, SET_FEATURES, SET_VRING_ADDR of each ring. */
int negotiate_log(struct vm *vm, bool on, struct err *err);

/** SEND_RARP for the VM's address: "I am here now". */
int negotiate_rarp(struct vm *vm, struct err *err);

/** A request with a number, acknowledged when REPLY_ACK is spoken. */
int negotiate_number(struct vm *vm, enum message_request request, uint64_t number, struct err *err);

/** A request with a ring and a number. */
int negotiate_state(struct vm *vm, enum message_request request, unsigned ring, uint32_t number,
	struct err *err);

/** A request with a ring and a descriptor (-1: none). */
int negotiate_fd(
	struct vm *vm, enum message_request request, unsigned ring, int fd, struct err *err);

/** GET_VRING_BASE of one ring, which stops it. */
int negotiate_get_base(struct vm *vm, unsigned ring, uint32_t *base, struct err *err);

/** SET_VRING_ADDR of one ring. */
int negotiate_addr(struct vm *vm, unsigned ring, struct err *err);

/** Number, base, addresses, eventfds of one ring; not enabled yet. */
int negotiate_ring(struct vm *vm, unsigned ring, struct err *err);

/** A request that is answered by a number. */
int negotiate_get(struct vm *vm, enum message_request request, uint64_t *number, struct err *err);

#endif
