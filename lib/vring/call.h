/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts to a guest through the callfd of its front end.
 *
 * The front end shares the open file: it can fill it and make it blocking at any time, and a
 * write() would then block for as long as the front end likes.
 *
 * An eventfd is therefore signalled by the kernel on completion of an asynchronous I/O request
 * that completes at once. This never blocks, and the kernel accepts only an eventfd. Without
 * asynchronous I/O, poll() and write() are used; a front end that wins the race between the two
 * can block the calling thread. A Unix socket is sent to with flags that override those of the
 * file. A full one loses nothing: the data in it is an interrupt that the front end has yet to
 * read.
 *
 * A pipe is refused: a write takes a lock that a reader holds while it copies, and the reader can
 * block that copy without limit. Sockets of other families send through the network stack, whose
 * filter rules the front end controls if it has a network namespace of its own.
 *
 * Thread safety: any thread; each has its own context, created at its first interrupt.
 */
#ifndef SHUNT_VRING_CALL_H
#define SHUNT_VRING_CALL_H

#include <stdbool.h>

#include "vring/fault.h"

/**
 * Check that a file descriptor can serve as callfd. Not for polling lcores.
 *
 * @param fd remains the caller's
 * @param socket receives true for a Unix socket, false for an eventfd
 * @return VIRTQ_GOOD, or the fault that names the kind of file
 */
enum virtq_fault call_check(int fd, bool *socket);

/**
 * Interrupt a guest. Raises no signal; blocks only in the race described above. Any thread.
 *
 * @param fd the callfd, which has passed call_check()
 * @param socket as set by call_check()
 * @return false if nothing was sent: the file is full, its peer is closed, or it is of another kind
 */
bool call_send(int fd, bool socket);

#endif
