/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of commands. Parsing, help, the manual page, completion and the calls to the switch all
 * use it. A new command needs a new row, and a function that prints its result as text.
 *
 * Thread safety: a constant table and pure functions.
 */
#ifndef SHUNT_CLI_COMMAND_H
#define SHUNT_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct cli;
struct show;

enum command_kind {
	COMMAND_NONE,    /**< ends the list of arguments */
	COMMAND_NAME,    /**< a new port's name */
	COMMAND_PORT,    /**< an existing port's name */
	COMMAND_TYPE,    /**< a port type */
	COMMAND_MAC,     /**< an Ethernet address; sent as aa:bb:cc:dd:ee:ff */
	COMMAND_LCORE,   /**< a number; sent as an integer */
	COMMAND_VLAN,    /**< 0 to 4094; sent as an integer */
	COMMAND_SECONDS, /**< a duration; sent as a real number */
	COMMAND_FILE,    /**< a path; sent as an absolute one */
	COMMAND_HEX,     /**< hexadecimal digits; sent unchanged */
	COMMAND_KEYS,    /**< all remaining words: key=value, sent as strings */
	COMMAND_WORDS,   /**< all remaining words, sent as an array */
	COMMAND_EVENTS,  /**< all remaining words: kinds of events, sent as an array */
	COMMAND_OUTPUT,  /**< a path to write to, or - for standard output */
	COMMAND_COUNT,   /**< a number, 1 or more; sent as an integer */
	COMMAND_CHOICE,  /**< one of a set of words */
	COMMAND_QEMU,    /**< a version of QEMU; sent as a string */
};

enum {
	COMMAND_ARGS_MAX = 3,
	COMMAND_OPTIONS_MAX = 8,
	COMMAND_USAGE_MAX = 128,
	COMMAND_OPTION_MAX = 32, /**< "-w" or "--qemu", terminated */
};

/** An option of a single command, with a value: a letter or, without one, --name. */
struct command_option {
	char letter;       /**< '\0': written as --name */
	const char *name;  /**< in the params; NULL ends the list */
	const char *shown; /**< in the usage line */
	const char *help;
	enum command_kind kind; /**< COMMAND_OUTPUT, COMMAND_COUNT, COMMAND_CHOICE, COMMAND_QEMU */
	const char *choices;    /**< COMMAND_CHOICE: words separated by '|' */
	long max;               /**< COMMAND_COUNT: the range is 1 to max */
};

struct command_arg {
	enum command_kind kind;
	const char *name;  /**< in the params of the request; before '=' when keyed */
	const char *shown; /**< in the usage line */
	const char *help;
	bool keyed; /**< written name=value, at any position */
	bool optional;
};

struct command {
	const char *words;  /**< the command itself: "port add" */
	const char *help;   /**< one line, for the overview */
	const char *more;   /**< paragraphs; lines that begin with a space are examples */
	const char *method; /**< of the switch; NULL: the command calls none by itself */
	struct command_arg args[COMMAND_ARGS_MAX + 1];
	struct command_option options[COMMAND_OPTIONS_MAX + 1];
	/** Print a result as text; NULL: nothing is printed. @return 0, -EPROTO, -ENOMEM */
	int (*print)(const struct show *show, const json_t *result);
	/** Run the command; NULL: call the method and print its result. @return an exit code */
	int (*run)(struct cli *cli, const struct command *command, const json_t *params);
};

/**
 * Find the command at the beginning of the words.
 *
 * @param table ended by NULL words
 * @param used receives the number of words of the command
 * @return the command, NULL if there is none
 */
const struct command *command_find(
	const struct command table[], size_t n, char *const *words, size_t *used);

/** Whether the words of the command begin with these n words; true for n = 0. */
bool command_matches(const struct command *command, size_t n, char *const *words);

/**
 * Set err for words that are no command, with a hint at missing words or the most similar command.
 *
 * @param table ended by NULL words
 * @return -EINVAL
 */
int command_unknown(const struct command table[], size_t n, char *const *words, struct err *err);

/** Write the usage, such as "port add NAME TYPE [key=value]...". @return text */
char *command_usage(const struct command *command, char text[COMMAND_USAGE_MAX]);

/** @return the command's option of that letter; NULL if there is none */
const struct command_option *command_option_find(const struct command *command, char letter);

/** Write an option as it is typed: "-w" or "--qemu". @return text */
char *command_option_text(const struct command_option *option, char text[COMMAND_OPTION_MAX]);

/** Whether the command has an argument of this kind. */
bool command_takes(const struct command *command, enum command_kind kind);

#endif
