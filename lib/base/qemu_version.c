/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses versions of QEMU, from a user or from the output of QEMU. */
#include "base/qemu_version.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { QEMU_VERSION_NUMBER_MAX = 999 };

/** Parse a number up to QEMU_VERSION_NUMBER_MAX. @return the text after it; NULL if it is none */
static const char *
qemu_version_number(const char *text, unsigned *number)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (*number = 0; isdigit((unsigned char)*text); text++) {
		*number = *number * 10 + (unsigned)(*text - '0');
		if (*number > QEMU_VERSION_NUMBER_MAX)
			return NULL;
	}
	return text;
}

/** Parse "10.0" or "10.0.13". @return the text after it; NULL if it is no version */
static const char *
qemu_version_numbers(const char *text, unsigned *version)
{
	unsigned major, minor, micro;

	text = qemu_version_number(text, &major);
	if (text == NULL || *text != '.')
		return NULL;
	text = qemu_version_number(text + 1, &minor);
	if (text == NULL)
		return NULL;
	*version = QEMU_VERSION(major, minor);
	return *text == '.' ? qemu_version_number(text + 1, &micro) : text;
}

int
qemu_version_parse(const char *text, unsigned *version, struct err *err)
{
	unsigned number;
	const char *end = qemu_version_numbers(text, &number);

	if (end == NULL || *end != '\0' || number < QEMU_OLDEST)
		return err_set(err, EINVAL,
			"qemu: '%.40s' is no version from 7.2 on, such as 10.0 or 11.1.2", text);
	*version = number;
	return 0;
}

unsigned
qemu_version_find(const char *printed)
{
	static const char before[] = "QEMU emulator version ";
	const char *at = strstr(printed, before);
	unsigned version;

	if (at == NULL || qemu_version_numbers(at + strlen(before), &version) == NULL)
		return QEMU_UNKNOWN;
	return version;
}
