/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files: the result of valid ones, and the line and reason reported for invalid ones.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "fake_driver.h"
#include "features/learn/keys.h"

static struct config config;
static struct err err;

static int
parse_bytes(const char *text, size_t length)
{
	config_free(&config);
	memset(&config, 0, sizeof(config));
	strcpy(config.path, "file");
	err = (struct err){0};
	return config_parse(&config, text, length, fake_drivers, &err);
}

static int
teardown(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

static void
check_good(const char *text, unsigned ports)
{
	if (parse_bytes(text, strlen(text)) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(config.n_ports, ports);
}

static void
check_bad(const char *text, const char *reason)
{
	assert_int_equal(parse_bytes(text, strlen(text)), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, reason);
}

#define FAKE "{type: fake, path: /a}"

static void
test_empty(void **state)
{
	static const char *const texts[] = {"", "\n", "# nothing\n", "---\n", "~", "null\n", "{}",
		"--- {}\n...\n", "ports:", "ports: {}", "ports: ~\n", "%YAML 1.1\n---\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		check_good(texts[i], 0);
		assert_string_equal(config.lcores, "");
		assert_string_equal(config.metrics, "");
		assert_int_equal(config.fdb.capacity, 0);
		assert_int_equal(config.fdb.ageing, 0);
	}
}

static void
test_everything(void **state)
{
	const struct fake_config *fake;

	(void)state;
	check_good("# all there is\n"
		   "lcores: \"1-3\"\nmetrics: \"[::1]:9469\"\n"
		   "fdb: {capacity: 1024, ageing: 60}\n"
		   "ports:\n"
		   "  vm1: {type: fake, path: /run/vm1, speed: 7, fast: on}\n"
		   "  up0:\n"
		   "    mode: in\n"
		   "    perm: 0600\n"
		   "    path: \"/run/up0\"\n"
		   "    mac-limit: 5\n"
		   "    enabled: false\n"
		   "    numa: 1\n"
		   "    type: fake\n"
		   "  x: {type: bare}\n",
		3);
	assert_string_equal(config.lcores, "1-3");
	assert_int_equal(config.lcores_line, 2);
	assert_string_equal(config.metrics, "[::1]:9469");
	assert_int_equal(config.metrics_line, 3);
	assert_int_equal(config.fdb.capacity, 1024);
	assert_int_equal(config.fdb.ageing, 60);
	fake = (const void *)config.ports[0].config.driver_config;
	assert_string_equal(config.ports[0].config.name, "vm1");
	assert_int_equal(config.ports[0].line, 6);
	assert_string_equal(fake->path, "/run/vm1");
	assert_int_equal(fake->speed, 7);
	assert_true(fake->fast);
	fake = (const void *)config.ports[1].config.driver_config;
	assert_int_equal(config.ports[1].line, 7);
	assert_int_equal(learn_config(&config.ports[1].config)->mac_limit, 5);
	assert_int_equal(config.ports[1].config.numa, 1);
	assert_false(config.ports[1].config.enabled);
	assert_int_equal(fake->mode, 0);
	assert_int_equal(fake->perm, 0600);
	assert_string_equal(config.ports[2].config.driver->type->name, "bare");
}

/** The same configuration in other forms of YAML. */
static void
test_notations(void **state)
{
	static const char *const texts[] = {
		"ports: {a: " FAKE "}",
		"{\"ports\": {\"a\": {\"type\": \"fake\", \"path\": \"/a\"}}}",
		"ports:\r\n  a:\r\n    type: fake\r\n    path: /a\r\n",
		"? ports\n: ? a\n  : ? type\n    : fake\n    ? path\n    : /a\n",
		"ports:\n  a:\n    type: 'fake'\n    path: >-\n      /a\n",
		"ports:\n  !!str a: !!map {type: !!str fake, path: !any /a}\n",
		"\xef\xbb\xbfports: {a: " FAKE "}",
		"ports:\n  a: " FAKE " # a comment\n...\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		check_good(texts[i], 1);
		const struct fake_config *fake = (const void *)config.ports[0].config.driver_config;
		assert_string_equal(config.ports[0].config.name, "a");
		assert_string_equal(fake->path, "/a");
	}
}

static void
test_anchors(void **state)
{
	const struct fake_config *fake;

	(void)state;
	check_good("ports:\n"
		   "  a: &vm {type: fake, path: &path /a, speed: 3}\n"
		   "  b: *vm\n"
		   "  c: {type: fake, path: *path}\n",
		3);
	fake = (const void *)config.ports[1].config.driver_config;
	assert_string_equal(config.ports[1].config.name, "b");
	assert_int_equal(fake->speed, 3);
	check_bad("ports:\n  a: *none\n", "file:2: found undefined alias");
	check_bad("ports: &p\n  a: *p\n", "file:2: port a: type: missing");
	check_bad("ports: &p\n  a: {type: fake, path: *p}\n",
		"file:2: port a: path: must be a single value");
	/* An alias stands where its anchor stands. */
	check_bad("\n&k ports:\n  a: " FAKE "\n*k : {}\n", "file:2: ports: given twice");
	/* Merge keys are no part of YAML 1.2. */
	check_bad("ports:\n  a: &x " FAKE "\n  b:\n    type: fake\n    <<: *x\n",
		"file:5: port b: <<: must be a single value");
}

/** A port that a key names and that is absent is an error in the file, not ENOENT. */
static void
test_absent_ports(void **state)
{
	(void)state;
	check_bad("ports:\n  a: {type: fake, path: /a, mirror: b}\n",
		"file:2: port a: mirror: no port 'b'");
	check_bad("ports:\n  a: {type: fake, path: /a, uplink: b}\n",
		"file:2: port a: uplink: no port 'b'");
}

static void
test_bad_top(void **state)
{
	(void)state;
	check_bad("port: {}\n",
		"file:1: port: no such key; there are lcores, fdb, metrics, snooping, ports");
	check_bad("\n\nfdb: {}\nPorts: {}\n",
		"file:4: Ports: no such key; there are lcores, fdb, metrics, snooping, ports");
	check_bad("# no\nmetrics: 127.0.0.1\n",
		"file:2: metrics: '127.0.0.1' is no address such as "
		"127.0.0.1:9469 or [::1]:9469");
	check_bad("metrics: {}\n", "file:1: metrics: must be an address such as 127.0.0.1:9469");
	check_bad("word\n", "file:1: the file: must be a mapping of key: value");
	check_bad("\n- ports\n", "file:2: the file: must be a mapping of key: value");
	check_bad("[1]: 2\n", "file:1: a key must be a word");
	check_bad("ports:\n  ? {a: b}\n  : " FAKE "\n", "file:2: a key must be a word");
	check_bad("ports: word\n", "file:1: ports: must be a mapping of key: value");
	check_bad("fdb:\nports:\n  - a\n", "file:1: fdb: must be a mapping of key: value");
	check_bad("ports:\n  - a\n", "file:2: ports: must be a mapping of key: value");
}

static void
test_bad_lcores(void **state)
{
	static const char reason[] = "file:2: lcores: must be a list such as \"1-3,8\", or auto";

	(void)state;
	check_bad("\nlcores: [1, 2]\n", reason);
	check_bad("\nlcores: {a: 1}\n", reason);
	check_bad("\nlcores: \"\"\n", reason);
	check_bad("\nlcores:\n", reason);
	check_bad("\nlcores: \"1\\02\"\n", reason);
	char text[CONFIG_LCORES_MAX + 32] = "\nlcores: ";
	memset(text + strlen(text), '1', CONFIG_LCORES_MAX);
	check_bad(text, reason);
	text[strlen(text) - 1] = '\0';
	check_good(text, 0);
}

static void
test_bad_fdb(void **state)
{
	(void)state;
	check_bad("fdb:\n  size: 5\n",
		"file:2: fdb.size: no such key; there are capacity, ageing, moves");
	check_bad("fdb:\n  capacity: 63\n",
		"file:2: fdb.capacity: '63' is not a number from 64 to 1048576");
	check_bad("fdb:\n  capacity: many\n",
		"file:2: fdb.capacity: 'many' is not a number from 64 to 1048576");
	check_bad("fdb:\n  ageing: 1000001\n",
		"file:2: fdb.ageing: '1000001' is not a number from 10 to 1000000");
	check_bad("fdb:\n  ageing: [300]\n",
		"file:2: fdb.ageing: '' is not a number from 10 to 1000000");
	check_bad("fdb: 5\n", "file:1: fdb: must be a mapping of key: value");
}

static void
test_bad_ports(void **state)
{
	(void)state;
	check_bad(
		"ports:\n  a: " FAKE "\n  b: " FAKE "\n  a: " FAKE "\n", "file:4: a: given twice");
	check_bad("ports:\n  a: {path: /a}\n", "file:2: port a: type: missing");
	check_bad("ports:\n  a: {type: [fake]}\n", "file:2: port a: type: missing");
	check_bad("ports:\n  a: fake\n", "file:2: port a: type: missing");
	check_bad("ports:\n  a:\n  b: " FAKE "\n", "file:2: port a: type: missing");
	check_bad("ports:\n  a:\n    - type: fake\n", "file:2: port a: type: missing");
	check_bad("ports:\n  a: {type: tap}\n", "file:2: port a: type: 'tap' is not yet supported");
	check_bad("ports:\n  a/b: " FAKE "\n",
		"file:2: port a/b: port name 'a/b': letters, digits and . _ - only, a letter or "
		"digit first");
	check_bad("ports:\n  a:\n    type: fake\n    path: /a\n    colour: red\n",
		"file:5: port a: colour: not yet supported");
	check_bad("ports:\n  a:\n    type: fake\n    path: /a\n    vlan: 4095\n",
		"file:5: port a: vlan: '4095' is not a number from 0 to 4094");
	check_bad("ports:\n  a:\n    type: fake\n    pat: /a\n",
		"file:4: port a: pat: a fake port has no such key");
	check_bad("ports:\n  a:\n    type: fake\n    speed: fast\n    path: /a\n",
		"file:4: port a: speed: 'fast' is not a number from 1 to 100");
	check_bad("ports:\n  a:\n    type: fake\n    path: [/a]\n",
		"file:4: port a: path: must be a single value");
	check_bad("ports:\n  a:\n    type: fake\n    path:\n",
		"file:4: port a: path: must not be empty");
	check_bad("ports:\n  a:\n    type: fake\n    path: \"/a\\0b\"\n",
		"file:4: port a: path: must be a single value");
	check_bad("ports:\n  b: " FAKE "\n  a:\n    type: fake\n    speed: 5\n",
		"file:3: port a: path: a fake port needs one");
}

/** Duplicate keys and ports are refused: one of the values would be ignored. */
static void
test_duplicates(void **state)
{
	(void)state;
	check_bad("lcores: 1\nlcores: 2\n", "file:2: lcores: given twice");
	check_bad("ports: {}\nfdb: {}\nports: {}\n", "file:3: ports: given twice");
	check_bad("fdb:\n  ageing: 20\n  ageing: 30\n", "file:3: ageing: given twice");
	check_bad("ports:\n  a:\n    type: fake\n    path: /a\n    path: /b\n",
		"file:5: path: given twice");
	check_bad("ports:\n  a:\n    type: fake\n    path: /a\n    type: bare\n",
		"file:5: type: given twice");
	check_bad("ports: {}\n---\nports: {a: " FAKE "}\n",
		"file:3: a second document; there must be one");
	check_good("ports: {a: " FAKE "}\n...\n", 1);
	check_bad("ports: {}\n---\n[\n", "file:4: did not find expected node content");
}

static void
test_no_yaml(void **state)
{
	(void)state;
	check_bad("ports:\n  a: {type: fake\n", "file:3: did not find expected ',' or '}'");
	check_bad("ports:\n\ta: b\n", "file:2: found character that cannot start any token");
	check_bad("a: b: c\n", "file:1: mapping values are not allowed in this context");
	check_bad("ports: @\n", "file:1: found character that cannot start any token");
	check_bad("lcores: \"1\n", "file:2: found unexpected end of stream");
}

/** Bytes that are no text, with the line reported. */
static void
test_no_text(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *reason;
	} cases[] = {
		{"a: b\n\0\n", 7, "file:2: control characters are not allowed"},
		{"\0", 1, "file:1: control characters are not allowed"},
		{"ports:\n  a: \x01\n", 13, "file:2: control characters are not allowed"},
		{"\n\n\n\xff\n", 5, "file:4: invalid leading UTF-8 octet"},
		{"\n\xc3", 2, "file:2: incomplete UTF-8 octet sequence"},
		{"\n\n\xc3(\n", 5, "file:3: invalid trailing UTF-8 octet"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(parse_bytes(cases[i].text, cases[i].length), -EINVAL);
		assert_string_equal(err.text, cases[i].reason);
	}
}

/** Deep nesting is refused, or bounded by the library, without a deep stack. */
static void
test_deep(void **state)
{
	enum { DEPTH = 100000 };
	static const struct {
		const char *open;
		const char *before;
	} cases[] = {{"[", "ports: "}, {"{a: ", ""}, {"- ", ""}, {"? ", ""}, {"{? ", "fdb: "}};
	char *text = malloc(DEPTH * 4 + 64);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t step = strlen(cases[i].open);
		char *end = stpcpy(text, cases[i].before);

		for (unsigned d = 0; d < 900; d++, end += step)
			memcpy(end, cases[i].open, step + 1);
		assert_int_equal(parse_bytes(text, (size_t)(end - text)), -EINVAL);
		for (unsigned d = 900; d < DEPTH / 10; d++, end += step)
			memcpy(end, cases[i].open, step + 1);
		assert_int_equal(parse_bytes(text, (size_t)(end - text)), -EINVAL);
		assert_memory_equal(err.text, "file:", 5);
	}
	free(text);
}

static void
test_many_ports(void **state)
{
	enum { ENTRY = 24 };
	char *text = malloc((PORT_MAX + 2) * ENTRY), *end = stpcpy(text, "ports:\n");

	(void)state;
	for (unsigned i = 0; i < PORT_MAX; i++)
		end += sprintf(end, "  p%u: {type: bare}\n", i);
	check_good(text, PORT_MAX);
	assert_int_equal(config.ports[PORT_MAX - 1].line, PORT_MAX + 1);
	strcpy(end, "  last: {type: bare}\n");
	check_bad(text, "file:1058: ports: there are too many");
	free(text);
}

static void
test_read(void **state)
{
	char path[] = "/tmp/test_config.XXXXXX", long_path[CONFIG_PATH_MAX + 1];
	char reason[128];
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	(void)state;
	assert_non_null(file);
	fputs("lcores: 1\nports: {a: {type: none}}\n", file);
	fclose(file);
	assert_int_equal(config_read(&config, path, fake_drivers, &err), -EINVAL);
	snprintf(reason, sizeof(reason),
		"%s:2: port a: type: unknown port type 'none'; there are fake, bare", path);
	assert_string_equal(err.text, reason);
	assert_string_equal(config.lcores, "1");
	config_free(&config);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(config_read(&config, path, fake_drivers, &err), 0);
	assert_string_equal(config.path, path);
	assert_int_equal(truncate(path, CONFIG_FILE_MAX + 1), 0);
	assert_int_equal(config_read(&config, path, fake_drivers, &err), -EFBIG);
	unlink(path);
	assert_int_equal(config_read(&config, path, fake_drivers, &err), -ENOENT);
	assert_int_equal(config_read(&config, "/", fake_drivers, &err), -EIO);
	memset(long_path, 'x', sizeof(long_path));
	long_path[CONFIG_PATH_MAX] = '\0';
	assert_int_equal(config_read(&config, long_path, fake_drivers, &err), -ENAMETOOLONG);
}

/**
 * Every prefix of a valid file, and every file with one byte changed, is accepted or refused, but
 * parsing ends.
 */
static void
test_damaged(void **state)
{
	static const char good[] = "lcores: \"1-3\"\nfdb: {capacity: 1024}\nports:\n"
				   "  a: &a {type: fake, path: '/a'}\n  b: *a\n  c:\n"
				   "    type: bare\n    numa: 0 # c\n";
	static const char bytes[] = "\0\n\t {}[]:,-?&*!|>'\"%@`#\\\xc3\xff~0a";
	char text[sizeof(good)];

	(void)state;
	for (size_t length = 0; length < sizeof(good); length++)
		parse_bytes(good, length);
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			memcpy(text, good, sizeof(good));
			text[at] = bytes[i];
			if (parse_bytes(text, sizeof(text) - 1) < 0)
				assert_memory_equal(err.text, "file:", 5);
		}
}

#define config_test(test) cmocka_unit_test_teardown(test, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		config_test(test_empty),
		config_test(test_everything),
		config_test(test_notations),
		config_test(test_anchors),
		config_test(test_absent_ports),
		config_test(test_bad_top),
		config_test(test_bad_lcores),
		config_test(test_bad_fdb),
		config_test(test_bad_ports),
		config_test(test_duplicates),
		config_test(test_no_yaml),
		config_test(test_no_text),
		config_test(test_deep),
		config_test(test_many_ports),
		config_test(test_read),
		config_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
