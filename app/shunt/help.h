/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Help from the table of commands: the overview, and all about one command or a group of them.
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
 * Print help for a command, for the group that the words begin ("port"), or for no words the
 * overview. With -j, print the same as a JSON document.
 *
 * @param words what the user typed; what follows a whole command is ignored
 * @return an exit code
 */
int help_words(struct cli *cli, size_t n, char *const *words);

/** `shunt help [COMMAND...]`: params' "words". @return an exit code */
int help_run(struct cli *cli, const struct command *command, const json_t *params);

#endif
