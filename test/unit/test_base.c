/* SPDX-License-Identifier: BSD-3-Clause */
/* Error texts, keys, Ethernet addresses. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/key.h"
#include "base/mac.h"
#include "base/qemu_version.h"

/* Error texts --------------------------------------------------------------------------------- */

static void
test_err_set(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ENOENT, "no port '%s'", "a"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "no port 'a'");
	assert_int_equal(err_set(NULL, EINVAL, "no process listens"), -EINVAL);
}

static void
test_err_prefix(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, EINVAL, "queues: too many");
	assert_int_equal(err_prefix(&err, "port %s", "vm1"), -EINVAL);
	assert_int_equal(err_prefix(&err, "%s:%d", "file", 7), -EINVAL);
	assert_string_equal(err.text, "file:7: port vm1: queues: too many");
	assert_int_equal(err_prefix(NULL, "port a"), 0);
}

/**
 * Prefixes and reasons of all lengths around the limit: the result is a terminated string that
 * begins with the prefix.
 */
static void
test_err_truncation(void **state)
{
	char long_text[2 * ERR_TEXT_MAX];
	struct err err;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (int length = ERR_TEXT_MAX - 5; length < ERR_TEXT_MAX + 5; length++) {
		memset(&err, 0xff, sizeof(err));
		err_set(&err, EINVAL, "%.*s", length, long_text);
		assert_int_equal(
			strlen(err.text), length < ERR_TEXT_MAX ? length : ERR_TEXT_MAX - 1);
		err_prefix(&err, "where");
		assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
		assert_memory_equal(err.text, "where: xxx", 10);
		err_set(&err, EINVAL, "reason");
		err_prefix(&err, "%.*s", length, long_text);
		assert_uint_in_range(strlen(err.text), ERR_TEXT_MAX - 5, ERR_TEXT_MAX - 1);
		assert_memory_equal(err.text, long_text, ERR_TEXT_MAX - 5);
	}
}

/* Keys ---------------------------------------------------------------------------------------- */

struct settings {
	char text[8];
	int64_t number;
	bool on;
	int64_t choice;
	int64_t octal;
	int64_t amount;
};

static const char *const words[] = {"red", "green", NULL};

#define SETTING(word, member, ...)                                                                 \
	{                                                                                          \
		.name = word, .offset = offsetof(struct settings, member), __VA_ARGS__             \
	}

static const struct key keys[] = {
	SETTING("text", text, .kind = KEY_TEXT, .size = sizeof(((struct settings *)0)->text)),
	SETTING("number", number, .kind = KEY_NUMBER, .min = -3, .max = 128),
	SETTING("switch", on, .kind = KEY_SWITCH),
	SETTING("choice", choice, .kind = KEY_CHOICE, .choices = words),
	SETTING("octal", octal, .kind = KEY_OCTAL, .max = 0777),
	SETTING("later", number, .kind = KEY_NUMBER, .later = true),
	SETTING("speed", amount, .kind = KEY_AMOUNT, .min = 500, .max = 2000000000000000,
		.noun = "rate", .unset = "off"),
	{0},
};

static void
test_key_find(void **state)
{
	(void)state;
	assert_ptr_equal(key_find(keys, "text"), &keys[0]);
	assert_ptr_equal(key_find(keys, "later"), &keys[5]);
	assert_null(key_find(keys, "tex"));
	assert_null(key_find(keys, ""));
}

