/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Initialisers of rows in tables of port keys. Live: the keys may change while the port runs.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_PORT_KEY_ROWS_H
#define SHUNT_PORT_KEY_ROWS_H

#include "port/keys.h"

/* clang-format off: rows read better than blocks */
/** A live key. The rest is one of the kinds below, and further members of struct key. */
#define KEY_ROW(type, member, word, text, ...)                                                     \
	{                                                                                          \
		.name = (word), .help = (text), .offset = offsetof(type, member), .live = true,    \
		__VA_ARGS__                                                                        \
	}
/** A bool: on or off. */
#define KEY_ROW_SWITCH .kind = KEY_SWITCH
/** An int64_t: index of one of the words. */
#define KEY_ROW_CHOICE(words) .kind = KEY_CHOICE, .choices = (words)
/** An int64_t from 0, or .min, to most. */
#define KEY_ROW_NUMBER(most) .kind = KEY_NUMBER, .max = (most)
/** An optional text: a list. */
#define KEY_ROW_LIST(bytes) .kind = KEY_TEXT, .value = "LIST", .size = (bytes), .optional = true
/** An optional text: the name of a port. */
#define KEY_ROW_PORT .kind = KEY_TEXT, .value = "PORT", .size = PORT_NAME_MAX, .optional = true
/** An int64_t: bits per second, limits as in lib/rate/bucket.h; 0 = off. */
#define KEY_ROW_RATE                                                                               \
	.kind = KEY_AMOUNT, .value = "BITS", .min = 1000, .max = 1000000000000, .noun = "rate",    \
	.unset = "off"
/** An int64_t: bytes sent or accepted at once; 0 = auto. */
#define KEY_ROW_BURST                                                                              \
	.kind = KEY_AMOUNT, .value = "BYTES", .min = 1, .max = 512000000, .noun = "burst",         \
	.unset = "auto"
/* clang-format on */

#endif
