/* SPDX-License-Identifier: BSD-3-Clause */
/* shunt-vm: the command line. */
#include <string.h>

#include "mode.h"
#include "settings.h"
#include "unit.h"

static struct settings settings;
static struct err err;

/** Parse words separated by spaces. */
static int
parse(const char *line)
{
	static char words[1024];
	char *argv[64] = {(char *)(uintptr_t) "shunt-vm"}, *next = words, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	err.text[0] = '\0';
	while ((word = strsep(&next, " ")) != NULL)
		if (*word != '\0')
			argv[argc++] = word;
	return settings_parse(&settings, argc, argv, &err);
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("/tmp/a b/c -- loop"), 0);
	assert_int_equal(settings.n_vms, 2);
	assert_string_equal(settings.vms[0].socket, "/tmp/a");
	assert_string_equal(settings.vms[1].socket, "b/c");
	assert_string_equal(settings.vms[1].mac, "02:00:01:00:00:00");
	assert_int_equal(settings.vms[1].size, 1024);
	assert_string_equal(settings.mode->name, "loop");
	assert_true(settings.seconds == 1 && settings.timeout == 5 && settings.rate == 0);
	assert_int_equal(settings.sample, 64);
	assert_false(settings.json);
}

static void
test_everything(void **state)
{
	(void)state;
	assert_int_equal(
		parse("-j --seconds 0.5 --threads=2 --lcore 0,2-3 --timeout 1 "
		      "socket=/a,server=on,mac=02:00:00:00:00:09,queues=4,size=256,packed=on,"
		      "mrg=on,tso=on,csum=on,event-idx=on,in-order=on,indirect=on,mtu=9000,"
		      "chain=4,regions=2,name=x /b,tso=on -- send --from 1 --to 0 --frame tso "
		      "--rate 2.5M --macs 1000 --mac-order random --touch --verify --vlan 7"),
		0);
	const struct vm_config *config = &settings.vms[0];
	assert_true(settings.json && config->server && config->packed && config->mrg &&
		    config->tso && config->csum && config->event_idx && config->in_order &&
		    config->indirect && !config->legacy);
	assert_int_equal(config->queues, 4);
	assert_int_equal(config->mtu, 9000);
	assert_string_equal(config->name, "x");
	assert_string_equal(settings.vms[1].socket, "/b");
	assert_int_equal(settings.n_cpus, 3);
	assert_int_equal(settings.cpus[2], 3);
	assert_true(settings.rate == 2.5e6);
	assert_int_equal(settings.sample, 1);
	assert_int_equal(settings.shape.kind, FRAME_TSO);
	assert_int_equal(parse("/a -- replay x --max"), 0);
	assert_int_equal(parse("/a -- loop --macs 4 --frames 9"), 0);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *line, *reason;
	} wrong[] = {
		{"", "a mode is missing"},
		{"/a /b", "a mode is missing"},
		{"/a --", "a mode is missing"},
		{"/a -- fly", "'fly' is no mode"},
		{"-- loop", "needs 1 or more VMs"},
		{"/a -- send", "needs 2 or more VMs"},
		{"/a /b -- replay x", "needs 1 VM, 2 given"},
		{"/a -- replay", "FILE.pcap is missing"},
		{"/a -- loop extra", "unexpected 'extra'"},
		{"/a -- loop --frame", "a value is missing"},
		{"/a -- loop --frame 10", "'10'"},
		{"/a -- loop --frame tso", "needs tso=on"},
		{"/a -- loop --fram 64", "unknown option"},
		{"/a -- loop --rate fast", "rate: 'fast'"},
		{"/a -- loop --rate 10kk", "rate: '10kk'"},
		{"--seconds 0 /a -- loop", "seconds: '0'"},
		{"--lcore a /a -- loop", "lcore: 'a'"},
		{"socket=/a,size=1000 -- loop", "no power of 2"},
		{"socket=/a,mac=01:00:00:00:00:00 -- loop", "no unicast address"},
		{"socket=/a,wings=2 -- loop", "'wings' is no key"},
		{"socket=/a,packed=maybe -- loop", "neither on nor off"},
		{"socket=/a,legacy=on,packed=on -- loop", "legacy"},
		{"mrg=on -- loop", "socket=PATH is missing"},
		{"/a /b -- send --from 0 --to 2", "not two of 2 VMs"},
		{"/a /b -- send --to 0", "not two of 2 VMs"},
		{"/a /b -- send --reconnect", "send: has no option --reconnect"},
		{"/a /b -- loop --drop-every 9", "loop: has no option --drop-every"},
		{"--trial 1 /a /b -- loop", "loop: has no option --trial"},
		{"/a /b -- broadcast --from 2", "--from 2 is none of 2 VMs"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(wrong); i++) {
		assert_true(parse(wrong[i].line) < 0);
		assert_contains(err.text, wrong[i].reason);
	}
	assert_int_equal(parse("--help"), SETTINGS_HELP);
	assert_int_equal(parse("/a -- --help"), SETTINGS_HELP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