/** A value that was set is printed, and the printed text sets the same value. */
static void
test_key_good(void **state)
{
	static const struct {
		const char *key, *value, *printed;
	} cases[] = {
		{"text", "a", "a"},
		{"text", "1234567", "1234567"},
		{"text", "\xc3\xa4", "\xc3\xa4"},
		{"number", "-3", "-3"},
		{"number", "128", "128"},
		{"number", "007", "7"},
		{"switch", "on", "on"},
		{"switch", "true", "on"},
		{"switch", "off", "off"},
		{"switch", "false", "off"},
		{"choice", "red", "red"},
		{"choice", "green", "green"},
		{"octal", "0660", "0660"},
		{"octal", "7", "0007"},
		{"octal", "0", "0000"},
		{"octal", "777", "0777"},
		{"speed", "off", "off"},
		{"speed", "500", "500"},
		{"speed", "1000", "1k"},
		{"speed", "1001", "1001"},
		{"speed", "1500k", "1500k"},
		{"speed", "2000000k", "2G"},
		{"speed", "1000M", "1G"},
		{"speed", "007T", "7T"},
		{"speed", "2000T", "2000T"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct key *key = key_find(keys, cases[i].key);
		struct settings one = {.text = "1234567", .number = 99}, other = {.choice = 7};
		char text[KEY_VALUE_MAX];
		struct err err;

		assert_int_equal(key_set(key, &one, cases[i].value, &err), 0);
		assert_string_equal(key_format(key, &one, text), cases[i].printed);
		assert_int_equal(key_set(key, &other, text, &err), 0);
		assert_true(key_equal(key, &one, &other));
	}
}

static void
test_key_bad(void **state)
{
	static const struct {
		const char *key, *value, *reason;
	} cases[] = {
		{"text", "", "text: must not be empty"},
		{"text", "12345678", "text: 8 bytes long, at most 7 are possible"},
		{"number", "", "number: '' is not a number from -3 to 128"},
		{"number", "-4", "number: '-4' is not a number from -3 to 128"},
		{"number", "129", "number: '129' is not a number from -3 to 128"},
		{"number", "5x", "number: '5x' is not a number from -3 to 128"},
		{"number", "0x5", "number: '0x5' is not a number from -3 to 128"},
		{"number", "5 ", "number: '5 ' is not a number from -3 to 128"},
		{"number", "99999999999999999999",
			"number: '99999999999999999999' is not a number from -3 to 128"},
		{"switch", "1", "switch: '1' is neither on nor off"},
		{"switch", "ON", "switch: 'ON' is neither on nor off"},
		{"choice", "blue", "choice: 'blue' is none of: red, green"},
		{"choice", "", "choice: '' is none of: red, green"},
		{"octal", "8", "octal: '8' is not an octal number from 0 to 777"},
		{"octal", "1000", "octal: '1000' is not an octal number from 0 to 777"},
		{"octal", "-1", "octal: '-1' is not an octal number from 0 to 777"},
		{"speed", "0", "speed: a rate of 0; from 500 to 2000T, or off, are possible"},
		{"speed", "0G", "speed: a rate of 0; from 500 to 2000T, or off, are possible"},
		{"speed", "499", "speed: '499' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "2001T", "speed: '2001T' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "", "speed: '' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "k", "speed: 'k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "1K", "speed: '1K' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "1kk", "speed: '1kk' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "1P", "speed: '1P' is neither a rate from 500 to 2000T, nor off"},
		{"speed", " 1k", "speed: ' 1k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "+1k", "speed: '+1k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "-1k", "speed: '-1k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "1.5k", "speed: '1.5k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "9223372036854775807k",
			"speed: '9223372036854775807k' is neither a rate from 500 to 2000T, nor off"},
		{"speed", "9223372036854775808",
			"speed: '9223372036854775808' is neither a rate from 500 to 2000T, nor off"},
		{"later", "1", "later: not yet supported"},
	};
	const struct settings before = {"abc", 42, true, 1, 0644, 5};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct settings settings = before;
		struct err err;

		assert_int_equal(
			key_set(key_find(keys, cases[i].key), &settings, cases[i].value, &err),
			-EINVAL);
		assert_string_equal(err.text, cases[i].reason);
		assert_memory_equal(&settings, &before, sizeof(before));
	}
}

static void
test_key_equal(void **state)
{
	struct settings one = {"abc", 42, true, 1, 0644, 5}, other = one;

	(void)state;
	/* A shorter text leaves no remainder of the longer one. */
	assert_int_equal(key_set(&keys[0], &one, "1234567", NULL), 0);
	assert_false(key_equal(&keys[0], &one, &other));
	assert_int_equal(key_set(&keys[0], &one, "abc", NULL), 0);
	for (int i = 0; keys[i].name != NULL; i++)
		assert_true(key_equal(&keys[i], &one, &other));
	other = (struct settings){"abd", 43, false, 0, 0640, 6};
	for (int i = 0; keys[i].name != NULL; i++)
		assert_false(key_equal(&keys[i], &one, &other));
}

/* Addresses ----------------------------------------------------------------------------------- */

static void
test_mac_text(void **state)
{
	static const char *const bad[] = {"", "02", "02:00:00:00:00",
		"02:00:00:00:00:", "02:00:00:00:00:0", "02:00:00:00:00:01:", "02:00:00:00:00:01 ",
		"2:0:0:0:0:1", "02:00:00:00:00:0g", "02.00.00.00.00.01", "020000000001",
		":02:00:00:00:00:01", " 02:00:00:00:00:01", "02:00:00:00:00:01:02", "\xff\xff"};
	const uint8_t bytes[MAC_BYTES] = {0x02, 0x10, 0xab, 0xcd, 0xef, 0x01};
	char text[MAC_TEXT_MAX];
	uint64_t mac;

	(void)state;
	assert_int_equal(mac_parse("02:10:ab:cd:ef:01", &mac), 0);
	assert_true(mac == mac_load(bytes));
	assert_string_equal(mac_format(mac, text), "02:10:ab:cd:ef:01");
	assert_int_equal(mac_parse("02-10-AB-CD-EF-01", &mac), 0);
	assert_true(mac == mac_load(bytes));
	assert_int_equal(mac_parse("ff:ff:ff:ff:ff:ff", &mac), 0);
	assert_true(mac == MAC_MASK);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
	assert_true(mac == MAC_MASK);
}

static void
test_mac_kinds(void **state)
{
	static const struct {
		const char *text;
		bool group, reserved;
	} cases[] = {
		{"00:00:00:00:00:00", false, false},
		{"02:00:00:00:00:01", false, false},
		{"ff:ff:ff:ff:ff:ff", true, false},
		{"01:00:5e:00:00:01", true, false},
		{"01:80:c2:00:00:00", true, true},
		{"01:80:c2:00:00:0f", true, true},
		{"01:80:c2:00:00:10", true, false},
		{"01:80:c2:00:01:00", true, false},
		{"00:80:c2:00:00:00", false, false},
	};
	uint64_t mac;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(mac_parse(cases[i].text, &mac), 0);
		assert_int_equal(mac_is_group(mac), cases[i].group);
		assert_int_equal(mac_is_reserved(mac), cases[i].reserved);
	}
}

