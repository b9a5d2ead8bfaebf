/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the completion script for bash. */
#include "complete.h"

#include <string.h>

#include "cli.h"
#include "command_table.h"
#include "event/kinds.h"
#include "portkey.h"

/*
 * The part of the script that does not depend on the tables. The line is split at spaces instead of
 * using COMP_WORDS, in which '=' and ':' are separate words. Bash replaces only the text behind its
 * last word break, so the text before it is removed from each proposal.
 */
static const char complete_engine[] =
	"_shunt_ports() {\n"
	"    timeout 1 \"$shunt\" -j \"${global[@]}\" port list 2>/dev/null |\n"
	"        grep -o '\"name\": *\"[^\"]*\"' | cut -d '\"' -f 4\n"
	"}\n"
	"\n"
	"# _shunt_offer PREFIX WORD...: offer PREFIX before each word that fits\n"
	"_shunt_offer() {\n"
	"    local prefix=$1 word\n"
	"    shift\n"
	"    for word; do\n"
	"        word=$prefix$word\n"
	"        [[ $word == \"$cur\"* ]] || continue\n"
	"        [[ $word == *= ]] && compopt -o nospace 2>/dev/null\n"
	"        COMPREPLY+=(\"${word:${#cut}}\")\n"
	"    done\n"
	"}\n"
	"\n"
	"# _shunt_files PREFIX: offer files\n"
	"_shunt_files() {\n"
	"    local prefix=$1 file\n"
	"    compopt -o filenames 2>/dev/null\n"
	"    while IFS= read -r file; do\n"
	"        file=$prefix$file\n"
	"        COMPREPLY+=(\"${file:${#cut}}\")\n"
	"    done < <(compgen -f -- \"${cur:${#prefix}}\")\n"
	"}\n"
	"\n"
	"# _shunt_value KIND PREFIX: offer what an argument of this kind may be\n"
	"_shunt_value() {\n"
	"    local -a names=()\n"
	"    case $1 in\n"
	"        port)\n"
	"            mapfile -t names < <(_shunt_ports)\n"
	"            _shunt_offer \"$2\" \"${names[@]}\"\n"
	"            ;;\n"
	"        type)\n"
	"            read -ra names <<<\"$(_shunt_types)\"\n"
	"            _shunt_offer \"$2\" \"${names[@]}\"\n"
	"            ;;\n"
	"        file) _shunt_files \"$2\" ;;\n"
	"        event)\n"
	"            read -ra names <<<\"$(_shunt_events)\"\n"
	"            _shunt_offer \"$2\" \"${names[@]}\"\n"
	"            ;;\n"
	"    esac\n"
	"}\n"
	"\n"
	"# _shunt_key TYPE: offer a port's keys, or the values of the key that is there\n"
	"_shunt_key() {\n"
	"    local spec\n"
	"    local -a specs=() values=()\n"
	"    mapfile -t specs < <(_shunt_keys \"$1\")\n"
	"    for spec in \"${specs[@]}\"; do\n"
	"        if [[ $cur == \"${spec%%=*}=\"* ]]; then\n"
	"            case ${spec#*=} in\n"
	"                PATH) _shunt_files \"${spec%%=*}=\" ;;\n"
	"                PORT) _shunt_value port \"${spec%%=*}=\" ;;\n"
	"                *'|'*)\n"
	"                    IFS='|' read -ra values <<<\"${spec#*=}\"\n"
	"                    _shunt_offer \"${spec%%=*}=\" \"${values[@]}\"\n"
	"                    ;;\n"
	"            esac\n"
	"            return\n"
	"        fi\n"
	"        [[ \" ${args[*]}\" == *\" ${spec%%=*}=\"* ]] || _shunt_offer '' \"${spec%%=*}=\"\n"
	"    done\n"
	"}\n"
	"\n"
	"# _shunt_flag COMMAND FLAG: offer the value of a command's own option\n"
	"_shunt_flag() {\n"
	"    local spec\n"
	"    local -a specs=() values=()\n"
	"    read -ra specs <<<\"$(_shunt_flags \"$1\")\"\n"
	"    for spec in \"${specs[@]}\"; do\n"
	"        [[ ${spec%%=*} == \"$2\" ]] || continue\n"
	"        case ${spec#*=} in\n"
	"            FILE) _shunt_files '' ;;\n"
	"            *'|'*)\n"
	"                IFS='|' read -ra values <<<\"${spec#*=}\"\n"
	"                _shunt_offer '' \"${values[@]}\"\n"
	"                ;;\n"
	"        esac\n"
	"    done\n"
	"}\n"
	"\n"
	"# _shunt_keyed NAME KIND: offer NAME=, or what may follow it\n"
	"_shunt_keyed() {\n"
	"    if [[ $cur == \"$1=\"* ]]; then\n"
	"        _shunt_value \"$2\" \"$1=\"\n"
	"    elif [[ \" ${args[*]}\" != *\" $1=\"* ]]; then\n"
	"        _shunt_offer '' \"$1=\"\n"
	"    fi\n"
	"}\n"
	"\n"
	"# _shunt_command WORD...: offer the next word of a command, or its arguments\n"
	"_shunt_command() {\n"
	"    local -a next=() args=()\n"
	"    local one=${1-} two=\"${1-} ${2-}\"\n"
	"    read -ra next <<<\"$(_shunt_words \"$one\")\"\n"
	"    if (($# == 0)); then\n"
	"        _shunt_offer '' \"${next[@]}\"\n"
	"    elif ((${#next[@]} > 0)); then\n"
	"        if (($# == 1)); then\n"
	"            _shunt_offer '' \"${next[@]}\"\n"
	"        else\n"
	"            args=(\"${@:3}\")\n"
	"            _shunt_args \"$two\"\n"
	"        fi\n"
	"    else\n"
	"        args=(\"${@:2}\")\n"
	"        _shunt_args \"$one\"\n"
	"    fi\n"
	"}\n"
	"\n"
	"_shunt() {\n"
	"    local line=${COMP_LINE:0:COMP_POINT} cur='' cut='' word shunt\n"
	"    local -a words=() plain=() global=()\n"
	"    COMPREPLY=()\n"
	"    read -ra words <<<\"$line\"\n"
	"    shunt=${words[0]/#\\~/$HOME}\n"
	"    if [[ $line != *[[:space:]] ]]; then\n"
	"        cur=${words[-1]}\n"
	"        unset 'words[-1]'\n"
	"    fi\n"
	"    while [[ ${cur:${#cut}} == *[\"$COMP_WORDBREAKS\"]* ]]; do\n"
	"        word=${cur:${#cut}}\n"
	"        word=${word%%[\"$COMP_WORDBREAKS\"]*}\n"
	"        cut=${cur:0:$((${#cut} + ${#word} + 1))}\n"
	"    done\n"
	"    set -- \"${words[@]:1}\"\n"
	"    while (($# > 0)); do\n"
	"        if [[ \" $(_shunt_flags \"${plain[*]}\") \" == *\" $1=\"* ]]; then\n"
	"            if (($# == 1)); then\n"
	"                _shunt_flag \"${plain[*]}\" \"$1\"\n"
	"                return\n"
	"            fi\n"
	"            shift 2\n"
	"            continue\n"
	"        fi\n"
	"        case $1 in\n"
	"            -s | --socket)\n"
	"                if (($# == 1)); then\n"
	"                    _shunt_files ''\n"
	"                    return\n"
	"                fi\n"
	"                global=(-s \"$2\")\n"
	"                shift\n"
	"                ;;\n"
	"            --socket=*) global=(-s \"${1#*=}\") ;;\n"
	"            -*) ;;\n"
	"            *) plain+=(\"$1\") ;;\n"
	"        esac\n"
	"        shift\n"
	"    done\n"
	"    if [[ $cur == -* ]]; then\n"
	"        read -ra words <<<\"$(_shunt_flags \"${plain[*]}\")\"\n"
	"        _shunt_offer '' \"${words[@]%%=*}\"\n"
	"        [[ \" ${words[*]%%=*} \" == *' -s '* ]] || _shunt_offer '' -s\n"
	"        _shunt_offer '' --socket -j --json -h --help -V --version\n"
	"        return\n"
	"    fi\n"
	"    [[ ${plain[0]-} == help ]] && plain=(\"${plain[@]:1}\") && set -- help\n"
	"    if (($# > 0)); then\n"
	"        ((${#plain[@]} < 2)) && [[ $(_shunt_words \"${plain[0]-}\") ]] &&\n"
	"            _shunt_command \"${plain[@]}\"\n"
	"    else\n"
	"        _shunt_command \"${plain[@]}\"\n"
	"    fi\n"
	"}\n"
	"\n"
	"complete -F _shunt shunt\n";

