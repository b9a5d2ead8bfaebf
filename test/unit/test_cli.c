/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line program: arguments, help, manual page, completion, tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command_table.h"
#include "complete.h"
#include "man.h"
#include "parse.h"
#include "show.h"
#include "table.h"
#include "text.h"

enum { WORDS_MAX = 16 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Result of a run of the program. */
struct outcome {
	int code;
	char *out;
	char *err;
};

/** Split a line at spaces; the words point into it. */
static size_t
split(char *line, char *words[WORDS_MAX])
{
	size_t n = 0;

	for (char *word = strtok(line, " "); word != NULL && n < WORDS_MAX - 1;
		word = strtok(NULL, " "))
		words[n++] = word;
	words[n] = NULL;
	return n;
}

/** Run "shunt LINE". */
static struct outcome
run(const char *line)
{
	char text[512];
	char *words[WORDS_MAX];
	struct outcome outcome = {0};
	size_t out_length;
	size_t err_length;
	FILE *out = open_memstream(&outcome.out, &out_length);
	FILE *err = open_memstream(&outcome.err, &err_length);

	snprintf(text, sizeof(text), "shunt %s", line);
	outcome.code = cli_main((int)split(text, words), words, out, err);
	fclose(out);
	fclose(err);
	return outcome;
}

static void
outcome_free(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
}

/** Check that a run fails with one line that contains the reason. */
static void
expect_failure(const char *line, int code, const char *reason)
{
	struct outcome outcome = run(line);

	if (outcome.code != code || strstr(outcome.err, reason) == NULL)
		fail_msg("shunt %s: exit %d, %s", line, outcome.code, outcome.err);
	assert_string_equal(outcome.out, "");
	assert_memory_equal(outcome.err, "shunt: ", 7);
	assert_ptr_equal(strchr(outcome.err, '\n'), outcome.err + strlen(outcome.err) - 1);
	outcome_free(&outcome);
}

/* Arguments --------------------------------------------------------------------------------- */

static void
test_parse_forms(void **state)
{
	static const struct {
		const char *line;
		const char *method;
		const char *params;
	} forms[] = {
		{"status", "status", "{}"},
		{"wait", "status", "{}"},
		{"wait 3", "status", "{\"seconds\":3.0}"},
		{"wait 0.5", "status", "{\"seconds\":0.5}"},
		{"stop", "stop", "{}"},
		{"port add vm1 vhost", "port.add", "{\"name\":\"vm1\",\"type\":\"vhost\"}"},
		{"port add e ethdev device=a,b=c queues=2", "port.add",
			"{\"name\":\"e\",\"type\":\"ethdev\",\"device\":\"a,b=c\",\"queues\":\"2\"}"},
		{"port set vm1 owner=", "port.set", "{\"name\":\"vm1\",\"owner\":\"\"}"},
		{"port del vm1", "port.del", "{\"name\":\"vm1\"}"},
		{"port list", "port.list", "{}"},
		{"port show vm1", "port.show", "{\"name\":\"vm1\"}"},
		{"port qemu vm1", "port.qemu", "{\"name\":\"vm1\"}"},
		{"fdb list", "fdb.list", "{}"},
		{"fdb list vlan=0 port=vm1", "fdb.list", "{\"vlan\":0,\"port\":\"vm1\"}"},
		{"vlan list", "vlan.list", "{}"},
		{"vlan list vlan=7 port=a", "vlan.list", "{\"vlan\":7,\"port\":\"a\"}"},
		{"fdb add 02-00-00-00-00-0A port=a", "fdb.add",
			"{\"mac\":\"02:00:00:00:00:0a\",\"port\":\"a\"}"},
		{"fdb add port=a vlan=4094 02:00:00:00:00:01", "fdb.add",
			"{\"mac\":\"02:00:00:00:00:01\",\"port\":\"a\",\"vlan\":4094}"},
		{"fdb del 02:00:00:00:00:01 vlan=7", "fdb.del",
			"{\"mac\":\"02:00:00:00:00:01\",\"vlan\":7}"},
		{"fdb flush port=a", "fdb.flush", "{\"port\":\"a\"}"},
		{"lcore list", "lcore.list", "{}"},
		{"lcore add 3", "lcore.add", "{\"lcore\":3}"},
		{"lcore del 0", "lcore.del", "{\"lcore\":0}"},
		{"lcore balance", "lcore.balance", "{}"},
		{"drops port=a", "drops", "{\"port\":\"a\"}"},
		{"config show", "config.show", "{}"},
		{"config save", "config.save", "{}"},
		{"config save /a/b", "config.save", "{\"file\":\"/a/b\"}"},
		{"config apply /a", "config.apply", "{\"file\":\"/a\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		char line[256];
		char *words[WORDS_MAX];
		struct err err = {0};
		json_t *want = json_loads(forms[i].params, 0, NULL);
		json_t *params = NULL;
		const struct command *command;
		size_t used;
		size_t n;

		snprintf(line, sizeof(line), "%s", forms[i].line);
		n = split(line, words);
		command = command_find(commands, n, words, &used);
		assert_non_null(command);
		if (parse_args(command, n - used, words + used, &params, &err) != 0)
			fail_msg("%s: %s", forms[i].line, err.text);
		assert_string_equal(command->method, forms[i].method);
		if (!json_equal(params, want))
			fail_msg("%s: %s", forms[i].line, json_dumps(params, 0));
		json_decref(params);
		json_decref(want);
	}
}

static void
test_parse_path(void **state)
{
	char *here = getcwd(NULL, 0);
	char *path = parse_path("./x y");
	char want[4096];

	(void)state;
	snprintf(want, sizeof(want), "%s/x y", here);
	assert_string_equal(path, want);
	free(path);
	free(here);
}

static void
test_usage_errors(void **state)
{
	static const char *const cases[][2] = {
		{"", "no command"},
		{"prot list", "did you mean \"port\""},
		{"port lsit", "did you mean \"port list\""},
		{"port", "add, set, del, list, show, qemu"},
		{"monitor port nosuch",
			"no event \"nosuch\"; there are port, link, front-end, fdb"},
		{"monitor port=a", "no event"},
		{"capture", "NAME is missing"},
		{"capture vm1 -c 0", "-c must be a number from 1"},
		{"capture vm1 -c 1 -c 2", "given twice"},
		{"capture -Q up vm1", "-Q must be one of rx|tx|both"},
		{"capture vm1 -W 2", "-W FILES goes with -C MB"},
		{"capture vm1 -s", "needs a value"},
		{"port qemu vm1 --qemu", "needs a value"},
		{"port qemu vm1 --qemu 7.1", "'7.1' is no version from 7.2 on"},
		{"port qemu vm1 --qemu=new", "'new' is no version"},
		{"port qemu vm1 --qemu 10.0 --qemu 10.0", "given twice"},
		{"port qemu vm1 10.0", "one word too many"},
		{"port show vm1 --qemu 10.0", "does not exist"},
		{"status --file x", "does not exist"},
		{"status -c 1", "does not exist"},
		{"status now", "\"now\""},
		{"port list vm=1", "vm=1"},
		{"port add", "NAME is missing"},
		{"port add vm1", "TYPE is missing"},
		{"port add vm1 socket=/x", "TYPE is missing"},
		{"port add vm1 vhost /x", "not key=value"},
		{"port add vm1 vhost =x", "not key=value"},
		{"port add vm1 vhost a=1 a=1", "a is given twice"},
		{"port add vm1 vhost name=x", "name is given twice"},
		{"port add vm1 vhost a\xff=x", "no key"},
		{"port add vm1 vhost a=\xff", "UTF-8"},
		{"port add \xff vhost", "UTF-8"},
		{"port set vm1", "key=value is missing"},
		{"fdb add 02:00 port=a", "02:00"},
		{"fdb add 02:00:00:00:00:01", "port=NAME is missing"},
		{"fdb list vlan=4095", "4094"},
		{"fdb list vlan=", "vlan"},
		{"fdb list port=", "empty"},
		{"fdb list prot=a", "port=NAME or vlan=N"},
		{"lcore add x", "lcore"},
		{"lcore add 99999999999999999999", "lcore"},
		{"wait nan", "SECONDS"},
		{"config apply", "FILE is missing"},
		{"help nonsense", "no command"},
		{"help port nonsense", "no command"},
		{"--bogus", "--bogus"},
		{"-x status", "-x"},
		{"-s", "-s needs a value"},
		{"--completion zsh", "zsh"},
		{"-j top", "JSON"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_failure(cases[i][0], CLI_USAGE, cases[i][1]);
}

/* Help, manual page, completion ------------------------------------------------------------- */

static void
test_help_everywhere(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->words != NULL; command++) {
		static const char *const lines[] = {"help %s", "%s --help", "-h %s"};
		char usage[COMMAND_USAGE_MAX];
		char line[128];

		command_usage(command, usage);
		for (size_t i = 0; i < COUNT(lines); i++) {
			struct outcome outcome;

			snprintf(line, sizeof(line), lines[i], command->words);
			outcome = run(line);
			assert_int_equal(outcome.code, CLI_DONE);
			assert_non_null(strstr(outcome.out, usage));
			assert_string_equal(outcome.err, "");
			outcome_free(&outcome);
		}
		assert_true(strlen(command->help) < 60);
	}
}

static void
test_help_overview(void **state)
{
	struct outcome outcome = run("help");
	struct outcome json = run("-j help");
	json_t *document = json_loads(json.out, 0, NULL);
	size_t n = 0;

	(void)state;
	for (const struct command *command = commands; command->words != NULL; command++, n++)
		assert_non_null(strstr(outcome.out, command->help));
	assert_null(strstr(outcome.out, "--man"));
	assert_int_equal(json_array_size(json_object_get(document, "commands")), n);
	json_decref(document);
	outcome_free(&outcome);
	outcome_free(&json);
}

/** Print into a new file and pass its name to a shell command. */
static int
shell_check(int (*print)(FILE *), const char *check)
{
	char path[] = "/tmp/shunt-cli-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	char line[256];
	int code;

	assert_non_null(file);
	assert_int_equal(print(file), CLI_DONE);
	fclose(file);
	snprintf(line, sizeof(line), check, path);
	code = system(line);
	unlink(path);
	return code;
}

static void
test_completion(void **state)
{
	(void)state;
	assert_int_equal(shell_check(complete_bash, "bash -n %s"), 0);
	assert_int_equal(
		shell_check(complete_bash,
			"bash -c '. %s; COMP_LINE=\"shunt port add a vhost mode=s\"; "
			"COMP_POINT=${#COMP_LINE}; _shunt; [[ ${COMPREPLY[*]} == server ]]'"),
		0);
	assert_int_equal(
		shell_check(complete_bash,
			"bash -c '. %s; COMP_LINE=\"shunt port qemu vm1 --q\"; "
			"COMP_POINT=${#COMP_LINE}; _shunt; [[ ${COMPREPLY[*]} == --qemu ]]'"),
		0);
	assert_int_equal(
		shell_check(complete_bash,
			"bash -c '. %s; COMP_LINE=\"shunt monitor port fr\"; "
			"COMP_POINT=${#COMP_LINE}; _shunt; [[ ${COMPREPLY[*]} == front-end ]]'"),
		0);
	assert_int_equal(shell_check(complete_bash,
				 "bash -c '. %s; COMP_LINE=\"shunt capture vm1 -Q r\"; "
				 "COMP_POINT=${#COMP_LINE}; _shunt; [[ ${COMPREPLY[*]} == rx ]]'"),
		0);
}

static void
test_man(void **state)
{
	struct outcome outcome = run("--man");

	(void)state;
	assert_int_equal(outcome.code, CLI_DONE);
	for (const struct command *command = commands; command->words != NULL; command++) {
		char term[64];

		snprintf(term, sizeof(term), ".TP\n\\fB%s\\fR", command->words);
		assert_non_null(strstr(outcome.out, term));
	}
	outcome_free(&outcome);
}

/* Text and tables --------------------------------------------------------------------------- */

static void
test_text(void **state)
{
	char text[TEXT_NUMBER_MAX];
	char clean[8];

	(void)state;
	assert_string_equal(text_count(9999, text), "9999");
	assert_string_equal(text_count(12345, text), "12,345");
	assert_string_equal(text_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
	assert_string_equal(text_si(0, text), "0");
	assert_string_equal(text_si(0.25, text), "0.2");
	assert_string_equal(text_si(999, text), "999");
	assert_string_equal(text_si(999.7, text), "1.00k");
	assert_string_equal(text_si(14880952, text), "14.9M");
	assert_string_equal(text_si(999600000, text), "1.00G");
	assert_string_equal(text_si(1e11, text), "100G");
	assert_string_equal(text_duration(59, text), "00:00:59");
	assert_string_equal(text_duration(3 * 86400 + 3661, text), "3 d 01:01:01");
	assert_string_equal(text_clean("a\033[1m\xc2\x9b", clean, sizeof(clean)), "a?[1m?");
	assert_string_equal(text_clean("too long", clean, 4), "too");
	assert_int_equal(text_distance("port", "port"), 0);
	assert_int_equal(text_distance("prot", "port"), 1);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("kitten", "sitting"), 3);
}

/** Print a table of two columns into *out. */
static void
print_table(bool color, char **out)
{
	static const struct table_column columns[] = {{"NAME", TABLE_LEFT}, {"N", TABLE_RIGHT}};
	struct table *table = table_new(columns, COUNT(columns));
	size_t length;
	FILE *file = open_memstream(out, &length);

	table_cell(table, TABLE_PLAIN, "%s", "a");
	table_cell(table, TABLE_PLAIN, "%d", 1);
	table_cell(table, TABLE_RED, "%s", "longer");
	table_cell(table, TABLE_PLAIN, "%d", 1234);
	assert_int_equal(table_print(table, file, color), 0);
	table_free(table);
	fclose(file);
}

static void
test_table(void **state)
{
	char *out;

	(void)state;
	print_table(false, &out);
	assert_string_equal(out, "NAME       N\n"
				 "a          1\n"
				 "longer  1234\n");
	free(out);
	print_table(true, &out);
	assert_non_null(strstr(out, "\033[31mlonger\033[0m  1234\n"));
	assert_non_null(strstr(out, "\na          1\n"));
	free(out);
}

/** Print a result given as JSON. */
static char *
shown(int (*print)(const struct show *, const json_t *), const char *json)
{
	json_t *result = json_loads(json, JSON_DECODE_ANY, NULL);
	size_t length;
	char *text;
	struct show show = {.file = open_memstream(&text, &length)};

	assert_non_null(result);
	assert_int_equal(print(&show, result), 0);
	fclose(show.file);
	json_decref(result);
	return text;
}

static void
test_show(void **state)
{
	static const struct {
		int (*print)(const struct show *, const json_t *);
		const char *json;
		const char *text;
	} cases[] = {
		{show_port_list, "[]", "no ports yet: shunt port add NAME TYPE key=value...\n"},
		{show_fdb_list, "[{\"mac\":\"02:00:00:00:00:01\",\"vlan\":7,\"port\":\"a\"}]",
			"MAC                VLAN  PORT  TYPE  AGE\n"
			"02:00:00:00:00:01     7  a     -     0 s\n"},
		{show_vlan_list, "[]", "no VLANs: every port carries all of them\n"},
		{show_vlan_list,
			"[{\"vlan\":1,\"ports\":[{\"port\":\"a\",\"tagged\":true}],\"fdb_entries\":1},"
			"{\"vlan\":2,\"ports\":[{\"port\":\"a\",\"tagged\":true}],\"fdb_entries\":2},"
			"{\"vlan\":3,\"ports\":[{\"port\":\"a\",\"tagged\":false}]},"
			"{\"vlan\":5,\"ports\":[{\"port\":\"a\",\"tagged\":false},"
			"{\"port\":\"b\",\"tagged\":true},{\"port\":\"c\",\"tagged\":true}]}]",
			"VLAN  ADDRESSES  UNTAGGED  TAGGED\n"
			" 1-2          3  -         a\n"
			"   3          0  a         -\n"
			"   5          0  a         b c\n"},
		{show_lcore_list,
			"[{\"lcore\":1,\"busy_cycles\":300,\"idle_cycles\":100,\"packets\":3,"
			"\"queues\":[{\"port\":\"a\",\"queue\":1},{\"port\":\"b\",\"queue\":0}]}]",
			"LCORE  NUMA   LOAD  CYCLES/PACKET  PACKETS  QUEUES\n"
			"    1     -  75.0%            100        3  a:1 b:0\n"},
		{show_port, "{\"a\":{\"bcd\":12345},\"x\":[1,2],\"y\":[{\"q\":0},{\"q\":1}]}",
			"a:\n  bcd: 12,345\nx:     1 2\ny:     q=0\n       q=1\n"},
		{show_qemu, "{\"qemu\":[\"-a b\",\"-c\"],\"libvirt\":\"<i/>\\n\"}",
			"-a b \\\n-c \\\n\n<!-- libvirt, in <devices>: -->\n<i/>\n"},
		{show_qemu,
			"{\"qemu\":[\"-a x=a b,,c&'d'\\u00e9\"],\"hints\":[\"one\",\"two\"],"
			"\"libvirt_domain\":\"<m/>\\n\",\"libvirt\":\"<i/>\"}",
			"-a 'x=a b,,c&'\\''d'\\''\u00e9' \\\n\n# one\n# two\n"
			"\n<!-- libvirt, in <domain>: -->\n<m/>\n"
			"\n<!-- libvirt, in <devices>: -->\n<i/>\n"},
		{show_flushed, "{\"flushed\":1}", "flushed 1 entry\n"},
		{show_applied, "{\"added\":[\"a\",\"b\"],\"removed\":[],\"changed\":[]}",
			"added   a b\n"},
		{show_config, "{\"yaml\":\"a: 1\\n\"}", "a: 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = shown(cases[i].print, cases[i].json);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_forms),
		cmocka_unit_test(test_parse_path),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_help_everywhere),
		cmocka_unit_test(test_help_overview),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_man),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
