/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and prints values of keys by their tables. */
#include "base/key.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AMOUNT_STEP = 1000 };

static const char amount_suffixes[] = "kMGT";

const struct key *
key_find(const struct key table[], const char *name)
{
	for (const struct key *key = table; key->name != NULL; key++)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

static int
key_set_text(const struct key *key, char *field, const char *value, struct err *err)
{
	size_t length = strlen(value);

	if (length == 0 && !key->optional)
		return err_set(err, EINVAL, "%s: must not be empty", key->name);
	if (length >= key->size)
		return err_set(err, EINVAL, "%s: %zu bytes long, at most %zu are possible",
			key->name, length, key->size - 1);
	memset(field, 0, key->size);
	memcpy(field, value, length);
	return 0;
}

static int
key_set_number(const struct key *key, int64_t *field, const char *value, struct err *err)
{
	bool octal = key->kind == KEY_OCTAL;
	const char *format = octal ? "%s: '%.40s' is not an octal number from %" PRIo64
				     " to %" PRIo64
				   : "%s: '%.40s' is not a number from %" PRId64 " to %" PRId64;
	char *end;

	errno = 0;
	int64_t number = strtoll(value, &end, octal ? 8 : 10);
	if (errno != 0 || end == value || *end != '\0' || number < key->min || number > key->max)
		return err_set(err, EINVAL, format, key->name, value, key->min, key->max);
	*field = number;
	return 0;
}

static int
key_set_switch(const struct key *key, bool *field, const char *value, struct err *err)
{
	bool on = strcmp(value, "on") == 0 || strcmp(value, "true") == 0;

	if (!on && strcmp(value, "off") != 0 && strcmp(value, "false") != 0)
		return err_set(err, EINVAL, "%s: '%.40s' is neither on nor off", key->name, value);
	*field = on;
	return 0;
}

/** Print all choices, separated by `between`. */
static void
key_join(const struct key *key, const char *between, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; key->choices[i] != NULL && used < size; i++)
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", i > 0 ? between : "", key->choices[i]);
}

static int
key_set_choice(const struct key *key, int64_t *field, const char *value, struct err *err)
{
	char words[ERR_TEXT_MAX / 2];

	for (int i = 0; key->choices[i] != NULL; i++)
		if (strcmp(key->choices[i], value) == 0) {
			*field = i;
			return 0;
		}
	key_join(key, ", ", words, sizeof(words));
	return err_set(err, EINVAL, "%s: '%.40s' is none of: %s", key->name, value, words);
}

/** Parse a number such as "10M". @return false if it is none */
static bool
key_parse_amount(const char *value, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(value, &end, 10);
	if (errno != 0 || !isdigit((unsigned char)value[0]))
		return false;
	if (*end == '\0')
		return true;
	const char *suffix = strchr(amount_suffixes, *end);
	if (suffix == NULL || end[1] != '\0')
		return false;
	for (const char *s = amount_suffixes; s <= suffix; s++)
		if (__builtin_mul_overflow(*number, AMOUNT_STEP, number))
			return false;
	return true;
}

/** Print the shortest exact form. */
static const char *
key_format_amount(const char *unset, int64_t number, char text[KEY_VALUE_MAX])
{
	const char *suffix = amount_suffixes;

	if (number == 0)
		return strcpy(text, unset);
	for (; *suffix != '\0' && number % AMOUNT_STEP == 0; suffix++)
		number /= AMOUNT_STEP;
	snprintf(text, KEY_VALUE_MAX, "%" PRId64 "%.1s", number,
		suffix == amount_suffixes ? "" : suffix - 1);
	return text;
}

static int
key_set_amount(const struct key *key, int64_t *field, const char *value, struct err *err)
{
	char least[KEY_VALUE_MAX], most[KEY_VALUE_MAX];
	int64_t number = 0;

	if (strcmp(value, key->unset) == 0) {
		*field = 0;
		return 0;
	}
	bool good = key_parse_amount(value, &number);
	if (good && number >= key->min && number <= key->max) {
		*field = number;
		return 0;
	}
	key_format_amount("0", key->min, least);
	key_format_amount("0", key->max, most);
	if (good && number == 0)
		return err_set(err, EINVAL, "%s: a %s of 0; from %s to %s, or %s, are possible",
			key->name, key->noun, least, most, key->unset);
	return err_set(err, EINVAL, "%s: '%.40s' is neither a %s from %s to %s, nor %s", key->name,
		value, key->noun, least, most, key->unset);
}

int
key_set(const struct key *key, void *object, const char *value, struct err *err)
{
	void *field = (char *)object + key->offset;

	if (key->later)
		return err_set(err, EINVAL, "%s: not yet supported", key->name);
	switch (key->kind) {
	case KEY_TEXT:
		return key_set_text(key, field, value, err);
	case KEY_NUMBER:
	case KEY_OCTAL:
		return key_set_number(key, field, value, err);
	case KEY_SWITCH:
		return key_set_switch(key, field, value, err);
	case KEY_CHOICE:
		return key_set_choice(key, field, value, err);
	case KEY_AMOUNT:
		return key_set_amount(key, field, value, err);
	}
	return err_set(err, EINVAL, "%s: unknown kind of key", key->name);
}

char *
key_values(const struct key *key, char text[KEY_VALUE_MAX])
{
	if (key->value != NULL)
		snprintf(text, KEY_VALUE_MAX, "%s", key->value);
	else if (key->kind == KEY_CHOICE)
		key_join(key, "|", text, KEY_VALUE_MAX);
	else
		strcpy(text, key->kind == KEY_SWITCH ? "on|off" : "N");
	return text;
}

char *
key_format(const struct key *key, const void *object, char text[KEY_VALUE_MAX])
{
	const void *field = (const char *)object + key->offset;
	int64_t number;

	switch (key->kind) {
	case KEY_TEXT:
		snprintf(text, KEY_VALUE_MAX, "%s", (const char *)field);
		break;
	case KEY_SWITCH:
		snprintf(text, KEY_VALUE_MAX, "%s", *(const bool *)field ? "on" : "off");
		break;
	default:
		memcpy(&number, field, sizeof(number));
		if (key->kind == KEY_CHOICE)
			snprintf(text, KEY_VALUE_MAX, "%s", key->choices[number]);
		else if (key->kind == KEY_AMOUNT)
			key_format_amount(key->unset, number, text);
		else
			snprintf(text, KEY_VALUE_MAX,
				key->kind == KEY_OCTAL ? "%04" PRIo64 : "%" PRId64, number);
	}
	return text;
}

static size_t
key_field_size(const struct key *key)
{
	if (key->kind == KEY_TEXT)
		return key->size;
	return key->kind == KEY_SWITCH ? sizeof(bool) : sizeof(int64_t);
}

bool
key_equal(const struct key *key, const void *one, const void *other)
{
	return memcmp((const char *)one + key->offset, (const char *)other + key->offset,
		       key_field_size(key)) == 0;
}
