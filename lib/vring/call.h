/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupting a guest through the descriptor that its front end gave.
 *
 * The front end has the same open file: it can fill it and make it blocking at any time, and a
 * write() that has begun would then wait for as long as the front end likes.
 *
 * An eventfd is therefore signalled by the kernel at the end of an asynchronous request that is done
 * at once: this never waits, and takes nothing but an eventfd. Where the system has no asynchronous
 * I/O it is poll() and write(), and a front end that wins the race between the two holds the calling
 * thread up. A Unix socket is sent to with flags that hold whatever the file's own say. One that is
 * full loses nothing: what the front end has not read yet is an interrupt that is still to come.
 *
 * A pipe is refused: a write takes the lock that a reader holds while it copies, and a reader can
 * have that copy wait without end. Sockets of other families send through the network, whose rules
 * are the front end's if it has its own.
 *
 * Thread safety: any thread; each has a context of its own, made at its first interrupt.
 */
#ifndef SHUNT_VRING_CALL_H
#define SHUNT_VRING_CALL_H

#include <stdbool.h>

#include "vring/fault.h"

/**
 * Can guests be interrupted through this descriptor? Not for polling lcores.
 *
 * @param fd remains the caller's
 * @param socket receives whether it is a Unix socket, else it is an eventfd
 * @return VIRTQ_GOOD, or the fault that names what it is
 */
enum virtq_fault call_check(int fd, bool *socket);

/**
 * Interrupt a guest; never waits, raises no signal.
 *
 * @param socket as call_check() found
 * @return false when that could not be: it is full, its other end is closed, it is something else
 */
bool call_send(int fd, bool socket);

#endif
