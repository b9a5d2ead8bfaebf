/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * C11 atomic access to shared memory that is not declared _Atomic: rings of guests and of the kernel,
 * whose types are given, and counters that the one thread that writes them increments plainly.
 *
 * Thread safety: that of the access.
 */
#ifndef SHUNT_BASE_SHARED_H
#define SHUNT_BASE_SHARED_H

#include <stdatomic.h>

/**
 * The same object as an atomic one. GCC and Clang represent both alike.
 *
 * @param at address of an aligned integer of 1, 2, 4 or 8 bytes
 * @return the address, for functions of stdatomic.h
 */
#define shared_atomic(at) ((_Atomic __typeof__((void)0, *(at)) *)(at))

/** Load without order. @param at as for shared_atomic() @return the value */
#define shared_load_relaxed(at) atomic_load_explicit(shared_atomic(at), memory_order_relaxed)

/** Load before all later accesses. @param at as for shared_atomic() @return the value */
#define shared_load_acquire(at) atomic_load_explicit(shared_atomic(at), memory_order_acquire)

/** Store without order. @param at as for shared_atomic() @param value new value */
#define shared_store_relaxed(at, value)                                                            \
	atomic_store_explicit(shared_atomic(at), value, memory_order_relaxed)

/** Store after all earlier accesses. @param at as for shared_atomic() @param value new value */
#define shared_store_release(at, value)                                                            \
	atomic_store_explicit(shared_atomic(at), value, memory_order_release)

#endif
