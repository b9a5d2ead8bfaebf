/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses the words after a command into the params of its request. */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mac.h"
#include "base/qemu_version.h"
#include "event/kinds.h"

enum { PARSE_VLAN_MAX = 4094, PARSE_LCORE_MAX = 65535, PARSE_SECONDS_MAX = 1000000 };

/** State of the conversion of a command line to params. */
struct parse {
	const struct command *command;
	json_t *params;
	struct err *err;
};

char *
parse_path(const char *path)
{
	char *folder;
	char *whole;
	int n;

	if (*path == '/')
		return strdup(path);
	folder = getcwd(NULL, 0);
	if (folder == NULL)
		return NULL;
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	n = asprintf(&whole, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path);
	free(folder);
	return n < 0 ? NULL : whole;
}

/** Parse a decimal number without any other character. @return -1 if it is none or above max */
static long
parse_number(const char *text, long max)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return *end != '\0' || errno != 0 || value > max ? -1 : value;
}

/** Parse a number from 0 to max. @param what its name, for the error @return NULL on failure */
static json_t *
parse_integer(struct parse *parse, const char *what, const char *text, long max)
{
	long value = parse_number(text, max);

	if (value >= 0)
		return json_integer(value);
	err_set(parse->err, EINVAL, "%s must be a number from 0 to %ld, not \"%.40s\"", what, max,
		text);
	return NULL;
}

/** Parse a number of seconds, which may have decimals. @return NULL on failure */
static json_t *
parse_seconds(struct parse *parse, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (isdigit((unsigned char)*text) && *end == '\0' && value <= PARSE_SECONDS_MAX)
		return json_real(value);
	err_set(parse->err, EINVAL, "SECONDS must be a number from 0 to %d, not \"%.40s\"",
		PARSE_SECONDS_MAX, text);
	return NULL;
}

/** Parse a MAC address, with ':' or '-' between bytes. @return NULL on failure */
static json_t *
parse_mac(struct parse *parse, const char *text)
{
	char canonical[MAC_TEXT_MAX];
	uint64_t mac;

	if (mac_parse(text, &mac) == 0)
		return json_string(mac_format(mac, canonical));
	err_set(parse->err, EINVAL, "\"%.40s\" is no MAC address such as 02:00:00:00:00:01", text);
	return NULL;
}

/** Convert text that is UTF-8 and not empty. @return NULL on failure */
static json_t *
parse_string(struct parse *parse, const char *what, const char *text)
{
	json_t *value = *text == '\0' ? NULL : json_string(text);

	if (value == NULL)
		err_set(parse->err, EINVAL, "%s %s", what,
			*text == '\0' ? "is empty" : "is not UTF-8");
	return value;
}

/** Parse a name; key=value is refused as a likely mistake. */
static json_t *
parse_word(struct parse *parse, const struct command_arg *arg, const char *text)
{
	if (strchr(text, '=') == NULL)
		return parse_string(parse, arg->shown, text);
	err_set(parse->err, EINVAL, "%s is missing before \"%.60s\"", arg->shown, text);
	return NULL;
}

/** Parse a path. @return absolute path, since the switch has another directory; NULL on failure */
static json_t *
parse_file(struct parse *parse, const struct command_arg *arg, const char *text)
{
	char *path = *text == '\0' ? strdup("") : parse_path(text);
	json_t *value;

	if (path == NULL) {
		err_set(parse->err, EINVAL, "cannot tell the current directory: %s",
			strerror(errno));
		return NULL;
	}
	value = parse_string(parse, arg->shown, path);
	free(path);
	return value;
}

/** Parse the value of an argument according to its kind. @return NULL on failure */
static json_t *
parse_value(struct parse *parse, const struct command_arg *arg, const char *text)
{
	switch (arg->kind) {
	case COMMAND_MAC:
		return parse_mac(parse, text);
	case COMMAND_LCORE:
		return parse_integer(parse, "the lcore", text, PARSE_LCORE_MAX);
	case COMMAND_VLAN:
		return parse_integer(parse, "vlan", text, PARSE_VLAN_MAX);
	case COMMAND_SECONDS:
		return parse_seconds(parse, text);
	case COMMAND_FILE:
		return parse_file(parse, arg, text);
	default:
		return parse_word(parse, arg, text);
	}
}

