/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line program: global options, and the call of a command. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "command_table.h"
#include "complete.h"
#include "help.h"
#include "man.h"
#include "parse.h"
#include "run.h"

enum { CLI_OWN_MAX = 32, CLI_LETTERS_MAX = 32 };

/** Options on the command line. */
struct cli_options {
	bool help;
	bool version;
	bool man;
	const char *completion; /**< name of a shell, or NULL */
	/** Options of the command in the order given. */
	struct {
		const struct command_option *option;
		const char *text;
	} own[CLI_OWN_MAX];
	size_t n_own;
};

enum { CLI_OPTION_MAN = 256, CLI_OPTION_COMPLETION, CLI_OPTION_OWN };

static const struct option cli_long_options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"man", no_argument, NULL, CLI_OPTION_MAN},
	{"completion", required_argument, NULL, CLI_OPTION_COMPLETION},
};

enum { CLI_LONG_MAX = sizeof(cli_long_options) / sizeof(cli_long_options[0]) };

/** Make getopt's long options: the global ones, and those of the command without a letter. */
static void
cli_make_long(
	const struct command *command, struct option all[CLI_LONG_MAX + COMMAND_OPTIONS_MAX + 1])
{
	size_t used = CLI_LONG_MAX;

	memcpy(all, cli_long_options, sizeof(cli_long_options));
	for (int i = 0; command != NULL && command->options[i].name != NULL; i++)
		if (command->options[i].letter == '\0')
			all[used++] = (struct option){command->options[i].name, required_argument,
				NULL, CLI_OPTION_OWN + i};
	all[used] = (struct option){0};
}

/** Find the option of the command for a result of getopt. @return NULL: a global option */
static const struct command_option *
cli_find_own(const struct command *command, int c)
{
	if (command == NULL)
		return NULL;
	return c >= CLI_OPTION_OWN  ? &command->options[c - CLI_OPTION_OWN]
	       : c < CLI_OPTION_MAN ? command_option_find(command, (char)c)
				    : NULL;
}

