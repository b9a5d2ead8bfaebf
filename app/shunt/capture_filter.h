/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filter expressions, compiled here. The switch takes programs only, since an expression may need
 * the lookup of a host name, on which the switch's control thread must not wait.
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
 * @param words of the expression; NULL or empty: every frame
 * @param snaplen bytes captured of a frame; 0: all
 * @param text receives the expression, freed by the caller; NULL if there is none
 * @param program receives an array of [code, jt, jf, k], owned by the caller; NULL if there is none
 * @return 0; -EINVAL with libpcap's reason
 */
int capture_filter_compile(
	const json_t *words, int snaplen, char **text, json_t **program, struct err *err);

#endif
