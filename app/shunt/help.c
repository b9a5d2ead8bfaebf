/* SPDX-License-Identifier: BSD-3-Clause */
/* The command help, and help of commands and groups. */
#include "help.h"

#include <string.h>

#include "event/kinds.h"
#include "portkey.h"
#include "text.h"

enum { HELP_WORDS_MAX = 8, HELP_INDENT = 2, HELP_COLUMN = 23 };

/** Print a term and, from a column on, its meaning. */
static void
help_term_at(FILE *file, int column, const char *term, const char *meaning)
{
	int at = fprintf(file, "%*s%s", HELP_INDENT, "", term);

	if (at + 2 > column) {
		putc('\n', file);
		at = 0;
	}
	text_wrap(file, meaning, column, at);
}

/** help_term_at() with the usual column. */
static void
help_term(FILE *file, const char *term, const char *meaning)
{
	help_term_at(file, HELP_COLUMN, term, meaning);
}

/** Print the commands of a group, each with its usage and its line of help. */
static void
help_group(FILE *file, const struct command table[], size_t n, char *const *words)
{
	char usage[COMMAND_USAGE_MAX];
	int column = HELP_COLUMN;

	fprintf(file, "usage: shunt %s COMMAND\n\n", words[0]);
	for (const struct command *command = table; command->words != NULL; command++) {
		int width = HELP_INDENT + (int)strlen(command_usage(command, usage)) + 2;

		if (command_matches(command, n, words) && width > column)
			column = width;
	}
	for (const struct command *command = table; command->words != NULL; command++)
		if (command_matches(command, n, words))
			help_term_at(file, column, command_usage(command, usage), command->help);
	fprintf(file, "\nMore about a command: shunt help %s COMMAND\n", words[0]);
}

/** Print all commands and the global options. */
static void
help_overview(FILE *file, const struct command table[])
{
	fputs("usage: shunt [-s SOCKET] [-j] COMMAND\n\n", file);
	fputs("Controls shuntd, the switch, over its socket.\n\n", file);
	for (const struct command *command = table; command->words != NULL; command++)
		help_term(file, command->words, command->help);
	fputs("\nOptions:\n", file);
	help_term(file, "-s, --socket SOCKET",
		"the switch's socket (default: $SHUNT_SOCKET, else " CLI_SOCKET ")");
	help_term(file, "-j, --json", "print one JSON document instead of text");
	help_term(file, "-h, --help", "print this help, or the help of a command");
	help_term(file, "-V, --version", "print the version");
	fputs("\nExit codes: 0 done, 1 refused, 2 wrong usage, 3 no switch there.\n", file);
	fputs("More about a command: shunt help COMMAND\n", file);
}

/** Print the keys of every type. */
static void
help_all_keys(FILE *file)
{
	for (const struct port_type *const *type = port_types; *type != NULL; type++) {
		fprintf(file, "\nKeys of %s (%s):\n", (*type)->name, (*type)->help);
		portkey_print(file, *type, help_term);
	}
	fputs("\nKeys of every port:\n", file);
	portkey_print(file, NULL, help_term);
}

/** Print the kinds of events. */
static void
help_all_events(FILE *file)
{
	fputs("\nEvents:\n", file);
	for (const struct event_kind_row *kind = event_kinds; kind->name != NULL; kind++)
		help_term(file, kind->name, kind->help);
}

/** Build the list of kinds of events as JSON. */
static json_t *
help_events_document(void)
{
	json_t *list = json_array();

	for (const struct event_kind_row *kind = event_kinds; kind->name != NULL; kind++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "event", kind->name, "help", kind->help));
	return list;
}

/** Print the help of one command. */
static void
help_command(FILE *file, const struct command *command)
{
	char text[COMMAND_USAGE_MAX];

	fprintf(file, "usage: shunt %s\n\n", command_usage(command, text));
	text_wrap(file, command->more, 0, 0);
	if (command->args[0].kind != COMMAND_NONE)
		putc('\n', file);
	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++) {
		snprintf(text, sizeof(text), "%s%s%s", arg->keyed ? arg->name : "",
			arg->keyed ? "=" : "", arg->shown);
		help_term(file, text, arg->help);
	}
	for (const struct command_option *option = command->options; option->name != NULL;
		option++) {
		char term[COMMAND_OPTION_MAX];

		snprintf(text, sizeof(text), "%s %s", command_option_text(option, term),
			option->shown);
		help_term(file, text, option->help);
	}
	if (command_takes(command, COMMAND_KEYS))
		help_all_keys(file);
	if (command_takes(command, COMMAND_EVENTS))
		help_all_events(file);
}

/** Build the help as JSON. @param only a command; NULL = all that begin with n words */
static json_t *
help_document(
	const struct command table[], const struct command *only, size_t n, char *const *words)
{
	json_t *list = json_array();

	for (const struct command *command = table; command->words != NULL; command++) {
		char usage[COMMAND_USAGE_MAX];
		json_t *row;

		if (only == NULL ? !command_matches(command, n, words) : command != only)
			continue;
		row = json_pack("{s:s, s:s, s:s, s:s}", "command", command->words, "usage",
			command_usage(command, usage), "help", command->help, "more",
			command->more);
		if (command_takes(command, COMMAND_KEYS))
			json_object_set_new(row, "keys", portkey_json());
		if (command_takes(command, COMMAND_EVENTS))
			json_object_set_new(row, "events", help_events_document());
		json_array_append_new(list, row);
	}
	return json_pack("{s:o}", "commands", list);
}

int
help_words(struct cli *cli, size_t n, char *const *words)
{
	struct err err = {0};
	size_t used = 0;
	const struct command *command = command_find(cli->commands, n, words, &used);
	json_t *document = help_document(cli->commands, command, n, words);
	bool known = json_array_size(json_object_get(document, "commands")) > 0;

	if (!known) {
		command_unknown(cli->commands, n, words, &err);
		cli_fail(cli, CLI_USAGE, "%s", err.text);
	} else if (cli->json) {
		cli_json(cli, document);
	} else if (command != NULL) {
		help_command(cli->out, command);
	} else if (n > 0) {
		help_group(cli->out, cli->commands, n, words);
	} else {
		help_overview(cli->out, cli->commands);
	}
	json_decref(document);
	return known ? CLI_DONE : CLI_USAGE;
}

int
help_run(struct cli *cli, const struct command *command, const json_t *params)
{
	const json_t *list = json_object_get(params, "words");
	char *words[HELP_WORDS_MAX];
	size_t n = json_array_size(list);

	if (n > HELP_WORDS_MAX)
		return cli_fail(
			cli, CLI_USAGE, "%s: too many words (try: shunt help)", command->words);
	for (size_t i = 0; i < n; i++)
		words[i] = (char *)json_string_value(json_array_get(list, i));
	return help_words(cli, n, words);
}
