/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions over the table of commands. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

enum { COMMAND_WORD_MAX = 24 };

/** Copy the word at an index of a command's words; "" if it has fewer. @return word */
static char *
command_word(const struct command *command, size_t index, char word[COMMAND_WORD_MAX])
{
	const char *at = command->words;
	size_t length;

	for (; index > 0 && at != NULL; index--) {
		at = strchr(at, ' ');
		at = at == NULL ? NULL : at + 1;
	}
	length = at == NULL ? 0 : strcspn(at, " ");
	snprintf(word, COMMAND_WORD_MAX, "%.*s", (int)length, at == NULL ? "" : at);
	return word;
}

bool
command_matches(const struct command *command, size_t n, char *const *words)
{
	char word[COMMAND_WORD_MAX];

	for (size_t i = 0; i < n; i++)
		if (*words[i] == '\0' || strcmp(command_word(command, i, word), words[i]) != 0)
			return false;
	return true;
}

const struct command *
command_find(const struct command table[], size_t n, char *const *words, size_t *used)
{
	char word[COMMAND_WORD_MAX];

	for (const struct command *command = table; command->words != NULL; command++) {
		size_t length = 0;

		while (*command_word(command, length, word) != '\0')
			length++;
		if (length <= n && command_matches(command, length, words)) {
			*used = length;
			return command;
		}
	}
	return NULL;
}

/**
 * Find the word most similar to a wrong one among those valid at its position.
 *
 * @return whether one is similar enough
 */
static bool
command_find_similar(
	const struct command table[], size_t at, char *const *words, char best[COMMAND_WORD_MAX])
{
	unsigned int least = 1 + strlen(words[at]) / 3;
	bool found = false;

	for (const struct command *command = table; command->words != NULL; command++) {
		char word[COMMAND_WORD_MAX];
		unsigned int distance;

		if (!command_matches(command, at, words))
			continue;
		distance = text_distance(command_word(command, at, word), words[at]);
		if (*word != '\0' && (distance < least || (distance == least && !found))) {
			least = distance;
			found = true;
			memcpy(best, word, sizeof(word));
		}
	}
	return found;
}

/** List the words that may follow n valid ones: "add, set, del". */
static void
command_list_next(
	const struct command table[], size_t n, char *const *words, char *text, size_t size)
{
	char last[COMMAND_WORD_MAX] = "";
	size_t used = 0;

	*text = '\0';
	for (const struct command *command = table; command->words != NULL; command++) {
		char word[COMMAND_WORD_MAX];

		if (!command_matches(command, n, words) ||
			strcmp(command_word(command, n, word), last) == 0 || used >= size)
			continue;
		used += snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", word);
		memcpy(last, word, sizeof(last));
	}
}

/** Whether any command begins with these words. */
static bool
command_begins(const struct command table[], size_t n, char *const *words)
{
	for (const struct command *command = table; command->words != NULL; command++)
		if (command_matches(command, n, words))
			return true;
	return false;
}

int
command_unknown(const struct command table[], size_t n, char *const *words, struct err *err)
{
	const char *group = "";
	char list[ERR_TEXT_MAX / 2];
	char meant[COMMAND_WORD_MAX];
	size_t good = 0;

	while (good < n && command_begins(table, good + 1, words))
		good++;
	if (good > 0)
		group = words[0];
	if (good == n) {
		command_list_next(table, n, words, list, sizeof(list));
		return err_set(
			err, EINVAL, "%s what? One of %s (try: shunt help %s)", group, list, group);
	}
	if (command_find_similar(table, good, words, meant))
		return err_set(err, EINVAL,
			"no command \"%s%s%.40s\"; did you mean \"%s%s%s\"? (try: shunt help)",
			group, good > 0 ? " " : "", words[good], group, good > 0 ? " " : "", meant);
	return err_set(err, EINVAL, "no command \"%s%s%.40s\" (try: shunt help%s%s)", group,
		good > 0 ? " " : "", words[good], good > 0 ? " " : "", group);
}

/** Write the form of an argument: NAME, [SECONDS], port=NAME, [key=value]... */
static int
command_usage_arg(const struct command_arg *arg, char *text, size_t size)
{
	const char *dots = arg->kind == COMMAND_KEYS ? "..." : "";

	return snprintf(text, size, " %s%s%s%s%s%s", arg->optional ? "[" : "",
		arg->keyed ? arg->name : "", arg->keyed ? "=" : "", arg->shown,
		arg->optional ? "]" : "", dots);
}

/** Write the forms of all options: [-w FILE] [-c COUNT]. @return length of text */
static size_t
command_usage_options(const struct command *command, char *text, size_t used)
{
	char term[COMMAND_OPTION_MAX];

	for (const struct command_option *option = command->options; option->name != NULL; option++)
		if (used < COMMAND_USAGE_MAX)
			used += snprintf(text + used, COMMAND_USAGE_MAX - used, " [%s %s]",
				command_option_text(option, term), option->shown);
	return used;
}

char *
command_usage(const struct command *command, char text[COMMAND_USAGE_MAX])
{
	size_t used = snprintf(text, COMMAND_USAGE_MAX, "%s", command->words);

	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++) {
		/* Options precede an argument of several words. */
		if (arg->kind == COMMAND_WORDS)
			used = command_usage_options(command, text, used);
		if (used < COMMAND_USAGE_MAX)
			used += command_usage_arg(arg, text + used, COMMAND_USAGE_MAX - used);
	}
	if (!command_takes(command, COMMAND_WORDS))
		command_usage_options(command, text, used);
	return text;
}

char *
command_option_text(const struct command_option *option, char text[COMMAND_OPTION_MAX])
{
	if (option->letter != '\0')
		snprintf(text, COMMAND_OPTION_MAX, "-%c", option->letter);
	else
		snprintf(text, COMMAND_OPTION_MAX, "--%s", option->name);
	return text;
}

const struct command_option *
command_option_find(const struct command *command, char letter)
{
	for (const struct command_option *option = command->options; option->name != NULL; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

bool
command_takes(const struct command *command, enum command_kind kind)
{
	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++)
		if (arg->kind == kind)
			return true;
	return false;
}
