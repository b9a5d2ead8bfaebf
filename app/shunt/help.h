/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Help from the table of commands: the overview, and the help of a command or a group of commands.
 *
 * Thread safety: one thread.
 */
#ifndef SHUNT_CLI_HELP_H
#define SHUNT_CLI_HELP_H

#include <jansson.h>
#include <stddef.h>

#include "cli.h"
#include "command.h"

/**
 * Print the help of a command, of the group of commands that begin with the words ("port"), or the
 * overview for n = 0. With -j, print the same as a JSON document.
 *
 * @param words of the command; words after a complete command are ignored
 * @return an exit code
 */
int help_words(struct cli *cli, size_t n, char *const *words);

/** `shunt help [COMMAND...]`, with the words in params' "words". @return an exit code */
int help_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