/** Set a param that must not exist yet; owns value. NULL: a failure, whose reason is in err. */
static int
parse_store(struct parse *parse, const char *name, json_t *value)
{
	int code;

	if (value == NULL)
		return -EINVAL;
	if (json_object_get(parse->params, name) != NULL) {
		json_decref(value);
		return err_set(parse->err, EINVAL, "%s is given twice", name);
	}
	code = json_object_set_new(parse->params, name, value);
	return code == 0 ? 0 : err_set(parse->err, ENOMEM, "%s: %s", name, strerror(ENOMEM));
}

/** Parse a word of the form key=value and set the param of that name. */
static int
parse_key_value(struct parse *parse, const char *word)
{
	size_t length = strcspn(word, "=");
	json_t *value = json_string(word[length] == '=' ? word + length + 1 : "");
	char name[64];

	if (value == NULL)
		return err_set(parse->err, EINVAL, "\"%.*s\" has a value that is not UTF-8",
			(int)(length < 40 ? length : 40), word);
	if (length == 0 || length >= sizeof(name) || word[length] != '=') {
		json_decref(value);
		return err_set(parse->err, EINVAL, "\"%.40s\" is not key=value", word);
	}
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length)
		return parse_store(parse, name, value);
	json_decref(value);
	return err_set(parse->err, EINVAL, "\"%.40s\" is no key", name);
}

/** Append a word to the list of an argument. */
static int
parse_append(struct parse *parse, const char *name, const char *word)
{
	json_t *list = json_object_get(parse->params, name);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(parse->params, name, list);
	}
	if (json_array_append_new(list, json_string(word)) != 0)
		return err_set(parse->err, EINVAL, "\"%.40s\" is not UTF-8", word);
	return 0;
}

/** Append a kind of event to the list of an argument. */
static int
parse_event(struct parse *parse, const char *name, const char *word)
{
	char names[ERR_TEXT_MAX / 2];

	if (event_kind_find(word) < 0)
		return err_set(parse->err, EINVAL, "no event \"%.40s\"; there are %s", word,
			event_kind_names(names, sizeof(names)));
	return parse_append(parse, name, word);
}

/** Find the argument for a word of the form name=value. */
static const struct command_arg *
parse_keyed(const struct command *command, const char *word)
{
	size_t length = strcspn(word, "=");

	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++)
		if (arg->keyed && word[length] == '=' && strlen(arg->name) == length &&
			strncmp(arg->name, word, length) == 0)
			return arg;
	return NULL;
}

/** Find the next positional argument without a word. */
static const struct command_arg *
parse_positional(const struct parse *parse)
{
	const struct command_arg *arg = parse->command->args;

	while (arg->kind != COMMAND_NONE) {
		bool rest = arg->kind == COMMAND_KEYS || arg->kind == COMMAND_WORDS ||
			    arg->kind == COMMAND_EVENTS;

		if (!arg->keyed && (rest || json_object_get(parse->params, arg->name) == NULL))
			return arg;
		arg++;
	}
	return NULL;
}

/** Set err for a word that matches no argument. */
static int
parse_unexpected(struct parse *parse, const char *word)
{
	size_t length = strcspn(word, "=");
	char keys[64] = "";
	size_t used = 0;

	for (const struct command_arg *arg = parse->command->args; arg->kind != COMMAND_NONE; arg++)
		if (arg->keyed && used < sizeof(keys))
			used += snprintf(keys + used, sizeof(keys) - used, "%s%s=%s",
				used > 0 ? " or " : "", arg->name, arg->shown);
	if (used > 0)
		return err_set(parse->err, EINVAL, "\"%.40s\" is not %s", word, keys);
	if (word[length] == '=')
		return err_set(parse->err, EINVAL, "takes no key=value, not even \"%.40s\"", word);
	return err_set(parse->err, EINVAL, "\"%.40s\" is one word too many", word);
}

