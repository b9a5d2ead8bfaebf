/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the manual page. */
#include "man.h"

#include <string.h>

#include "cli.h"
#include "command_table.h"
#include "event/kinds.h"
#include "portkey.h"

/** Print text, escaped for troff. */
static void
man_text(FILE *file, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool start = i == 0 || text[i - 1] == '\n';

		if (start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", file);
		if (text[i] == '\\')
			fputs("\\e", file);
		else if (text[i] == '-')
			fputs("\\-", file);
		else if (text[i] == '\'')
			fputs("\\(aq", file);
		else if (text[i] == '~')
			fputs("\\(ti", file);
		else if (text[i] == '^')
			fputs("\\(ha", file);
		else if (text[i] == '`')
			fputs("\\(ga", file);
		else
			putc(text[i], file);
	}
}

/** Print a line of text after a macro, if given. */
static void
man_line(FILE *file, const char *macro, const char *text)
{
	fputs(macro, file);
	man_text(file, text, strlen(text));
	putc('\n', file);
}

/** Print a term in bold, and its meaning. */
static void
man_term(FILE *file, const char *term, const char *meaning)
{
	fputs(".TP\n", file);
	man_line(file, ".B ", term);
	man_line(file, "", meaning);
}

/** Print the paragraphs of a command's help; examples keep their line breaks. */
static void
man_more(FILE *file, const char *more)
{
	bool example = false;

	while (*more != '\0') {
		size_t length = strcspn(more, "\n");

		if (*more == ' ' && !example)
			fputs(".RS 9\n.nf\n", file);
		if (*more != ' ' && example)
			fputs(".fi\n.RE\n.IP\n", file);
		example = *more == ' ';
		if (length == 0) {
			fputs(".sp\n", file);
		} else {
			size_t skip = strspn(more, " ");

			man_text(file, more + skip, length - skip);
			putc('\n', file);
		}
		more += length + (more[length] == '\n');
	}
	if (example)
		fputs(".fi\n.RE\n", file);
}

/** Print an option in bold, and the placeholder of its value. */
static void
man_option(FILE *file, const struct command_option *option)
{
	char term[COMMAND_OPTION_MAX];

	command_option_text(option, term);
	fputs("\\fB", file);
	man_text(file, term, strlen(term));
	fprintf(file, "\\fR \\fI%s\\fR", option->shown);
}

/** Print the options of a command, each in brackets. */
static void
man_usage_options(FILE *file, const struct command *command)
{
	for (const struct command_option *option = command->options; option->name != NULL;
		option++) {
		fputs(" [", file);
		man_option(file, option);
		putc(']', file);
	}
}

/** Print the usage of a command: words in bold, placeholders in italics. */
static void
man_usage(FILE *file, const struct command *command)
{
	fputs("\\fB", file);
	man_text(file, command->words, strlen(command->words));
	fputs("\\fR", file);
	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++) {
		if (arg->kind == COMMAND_WORDS)
			man_usage_options(file, command);
		fputs(arg->optional ? " [" : " ", file);
		if (arg->keyed)
			fprintf(file, "\\fB%s\\fR=", arg->name);
		fprintf(file, "\\fI%s\\fR%s%s", arg->shown, arg->optional ? "]" : "",
			arg->kind == COMMAND_KEYS ? "..." : "");
	}
	if (!command_takes(command, COMMAND_WORDS))
		man_usage_options(file, command);
	putc('\n', file);
}

/** Print the kinds of events. */
static void
man_events(FILE *file)
{
	for (const struct event_kind_row *kind = event_kinds; kind->name != NULL; kind++)
		man_term(file, kind->name, kind->help);
}

/** Print the entry of a command. */
static void
man_command(FILE *file, const struct command *command)
{
	fputs(".TP\n", file);
	man_usage(file, command);
	man_more(file, command->more);
	if (command->args[0].kind == COMMAND_NONE)
		return;
	fputs(".RS\n", file);
	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++) {
		char term[64];

		snprintf(term, sizeof(term), "%s%s%s", arg->keyed ? arg->name : "",
			arg->keyed ? "=" : "", arg->shown);
		fputs(".TP\n", file);
		man_line(file, ".I ", term);
		man_line(file, "",
			arg->kind == COMMAND_KEYS ? "keys of the port, see PORT KEYS" : arg->help);
	}
	for (const struct command_option *option = command->options; option->name != NULL;
		option++) {
		fputs(".TP\n", file);
		man_option(file, option);
		putc('\n', file);
		man_line(file, "", option->help);
	}
	if (command_takes(command, COMMAND_EVENTS))
		man_events(file);
	fputs(".RE\n", file);
}

/** Print the section on the keys of ports. */
static void
man_all_keys(FILE *file)
{
	fputs(".SH PORT KEYS\n", file);
	for (const struct port_type *const *type = port_types; *type != NULL; type++) {
		man_line(file, ".SS Type ", (*type)->name);
		man_line(file, "", (*type)->help);
		portkey_print(file, *type, man_term);
	}
	fputs(".SS Every type\n", file);
	portkey_print(file, NULL, man_term);
}

/** Print the section on global options. */
static void
man_options(FILE *file)
{
	fputs(".SH OPTIONS\n", file);
	man_term(file, "-s, --socket SOCKET",
		"The switch's control socket. Default: the environment variable SHUNT_SOCKET, "
		"else " CLI_SOCKET ".");
	man_term(file, "-j, --json",
		"Print one JSON document instead of text. Scripts should use it: the text may "
		"change.");
	man_term(file, "-h, --help", "Print help, or the help of a command.");
	man_term(file, "-V, --version",
		"Print the version, and the version of DPDK that it was built with; "
		"status prints that of a running switch.");
	man_term(file, "--completion bash", "Print a script that completes commands in bash.");
}

/** Print the sections from the exit status to the end. */
static void
man_tail(FILE *file)
{
	fputs(".SH EXIT STATUS\n", file);
	man_term(file, "0", "Done.");
	man_term(file, "1", "Refused; the reason is on standard error, in one line.");
	man_term(file, "2", "Wrong usage.");
	man_term(file, "3", "No switch at the socket.");
	fputs(".SH ENVIRONMENT\n", file);
	man_term(file, "SHUNT_SOCKET", "The control socket; option -s overrides it.");
	man_term(file, "NO_COLOR", "When set and not empty, nothing is printed in colour.");
	fputs(".SH FILES\n", file);
	man_term(file, CLI_SOCKET, "The default control socket.");
	fputs(".SH SEE ALSO\n.BR shuntd (8),\n.BR shunt\\-vm (1)\n", file);
}

int
man_print(FILE *file)
{
	fputs(".\\\" Printed by shunt --man; do not edit.\n", file);
	man_line(file, ".TH SHUNT 1 \"\" \"shunt ", SHUNT_VERSION "\" \"User Commands\"");
	fputs(".SH NAME\nshunt \\- control the software switch shuntd\n", file);
	fputs(".SH SYNOPSIS\n.B shunt\n[\\fB\\-s\\fR \\fISOCKET\\fR] [\\fB\\-j\\fR] "
	      "\\fICOMMAND\\fR\n",
		file);
	fputs(".SH DESCRIPTION\n", file);
	man_line(file, "",
		"Controls a running shuntd by its control socket: JSON-RPC 2.0, one object per line. The "
		"words of a command, joined by a dot, are the method, its arguments the params.");
	man_options(file);
	fputs(".SH COMMANDS\n", file);
	for (const struct command *command = commands; command->words != NULL; command++)
		man_command(file, command);
	man_all_keys(file);
	man_tail(file);
	return CLI_DONE;
}