/** Whether escape sequences may be written to a stream. */
static bool
cli_wants_color(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	int fd = fileno(file);

	return fd >= 0 && isatty(fd) && (no_color == NULL || *no_color == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

/** Print why getopt refused an option. @return CLI_USAGE */
static int
cli_bad_option(const struct cli *cli, int c, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;
	char letter[3] = {'-', (char)optopt, '\0'};

	return cli_fail(cli, CLI_USAGE, "option %.40s %s (try: shunt --help)",
		is_long || c == ':' ? word : letter,
		c == ':' ? "needs a value" : "does not exist or takes no value");
}

/** Keep an option of the command until its words are parsed. @return CLI_DONE or CLI_USAGE */
static int
cli_add_own(struct cli *cli, struct cli_options *options, const struct command_option *option)
{
	if (options->n_own == CLI_OWN_MAX)
		return cli_fail(cli, CLI_USAGE, "too many options (try: shunt --help)");
	options->own[options->n_own].option = option;
	options->own[options->n_own++].text = optarg;
	return CLI_DONE;
}

/** Parse options in argv: the global ones, and those of a command, which take precedence. */
static int
cli_take_options(struct cli *cli, struct cli_options *options, int argc, char **argv,
	const char *letters, const struct command *command)
{
	struct option all[CLI_LONG_MAX + COMMAND_OPTIONS_MAX + 1];
	int c, code = CLI_DONE;

	cli_make_long(command, all);
	opterr = 0;
	optind = 0; /* glibc: start over */
	while (code == CLI_DONE && (c = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		const struct command_option *own = cli_find_own(command, c);

		if (own != NULL) {
			code = cli_add_own(cli, options, own);
			continue;
		}
		switch (c) {
		case 's':
			cli->socket = optarg;
			break;
		case 'j':
			cli->json = true;
			break;
		case 'h':
			options->help = true;
			break;
		case 'V':
			options->version = true;
			break;
		case CLI_OPTION_MAN:
			options->man = true;
			break;
		case CLI_OPTION_COMPLETION:
			options->completion = optarg;
			break;
		default:
			return cli_bad_option(cli, c, argv);
		}
	}
	return code;
}

/** Make getopt's letters: those of the command, and the global ones that it does not use. */
static void
cli_make_letters(const struct command *command, char letters[CLI_LETTERS_MAX])
{
	size_t used = 0;

	letters[used++] = ':';
	for (const struct command_option *option = command->options; option->name != NULL;
		option++) {
		if (option->letter == '\0')
			continue;
		letters[used++] = option->letter;
		letters[used++] = ':';
	}
	for (const char *global = "jhV"; *global != '\0'; global++)
		if (command_option_find(command, *global) == NULL)
			letters[used++] = *global;
	if (command_option_find(command, 's') == NULL) {
		letters[used++] = 's';
		letters[used++] = ':';
	}
	letters[used] = '\0';
}

_Static_assert(2 * COMMAND_OPTIONS_MAX + 7 <= CLI_LETTERS_MAX, "all letters fit");

/** Parse all options of argv, so that the words of the command follow the last one. */
static int
cli_options(struct cli *cli, struct cli_options *options, int argc, char **argv, int *words)
{
	char letters[CLI_LETTERS_MAX];
	const struct command none = {0}, *command;
	size_t used;
	/* Up to the first word only: the command may define the letters after it differently. */
	int code = cli_take_options(cli, options, argc, argv, "+:s:jhV", NULL);
	int first = optind;

	*words = first;
	if (code != CLI_DONE || first >= argc)
		return code;
	command = command_find(cli->commands, (size_t)(argc - first), argv + first, &used);
	cli_make_letters(command != NULL ? command : &none, letters);
	/* getopt skips argv[0]: here the word before. */
	code = cli_take_options(cli, options, argc - first + 1, argv + first - 1, letters, command);
	*words = first - 1 + optind;
	return code;
}

/** Print the version. @return CLI_DONE */
static int
cli_version(const struct cli *cli)
{
	json_t *document;

	if (!cli->json) {
		fprintf(cli->out, "shunt %s (built with DPDK %s)\n", SHUNT_VERSION, SHUNT_DPDK);
		return CLI_DONE;
	}
	document = json_pack("{s:s, s:s}", "version", SHUNT_VERSION, "dpdk", SHUNT_DPDK);
	cli_json(cli, document);
	json_decref(document);
	return CLI_DONE;
}

/** Find, parse and run the command. @return exit code */
static int
cli_command(struct cli *cli, const struct cli_options *options, size_t n, char *const *words)
{
	struct err err = {0};
	const struct command *command;
	json_t *params;
	size_t used;
	int code;

	if (n == 0)
		return cli_fail(cli, CLI_USAGE, "no command given (try: shunt help)");
	command = command_find(cli->commands, n, words, &used);
	if (command == NULL) {
		command_unknown(cli->commands, n, words, &err);
		return cli_fail(cli, CLI_USAGE, "%s", err.text);
	}
	if (parse_args(command, n - used, words + used, &params, &err) != 0)
		return cli_fail(
			cli, CLI_USAGE, "%s (try: shunt help %s)", err.text, command->words);
	for (size_t i = 0; i < options->n_own; i++) {
		if (parse_option(command, options->own[i].option, options->own[i].text, params,
			    &err) == 0)
			continue;
		json_decref(params);
		return cli_fail(
			cli, CLI_USAGE, "%s (try: shunt help %s)", err.text, command->words);
	}
	if (command->run != NULL)
		code = command->run(cli, command, params);
	else
		code = run_call(cli, command, params);
	json_decref(params);
	return code;
}

/** Do what a global option requests, or run the command. @return exit code */
static int
cli_dispatch(struct cli *cli, const struct cli_options *options, size_t n, char *const *words)
{
	if (options->help)
		return help_words(cli, n, words);
	if (options->version)
		return cli_version(cli);
	if (options->man)
		return man_print(cli->out);
	if (options->completion != NULL) {
		if (strcmp(options->completion, "bash") == 0)
			return complete_bash(cli->out);
		return cli_fail(cli, CLI_USAGE, "completion is for bash only, not \"%.40s\"",
			options->completion);
	}
	return cli_command(cli, options, n, words);
}

int
cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	const char *socket = getenv("SHUNT_SOCKET");
	struct cli cli = {
		.commands = commands, .out = out, .err = err, .color = cli_wants_color(out)};
	struct cli_options options = {0};
	int code, words;

	cli.socket = socket != NULL && *socket != '\0' ? socket : CLI_SOCKET;
	code = cli_options(&cli, &options, argc, argv, &words);
	if (code == CLI_DONE && *cli.socket == '\0')
		return cli_fail(&cli, CLI_USAGE, "option -s needs a path (try: shunt --help)");
	if (code == CLI_DONE)
		code = cli_dispatch(&cli, &options, argc - words, argv + words);
	if ((fflush(out) != 0 || ferror(out)) && code == CLI_DONE)
		code = cli_fail(&cli, CLI_REFUSED, "cannot write: %s", strerror(errno));
	return code;
}
