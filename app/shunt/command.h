/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one table of commands. Parsing, help, the manual page, completion and the calls to the
 * switch all follow it: a new command is a new row, and a function if people want to read its
 * result.
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
	COMMAND_SECONDS, /**< a span of time; sent as a real number */
	COMMAND_FILE,    /**< a path; sent as an absolute one */
	COMMAND_HEX,     /**< bytes in hexadecimal digits; sent as they are */
	COMMAND_KEYS,    /**< the rest: key=value, sent as strings */
	COMMAND_WORDS,   /**< the rest: words, sent as an array */
	COMMAND_OUTPUT,  /**< a path to write to, or - for standard output */
	COMMAND_COUNT,   /**< a number from 1 on; sent as an integer */
	COMMAND_CHOICE,  /**< one of some words */
	COMMAND_QEMU,    /**< a version of QEMU; sent as text */
};

enum {
	COMMAND_ARGS_MAX = 3,
	COMMAND_OPTIONS_MAX = 8,
	COMMAND_USAGE_MAX = 128,
	COMMAND_OPTION_MAX = 32, /**< "-w" or "--qemu", terminated */
};

/** An option of one command alone, which has a value: a letter or, without one, --name. */
struct command_option {
	char letter;       /**< '\0': --name instead */
	const char *name;  /**< in the params; NULL ends the list */
	const char *shown; /**< in the usage line */
	const char *help;
	enum command_kind kind; /**< COMMAND_OUTPUT, COMMAND_COUNT, COMMAND_CHOICE, COMMAND_QEMU */
	const char *choices;    /**< COMMAND_CHOICE: words with '|' in between */
	long max;               /**< COMMAND_COUNT: from 1 on */
};

struct command_arg {
	enum command_kind kind;
	const char *name;  /**< in the request's params; in front of '=' when keyed */
	const char *shown; /**< in the usage line */
	const char *help;
	bool keyed; /**< written name=value, at any place */
	bool optional;
};

struct command {
	const char *words;  /**< what the user types: "port add" */
	const char *help;   /**< one line, for the overview */
	const char *more;   /**< paragraphs; lines that begin with a space are examples */
	const char *method; /**< of the switch; NULL: the command is the client's own affair */
	struct command_arg args[COMMAND_ARGS_MAX + 1];
	struct command_option options[COMMAND_OPTIONS_MAX + 1];
	/** Show a result to a person; NULL: nothing to show. @return 0, or -EPROTO, -ENOMEM */
	int (*print)(const struct show *show, const json_t *result);
	/** Do it; NULL: call the method and show the result. @return an exit code */
	int (*run)(struct cli *cli, const struct command *command, const json_t *params);
};

/** Every command, in the order of the overview; ends with NULL words. */
extern const struct command commands[];

/**
 * Find the command that the words begin with.
 *
 * @param used receives how many words name the command
 * @return NULL if there is none
 */
const struct command *command_find(size_t n, char *const *words, size_t *used);

/** Whether the command's words begin with these n words; true for none. */
bool command_matches(const struct command *command, size_t n, char *const *words);

/**
 * Say that the words are no command, with what is missing or was probably meant.
 *
 * @return -EINVAL
 */
int command_unknown(size_t n, char *const *words, struct err *err);

/** Print "port add NAME TYPE [key=value]...". @return text */
char *command_usage(const struct command *command, char text[COMMAND_USAGE_MAX]);

/** @return the command's own option of that letter; NULL if there is none */
const struct command_option *command_option_find(const struct command *command, char letter);

/** Print how an option is written: "-w" or "--qemu". @return text */
char *command_option_text(const struct command_option *option, char text[COMMAND_OPTION_MAX]);

/** Whether the command has an argument of this kind. */
bool command_takes(const struct command *command, enum command_kind kind);

#endif
