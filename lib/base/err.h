/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reason why a request failed, in one line that a user can act on.
 *
 * A function that can fail for a reason of interest to the user takes a `struct err *`, fills it
 * and returns the same negative errno. Only the caller that handles a failure logs it.
 *
 * Thread safety: a struct err belongs to its caller; the functions share no state.
 */
#ifndef SHUNT_BASE_ERR_H
#define SHUNT_BASE_ERR_H

enum { ERR_TEXT_MAX = 320 };

/** A failure and its reason. No failure while `code` is 0. */
struct err {
	int code;                /**< negative errno, 0 while nothing failed */
	char text[ERR_TEXT_MAX]; /**< what, where, what to do; no newline */
};

/**
 * Record a failure.
 *
 * @param err where to record it; NULL records nothing
 * @param code positive errno
 * @param format one line: what, where, what to do; cut at ERR_TEXT_MAX - 1 bytes
 * @return -code, so that a caller can `return err_set(...)`
 */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Put "where: " before the reason already recorded.
 *
 * @param err a recorded failure; NULL is ignored
 * @param format where the failure arose, without the colon
 * @return err->code, or 0 for NULL
 */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
