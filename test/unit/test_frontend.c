/* SPDX-License-Identifier: BSD-3-Clause */
/* How QEMU and libvirt connect to a vhost port: versions, modes, keys, quoting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/qemu_version.h"
#include "vhost/keys.h"
#include "vhost/vhost.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct port_driver *const drivers[] = {&vhost_driver, NULL};

/** Set keys, "name=value" each, of a new port vm1. @return 0 or the error */
static int
configure(struct port *port, const char *const keys[], struct err *err)
{
	int rc = port_config_init(&port->config, drivers, "vm1", "vhost", err);

	for (; rc == 0 && *keys != NULL; keys++) {
		char name[16];
		const char *value = strchr(*keys, '=');

		snprintf(name, sizeof(name), "%.*s", (int)(value - *keys), *keys);
		rc = port_config_set(&port->config, name, value + 1, err);
	}
	return rc == 0 ? vhost_driver.check(&port->config, err) : rc;
}

/** The text for a port with these keys and a version of QEMU. */
static struct port_frontend
frontend(unsigned qemu, const char *const keys[])
{
	struct port_frontend printed = {.qemu = qemu};
	static struct port port;
	struct err err;

	memset(&port, 0, sizeof(port));
	if (configure(&port, keys, &err) < 0)
		fail_msg("%s", err.text);
	vhost_driver.frontend(&port, &printed);
	return printed;
}

/** The value of the one line with this option. */
static const char *
argument(const struct port_frontend *printed, const char *option)
{
	const char *value = NULL;

	for (unsigned i = 0; i < printed->n_args; i++) {
		size_t length = strlen(option);
		const char *arg = printed->args[i];

		if (strncmp(arg, option, length) == 0 && arg[length] == ' ') {
			assert_null(value);
			value = arg + length + 1;
		}
	}
	assert_non_null(value);
	return value;
}

static bool
hinted(const struct port_frontend *printed, const char *word)
{
	for (unsigned i = 0; i < printed->n_hints; i++)
		if (strstr(printed->hints[i], word) != NULL)
			return true;
	return false;
}

static void
test_server_versions(void **state)
{
	static const struct {
		unsigned qemu;
		const char *side;
		bool xml; /* libvirt is configured to reconnect */
	} cases[] = {
		{QEMU_VERSION(7, 2), ",reconnect=1", true},
		{QEMU_VERSION(9, 1), ",reconnect=1", true},
		{QEMU_VERSION(9, 2), ",reconnect-ms=1000", true},
		{QEMU_VERSION(10, 0), ",reconnect-ms=1000", true},
		{QEMU_VERSION(10, 2), ",reconnect-ms=1000", true},
		{QEMU_VERSION(11, 0), "", false},
		{QEMU_VERSION(11, 1), ",reconnect-ms=1000", true},
		{QEMU_VERSION(12, 0), ",reconnect-ms=1000", true},
		{QEMU_UNKNOWN, "", true},
	};
	static const char *const keys[] = {"socket=/s/a.sock", NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct port_frontend printed = frontend(cases[i].qemu, keys);
		char want[128];

		snprintf(want, sizeof(want), "socket,id=chr-vm1,path=/s/a.sock%s", cases[i].side);
		assert_string_equal(argument(&printed, "-chardev"), want);
		assert_int_equal(hinted(&printed, "mode=client"), cases[i].side[0] == '\0');
		assert_non_null(strstr(printed.xml, "mode='client'"));
		assert_int_equal(strstr(printed.xml, "    <reconnect enabled='yes' timeout='1'/>\n"
						     "  </source>\n") != NULL,
			cases[i].xml);
	}
}

static void
test_client_is_the_same_for_every_version(void **state)
{
	static const unsigned versions[] = {QEMU_UNKNOWN, QEMU_VERSION(7, 2), QEMU_VERSION(9, 2),
		QEMU_VERSION(10, 2), QEMU_VERSION(11, 0), QEMU_VERSION(11, 1)};
	static const char *const keys[] = {"socket=/s/a.sock", "mode=client", NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct port_frontend printed = frontend(versions[i], keys);

		assert_string_equal(argument(&printed, "-chardev"),
			"socket,id=chr-vm1,path=/s/a.sock,server=on,wait=off");
		assert_non_null(strstr(
			printed.xml, "  <source type='unix' path='/s/a.sock' mode='server'/>\n"));
		assert_false(hinted(&printed, "reconnect"));
	}
}

static void
test_vectors(void **state)
{
	static const char *const one[] = {"socket=/s", NULL};
	static const char *const two[] = {"socket=/s", "queues=2", NULL};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *const *keys = i == 0 ? one : two;
		struct port_frontend old = frontend(QEMU_VERSION(7, 2), keys);
		struct port_frontend new = frontend(QEMU_VERSION(8, 0), keys);
		struct port_frontend any = frontend(QEMU_UNKNOWN, keys);

		assert_true(hinted(&old, "vectors=0"));
		assert_true(hinted(&any, "vectors=0"));
		assert_false(hinted(&new, "vectors"));
		assert_string_equal(argument(&old, "-device"), argument(&new, "-device"));
		assert_null(strstr(argument(&old, "-device"), "vectors=0"));
	}
}

