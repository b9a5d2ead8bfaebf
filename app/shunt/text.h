/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small things about text that a person reads: numbers, durations, wrapping, likeness of words.
 *
 * Thread safety: pure functions; text_wrap() writes to its caller's stream only.
 */
#ifndef SHUNT_CLI_TEXT_H
#define SHUNT_CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_NUMBER_MAX = 32, TEXT_COLUMNS = 80 };

/** Print with a comma between thousands from five digits on: "9999", "12,345". @return text */
char *text_count(uint64_t value, char text[TEXT_NUMBER_MAX]);

/** Print with three digits and a decimal prefix: "17", "1.49M", "100G". @return text */
char *text_si(double value, char text[TEXT_NUMBER_MAX]);

/** Print seconds as "04:05:06" or "3 d 04:05:06". @return text */
char *text_duration(uint64_t seconds, char text[TEXT_NUMBER_MAX]);

/** How many bytes at the start of text are a control character, C0 or C1; 0 for none. */
size_t text_control(const char *text);

/**
 * Copy what came over a socket, with a question mark for everything that could steer a terminal.
 *
 * @param size bytes at out; a longer text is cut
 * @return out
 */
char *text_clean(const char *in, char *out, size_t size);

/** How many columns UTF-8 text takes, one for each code point. */
size_t text_width(const char *text);

/** Edits (insert, delete, change, swap neighbours) that turn one word into the other. */
unsigned int text_distance(const char *a, const char *b);

/**
 * Print text wrapped at spaces to TEXT_COLUMNS.
 *
 * A line that begins with a space is an example and stays as it is.
 *
 * @param indent spaces before each line
 * @param column where the cursor stands already; the first line starts there without indent
 */
void text_wrap(FILE *file, const char *text, size_t indent, size_t column);

#endif
