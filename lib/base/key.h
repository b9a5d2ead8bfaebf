/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys: settings "name=value", described once in a table for the configuration file, the RPC and
 * all output.
 *
 * A table of `struct key` describes the fields of one C structure. Structures must be zeroed
 * before defaults are set, so that equal settings are equal bytes.
 *
 * Thread safety: tables are constant; functions access only their arguments.
 */
#ifndef SHUNT_BASE_KEY_H
#define SHUNT_BASE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Kinds of a key, by the C type of its field. */
enum key_kind {
	KEY_TEXT,   /**< char[size], NUL-terminated */
	KEY_NUMBER, /**< int64_t between min and max */
	KEY_SWITCH, /**< bool, "on" or "off" */
	KEY_CHOICE, /**< int64_t, index into choices */
	KEY_OCTAL,  /**< int64_t between min and max, written in octal */
	KEY_AMOUNT, /**< int64_t between min and max, with k, M, G or T for thousands; 0 = unset */
};

/** A key: its name, its help, and the field that holds its value. */
struct key {
	const char *name;
	const char *help;  /**< description in a few words, without the default */
	const char *value; /**< placeholder of a value in help: "PATH"; NULL: choices, on|off, N */
	enum key_kind kind;
	size_t offset; /**< of the field in the structure */
	size_t size;   /**< KEY_TEXT: bytes of the field */
	int64_t min, max;
	const char *const *choices; /**< KEY_CHOICE: words, NULL at the end */
	const char *noun;           /**< KEY_AMOUNT: the quantity, as "rate" */
	const char *unset;          /**< KEY_AMOUNT: the word for 0 */
	bool live;                  /**< may change while the port runs */
	bool optional;              /**< KEY_TEXT: may be empty, for none */
	bool later;                 /**< reserved for a feature that does not exist yet */
};

enum { KEY_VALUE_MAX = 640 };

/**
 * Find a key by its name.
 *
 * @param table ended by a NULL name
 * @param name exact name, case matters
 * @return the key, an element of the table; NULL when absent
 */
const struct key *key_find(const struct key table[], const char *name);

/**
 * Parse a value into its field.
 *
 * @param object the structure that the key belongs to
 * @param value as text; untrusted
 * @return 0; -EINVAL with the reason in err, object untouched
 */
int key_set(const struct key *key, void *object, const char *value, struct err *err);

/** Print the possible values for help: "on|off", "PATH". @return `text`, cut at its size */
char *key_values(const struct key *key, char text[KEY_VALUE_MAX]);

/**
 * Print the value of a key.
 *
 * @param object the structure that the key belongs to
 * @return `text`, cut at its size
 */
char *key_format(const struct key *key, const void *object, char text[KEY_VALUE_MAX]);

/**
 * Compare the value of a key in two structures.
 *
 * @param one first structure that the key belongs to
 * @param other second structure
 * @return true if both have the same value
 */
bool key_equal(const struct key *key, const void *one, const void *other);

#endif