/** Parse one word after the command. */
static int
parse_argument(struct parse *parse, const char *word)
{
	const struct command_arg *arg = parse_keyed(parse->command, word);

	if (arg != NULL)
		return parse_store(
			parse, arg->name, parse_value(parse, arg, word + strlen(arg->name) + 1));
	arg = parse_positional(parse);
	if (arg == NULL)
		return parse_unexpected(parse, word);
	if (arg->kind == COMMAND_KEYS)
		return parse_key_value(parse, word);
	if (arg->kind == COMMAND_WORDS)
		return parse_append(parse, arg->name, word);
	if (arg->kind == COMMAND_EVENTS)
		return parse_event(parse, arg->name, word);
	return parse_store(parse, arg->name, parse_value(parse, arg, word));
}

/** Check that no required argument is missing. */
static int
parse_check_missing(struct parse *parse)
{
	size_t n = json_object_size(parse->params);

	for (const struct command_arg *arg = parse->command->args; arg->kind != COMMAND_NONE;
		arg++) {
		bool there = arg->kind == COMMAND_KEYS
				     ? n > (size_t)(arg - parse->command->args)
				     : json_object_get(parse->params, arg->name) != NULL;

		if (!there && !arg->optional)
			return err_set(parse->err, EINVAL, "%s%s%s is missing",
				arg->keyed ? arg->name : "", arg->keyed ? "=" : "", arg->shown);
	}
	return 0;
}

int
parse_args(const struct command *command, size_t n, char *const *words, json_t **params,
	struct err *err)
{
	struct parse parse = {.command = command, .params = json_object(), .err = err};
	int code = 0;

	if (parse.params == NULL)
		return err_set(err, ENOMEM, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < n && code == 0; i++)
		code = parse_argument(&parse, words[i]);
	if (code == 0)
		code = parse_check_missing(&parse);
	if (code == 0) {
		*params = parse.params;
		return 0;
	}
	json_decref(parse.params);
	return err_prefix(err, "%s", command->words);
}

/** Parse a version of QEMU. @return NULL on failure */
static json_t *
parse_qemu(struct parse *parse, const char *text)
{
	unsigned version;

	return qemu_version_parse(text, &version, parse->err) == 0 ? json_string(text) : NULL;
}

/** Parse one of an option's choices. @return NULL on failure */
static json_t *
parse_choice(struct parse *parse, const struct command_option *option, const char *text)
{
	size_t length = strlen(text);

	for (const char *word = option->choices; word != NULL;) {
		const char *end = strchrnul(word, '|');
		if ((size_t)(end - word) == length && strncmp(word, text, length) == 0)
			return json_string(text);
		word = *end == '|' ? end + 1 : NULL;
	}
	err_set(parse->err, EINVAL, "-%c must be one of %s, not \"%.40s\"", option->letter,
		option->choices, text);
	return NULL;
}

/** Parse a number from 1 to the maximum of an option. @return NULL on failure */
static json_t *
parse_count(struct parse *parse, const struct command_option *option, const char *text)
{
	long value = parse_number(text, option->max);

	if (value > 0)
		return json_integer(value);
	err_set(parse->err, EINVAL, "-%c must be a number from 1 to %ld, not \"%.40s\"",
		option->letter, option->max, text);
	return NULL;
}

int
parse_option(const struct command *command, const struct command_option *option, const char *text,
	json_t *params, struct err *err)
{
	struct parse parse = {.command = command, .params = params, .err = err};
	json_t *value;
	int code;

	if (option->kind == COMMAND_COUNT)
		value = parse_count(&parse, option, text);
	else if (option->kind == COMMAND_CHOICE)
		value = parse_choice(&parse, option, text);
	else if (option->kind == COMMAND_QEMU)
		value = parse_qemu(&parse, text);
	else
		value = parse_string(&parse, option->shown, text);
	code = parse_store(&parse, option->name, value);
	return code == 0 ? 0 : err_prefix(err, "%s", command->words);
}
