/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text formatting: numbers, durations, wrapping, similarity of words.
 *
 * Thread safety: pure functions; text_wrap() writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_TEXT_H
#define SHUNT_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_NUMBER_MAX = 32, TEXT_COLUMNS = 80 };

/** Format with a comma between thousands from five digits on: "9999", "12,345". @return text */
char *text_count(uint64_t value, char text[TEXT_NUMBER_MAX]);

/** Format with three digits and a decimal prefix: "17", "1.49M", "100G". @return text */
char *text_si(double value, char text[TEXT_NUMBER_MAX]);

/** Format seconds as "04:05:06" or "3 d 04:05:06". @return text */
char *text_duration(uint64_t seconds, char text[TEXT_NUMBER_MAX]);

/** @return length in bytes of a control character (C0, C1) at the start of text; 0: none */
size_t text_control(const char *text);

/**
 * Copy untrusted text; control characters become question marks.
 *
 * @param size of out in bytes; longer text is truncated
 * @return out
 */
char *text_clean(const char *in, char *out, size_t size);

/** @return number of columns of UTF-8 text, one per code point */
size_t text_width(const char *text);

/** @return number of edits (insert, delete, change, swap neighbours) between two words */
unsigned int text_distance(const char *a, const char *b);

/**
 * Print text wrapped at spaces to TEXT_COLUMNS.
 *
 * A line that begins with a space is an example and stays as it is.
 *
 * @param indent spaces before each line
 * @param column position of the cursor; the first line starts there without indent
 */
void text_wrap(FILE *file, const char *text, size_t indent, size_t column);

#endif
