/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_driver.h"

#include <errno.h>

#define FAKE_KEY(word, member, ...)                                                                \
	{                                                                                          \
		.name = word, .offset = offsetof(struct fake_config, member), __VA_ARGS__          \
	}

static const char *const modes[] = {"in", "out", NULL};

static const struct key fake_keys[] = {
	FAKE_KEY("path", path, .kind = KEY_TEXT, .size = FAKE_PATH_MAX),
	FAKE_KEY("speed", speed, .kind = KEY_NUMBER, .min = 1, .max = 100, .live = true),
	FAKE_KEY("fast", fast, .kind = KEY_SWITCH),
	FAKE_KEY("mode", mode, .kind = KEY_CHOICE, .choices = modes),
	FAKE_KEY("perm", perm, .kind = KEY_OCTAL, .max = 0777),
	{.name = "colour", .later = true},
	{0},
};

static const struct key no_keys[] = {{0}};

static void
fake_defaults(void *driver_config)
{
	struct fake_config *config = driver_config;

	config->speed = 10;
	config->mode = 1;
	config->perm = 0640;
}

static int
fake_check(const struct port_config *config, struct err *err)
{
	const struct fake_config *fake = (const void *)config->driver_config;

	if (fake->path[0] == '\0')
		return err_set(err, EINVAL, "path: a fake port needs one");
	return 0;
}

static void
bare_defaults(void *driver_config)
{
	(void)driver_config;
}

static int
bare_check(const struct port_config *config, struct err *err)
{
	(void)config;
	(void)err;
	return 0;
}

static const struct port_type fake_type = {
	.name = "fake", .keys = fake_keys, .defaults = fake_defaults};
static const struct port_type bare_type = {
	.name = "bare", .keys = no_keys, .defaults = bare_defaults};

static const struct port_driver fake_driver = {
	.type = &fake_type,
	.check = fake_check,
};

static const struct port_driver bare_driver = {
	.type = &bare_type,
	.check = bare_check,
};

const struct port_driver *const fake_drivers[] = {&fake_driver, &bare_driver, NULL};