/** Print "first words of all commands" or, for a group, its second words. */
static void
complete_words(FILE *file, const char *group)
{
	size_t length = strlen(group);
	const char *last = "";
	size_t last_length = 0;

	for (const struct command *command = commands; command->words != NULL; command++) {
		const char *word = command->words;
		size_t n;

		if (length > 0) {
			if (strncmp(word, group, length) != 0 || word[length] != ' ')
				continue;
			word += length + 1;
		}
		n = strcspn(word, " ");
		if (n == last_length && strncmp(word, last, n) == 0)
			continue;
		fprintf(file, "%s%.*s", last_length > 0 ? " " : "", (int)n, word);
		last = word;
		last_length = n;
	}
}

/** Print the function that lists the words valid at a position. */
static void
complete_groups(FILE *file)
{
	char last[32] = "";

	fputs("_shunt_words() {\n    case $1 in\n        '') echo '", file);
	complete_words(file, "");
	fputs("' ;;\n", file);
	for (const struct command *command = commands; command->words != NULL; command++) {
		size_t n = strcspn(command->words, " ");
		char group[sizeof(last)];

		snprintf(group, sizeof(group), "%.*s", (int)n, command->words);
		if (command->words[n] == '\0' || strcmp(group, last) == 0)
			continue;
		fprintf(file, "        %s) echo '", group);
		complete_words(file, group);
		fputs("' ;;\n", file);
		memcpy(last, group, sizeof(last));
	}
	fputs("    esac\n}\n\n", file);
}