static void
test_keys(void **state)
{
	static const char *const plain[] = {"socket=/s", NULL};
	static const char *const all[] = {
		"socket=/s", "queues=4", "packed=on", "csum=off", "mtu=9000", NULL};
	struct port_frontend printed = frontend(QEMU_VERSION(10, 0), plain);

	(void)state;
	assert_string_equal(
		argument(&printed, "-object"), "memory-backend-memfd,id=mem,size=1G,share=on");
	assert_string_equal(argument(&printed, "-numa"), "node,memdev=mem");
	assert_string_equal(argument(&printed, "-netdev"), "vhost-user,id=net-vm1,chardev=chr-vm1");
	assert_string_equal(argument(&printed, "-device"),
		"virtio-net-pci,netdev=net-vm1,mac=52:54:51:1c:93:a7");
	assert_non_null(strstr(printed.xml, "  <mac address='52:54:51:1c:93:a7'/>\n"));
	assert_non_null(strstr(printed.xml, "  <driver name='vhost'/>\n"));
	assert_null(strstr(printed.xml, "mtu"));
	assert_non_null(strstr(printed.domain, "<source type='memfd'/>"));
	assert_non_null(strstr(printed.domain, "<access mode='shared'/>"));
	printed = frontend(QEMU_VERSION(10, 0), all);
	assert_string_equal(
		argument(&printed, "-netdev"), "vhost-user,id=net-vm1,chardev=chr-vm1,queues=4");
	assert_string_equal(argument(&printed, "-device"),
		"virtio-net-pci,netdev=net-vm1,mac=52:54:51:1c:93:a7,host_mtu=9000,mq=on,"
		"vectors=10,packed=on,csum=off");
	assert_non_null(strstr(printed.xml,
		"  <driver name='vhost' queues='4' packed='on'>\n    <host csum='off'/>\n"
		"  </driver>\n  <!-- <mtu size='9000'/> -->\n</interface>\n"));
	assert_true(hinted(&printed, "<mtu>"));
	printed = frontend(QEMU_VERSION(11, 1), all);
	assert_non_null(strstr(printed.xml, "\n  <mtu size='9000'/>\n"));
	assert_false(hinted(&printed, "<mtu>"));
	printed = frontend(QEMU_UNKNOWN, all);
	assert_non_null(strstr(printed.xml, "\n  <!-- <mtu size='9000'/> -->\n"));
}

static void
test_quoting(void **state)
{
	static const char *const keys[] = {"socket=/s/a,b,,c d&<>'\"\xc3\xa9.sock", NULL};
	struct port_frontend printed = frontend(QEMU_VERSION(11, 1), keys);

	(void)state;
	assert_string_equal(argument(&printed, "-chardev"),
		"socket,id=chr-vm1,path=/s/a,,b,,,,c d&<>'\"\xc3\xa9.sock,reconnect-ms=1000");
	assert_non_null(strstr(
		printed.xml, "path='/s/a,b,,c d&amp;&lt;&gt;&apos;&quot;\xc3\xa9.sock' mode"));
}

/** The longest path fits, with characters that need most space when quoted. */
static void
test_longest(void **state)
{
	static const char characters[] = ",\"";

	(void)state;
	for (const char *c = characters; *c != '\0'; c++) {
		char key[16 + VHOST_PATH_MAX] = "socket=/";
		const char *const keys[] = {key, "queues=128", "packed=on", "mtu=65535", NULL};

		memset(key + strlen(key), *c, VHOST_PATH_MAX - 2);
		struct port_frontend printed = frontend(QEMU_VERSION(10, 0), keys);
		const char *chardev = argument(&printed, "-chardev");
		assert_string_equal(chardev + strlen(chardev) - 18, ",reconnect-ms=1000");
		assert_non_null(strstr(printed.xml, "</interface>\n"));
	}
}

static void
test_unprintable_paths(void **state)
{
	static const char *const bad[] = {"/a\nb", "/a\tb", "/a\x7f", "/\x01", "/\xc2\x85",
		"/\xc2\x9b[1m", "/\xef\xbf\xbe", "/\xef\xbf\xbf"};
	static const char *const good[] = {
		"/a b", "/\xc2\xa0", "/\xc3\x85", "/\xef\xbf\xbd", "/\xef", "/\xef\xbf", "/\xc2"};
	static struct port port;

	(void)state;
	for (size_t i = 0; i < COUNT(bad) + COUNT(good); i++) {
		char key[32];
		const char *const keys[] = {key, NULL};
		struct err err = {0};
		bool fine = i >= COUNT(bad);

		snprintf(key, sizeof(key), "socket=%s", fine ? good[i - COUNT(bad)] : bad[i]);
		assert_int_equal(configure(&port, keys, &err), fine ? 0 : -EINVAL);
		if (!fine)
			assert_non_null(strstr(err.text, "socket: control characters"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_versions),
		cmocka_unit_test(test_client_is_the_same_for_every_version),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_unprintable_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
