/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Included by every fuzz target. A target crashes when a check fails; libFuzzer then keeps the
 * input.
 *
 * Thread safety: libFuzzer calls from one thread.
 */
#ifndef SHUNT_TEST_FUZZ_H
#define SHUNT_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Called by libFuzzer: once, and for each input. Both return 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
