/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter expressions compiled for the switch, which takes programs only: names of hosts may have to
 * be looked up, and that is nothing for the switch's control thread to wait for.
 *
 * Thread safety: libpcap's compiler is reentrant from 1.8 on.
 */
#ifndef SHUNT_CLI_CAPTURE_FILTER_H
#define SHUNT_CLI_CAPTURE_FILTER_H

#include <jansson.h>

#include "base/err.h"

/**
 * Compile an expression.
 *
 * @param words of the expression; NULL or none = every frame
 * @param snaplen 0 = all of a frame
 * @param text receives the expression, to be freed; NULL = none
 * @param program receives an array of [code, jt, jf, k]; NULL = none
 * @return 0; -EINVAL with libpcap's reason
 */
int capture_filter_compile(
	const json_t *words, int snaplen, char **text, json_t **program, struct err *err);

#endif