/** Print the function that lists the options of a command: "-w=FILE -c=COUNT". */
static void
complete_flags(FILE *file)
{
	fputs("_shunt_flags() {\n    case $1 in\n", file);
	for (const struct command *command = commands; command->words != NULL; command++) {
		if (command->options[0].name == NULL)
			continue;
		fprintf(file, "        '%s' | '%s '*) echo '", command->words, command->words);
		for (const struct command_option *option = command->options; option->name != NULL;
			option++) {
			char term[COMMAND_OPTION_MAX];

			fprintf(file, "%s%s=%s", option == command->options ? "" : " ",
				command_option_text(option, term), option->shown);
		}
		fputs("' ;;\n", file);
	}
	fputs("    esac\n}\n\n", file);
}

/** portkey_print() callback: print a key with its values as a word of the script. */
static void
complete_key(FILE *file, const char *term, const char *meaning)
{
	(void)meaning;
	fprintf(file, " '%s'", term);
}

/** Print the functions that list port types and their keys. */
static void
complete_keys(FILE *file)
{
	fputs("_shunt_types() {\n    echo '", file);
	for (const struct port_type *const *type = port_types; *type != NULL; type++)
		fprintf(file, "%s%s", type == port_types ? "" : " ", (*type)->name);
	fputs("'\n}\n\n# _shunt_keys TYPE: its keys, of every type for ''\n_shunt_keys() {\n",
		file);
	for (const struct port_type *const *type = port_types; *type != NULL; type++) {
		fprintf(file, "    [[ ${1:-%s} == %s ]] && printf '%%s\\n'", (*type)->name,
			(*type)->name);
		portkey_print(file, *type, complete_key);
		putc('\n', file);
	}
	fputs("    printf '%s\\n'", file);
	portkey_print(file, NULL, complete_key);
	fputs("\n}\n\n", file);
}

/** Print the function that lists the kinds of events. */
static void
complete_events(FILE *file)
{
	fputs("_shunt_events() {\n    echo '", file);
	for (const struct event_kind_row *kind = event_kinds; kind->name != NULL; kind++)
		fprintf(file, "%s%s", kind == event_kinds ? "" : " ", kind->name);
	fputs("'\n}\n\n", file);
}

/** @return name of the proposals for an argument; NULL: there are none */
static const char *
complete_kind(enum command_kind kind)
{
	switch (kind) {
	case COMMAND_PORT:
		return "port";
	case COMMAND_TYPE:
		return "type";
	case COMMAND_FILE:
		return "file";
	case COMMAND_EVENTS:
		return "event";
	default:
		return NULL;
	}
}

/** Print the proposals for each argument of a command. */
static void
complete_args(FILE *file, const struct command *command)
{
	size_t at = 0;
	size_t type_at = 0;

	fprintf(file, "        '%s')\n", command->words);
	for (const struct command_arg *arg = command->args; arg->kind != COMMAND_NONE; arg++) {
		const char *kind = complete_kind(arg->kind);

		if (arg->keyed) {
			fprintf(file, "            ((${#args[@]} >= %zu)) && _shunt_keyed %s %s\n",
				at, arg->name, kind != NULL ? kind : "none");
			continue;
		}
		if (arg->kind == COMMAND_TYPE)
			type_at = at;
		if (arg->kind == COMMAND_KEYS && type_at > 0)
			fprintf(file,
				"            ((${#args[@]} >= %zu)) && _shunt_key \"${args[%zu]}\"\n",
				at, type_at);
		else if (arg->kind == COMMAND_KEYS)
			fprintf(file, "            ((${#args[@]} >= %zu)) && _shunt_key ''\n", at);
		else if (arg->kind == COMMAND_EVENTS)
			fprintf(file, "            _shunt_value %s ''\n", kind);
		else if (kind != NULL)
			fprintf(file, "            ((${#args[@]} == %zu)) && _shunt_value %s ''\n",
				at, kind);
		at++;
	}
	fputs("            ;;\n", file);
}

int
complete_bash(FILE *file)
{
	fputs("# bash completion for shunt; printed by shunt --completion bash\n\n", file);
	complete_groups(file);
	complete_flags(file);
	complete_keys(file);
	complete_events(file);
	fputs("# _shunt_args COMMAND: offer its next argument\n", file);
	fputs("_shunt_args() {\n    case $1 in\n", file);
	for (const struct command *command = commands; command->words != NULL; command++)
		if (command->args[0].kind != COMMAND_NONE && command->args[0].kind != COMMAND_WORDS)
			complete_args(file, command);
	fputs("    esac\n}\n\n", file);
	fputs(complete_engine, file);
	return CLI_DONE;
}
