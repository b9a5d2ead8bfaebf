/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupting a guest through the eventfd that its front end gave.
 *
 * The front end has the same open file: it can fill the counter and make it blocking at any time, and
 * write() would then wait for as long as it likes. So the kernel is asked to do something that is
 * done at once, and to signal the eventfd at its end, as asynchronous I/O can: that never waits, and
 * takes nothing but an eventfd. Where the system has no asynchronous I/O it is poll() and write(),
 * and a front end that wins the race between the two holds this thread up.
 *
 * Thread safety: any thread; each has a context of its own, made at its first interrupt.
 */
#ifndef SHUNT_VRING_CALL_H
#define SHUNT_VRING_CALL_H

#include <stdbool.h>

/** Is this a descriptor that guests can be interrupted by? Not for polling lcores. */
bool call_takes(int fd);

/** Interrupt a guest; never waits. @return false when that could not be */
bool call_send(int fd);

#endif