/* Versions of QEMU --------------------------------------------------------------------------- */

static void
test_qemu_version_parse(void **state)
{
	static const struct {
		const char *text;
		unsigned version;
	} good[] = {
		{"7.2", QEMU_VERSION(7, 2)},
		{"7.2.22", QEMU_VERSION(7, 2)},
		{"9.2", QEMU_VERSION(9, 2)},
		{"10.0", QEMU_VERSION(10, 0)},
		{"11.1.2", QEMU_VERSION(11, 1)},
		{"12.0", QEMU_VERSION(12, 0)},
		{"999.999.999", QEMU_VERSION(999, 999)},
	};
	static const char *const bad[] = {"", "7", "10", "7.1", "7.1.99", "6.2", "0.0", "10.", ".0",
		"10.0.", "10.0.1.2", "10.0x", "x10.0", " 10.0", "10.0 ", "-10.0", "+10.0", "10,0",
		"10.-1", "1000.0", "10.1000", "10.0.1000", "99999999999999999999.0", "10.0-rc1",
		"latest"};
	struct err err;
	unsigned version = 1;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(qemu_version_parse(bad[i], &version, &err), -EINVAL);
		assert_non_null(strstr(err.text, "no version from 7.2 on"));
		assert_int_equal(version, 1);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(qemu_version_parse(good[i].text, &version, &err), 0);
		assert_int_equal(version, good[i].version);
	}
	assert_true(QEMU_VERSION(7, 2) < QEMU_VERSION(9, 2));
	assert_true(QEMU_VERSION(9, 2) < QEMU_VERSION(10, 0));
	assert_int_equal(QEMU_MAJOR(QEMU_VERSION(11, 1)), 11);
	assert_int_equal(QEMU_MINOR(QEMU_VERSION(11, 1)), 1);
}

static void
test_qemu_version_find(void **state)
{
	static const struct {
		const char *printed;
		unsigned version;
	} cases[] = {
		{"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c)\n",
			QEMU_VERSION(7, 2)},
		{"QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)\n",
			QEMU_VERSION(10, 0)},
		{"QEMU emulator version 11.1.0-rc2\n", QEMU_VERSION(11, 1)},
		{"QEMU emulator version 9.2.50 (v9.2.0-11-gabc)\n", QEMU_VERSION(9, 2)},
		{"warning: something\nQEMU emulator version 6.2.0\n", QEMU_VERSION(6, 2)},
		{"", QEMU_UNKNOWN},
		{"QEMU emulator version ", QEMU_UNKNOWN},
		{"QEMU emulator version x.y\n", QEMU_UNKNOWN},
		{"QEMU emulator version 10\n", QEMU_UNKNOWN},
		{"10.0.13\n", QEMU_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(qemu_version_find(cases[i].printed), cases[i].version);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_set),
		cmocka_unit_test(test_err_prefix),
		cmocka_unit_test(test_err_truncation),
		cmocka_unit_test(test_key_find),
		cmocka_unit_test(test_key_good),
		cmocka_unit_test(test_key_bad),
		cmocka_unit_test(test_key_equal),
		cmocka_unit_test(test_mac_text),
		cmocka_unit_test(test_mac_kinds),
		cmocka_unit_test(test_qemu_version_parse),
		cmocka_unit_test(test_qemu_version_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
