/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets, compares and lists the keys of ports, and adds entries of port info. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "port/port.h"

static const char *const port_types_later[] = {"vf", "tap", "stream", "vde", "dgram", NULL};

static int
port_name_check(const char *name, struct err *err)
{
	size_t length = strlen(name);
	bool good = length > 0 && isalnum((unsigned char)name[0]);

	for (const char *c = name; *c != '\0'; c++)
		good = good && (isalnum((unsigned char)*c) || strchr("._-", *c) != NULL);
	if (!good)
		return err_set(err, EINVAL,
			"port name '%.40s': letters, digits and . _ - only, a letter or digit first",
			name);
	if (length >= PORT_NAME_MAX)
		return err_set(err, EINVAL, "port name '%.40s': at most %d characters", name,
			PORT_NAME_MAX - 1);
	return 0;
}

/** Find the driver of a port type. @return NULL with the reason in err */
static const struct port_driver *
port_driver_find(const struct port_driver *const drivers[], const char *type, struct err *err)
{
	char types[ERR_TEXT_MAX / 2] = "";
	size_t used = 0;

	for (int i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->type->name, type) == 0)
			return drivers[i];
	for (int i = 0; port_types_later[i] != NULL; i++)
		if (strcmp(port_types_later[i], type) == 0) {
			err_set(err, EINVAL, "type: '%s' is not yet supported", type);
			return NULL;
		}
	for (int i = 0; drivers[i] != NULL && used < sizeof(types); i++)
		used += (size_t)snprintf(types + used, sizeof(types) - used, "%s%s",
			i > 0 ? ", " : "", drivers[i]->type->name);
	err_set(err, EINVAL, "type: unknown port type '%.40s'; there are %s", type, types);
	return NULL;
}

int
port_config_init(struct port_config *config, const struct port_driver *const drivers[],
	const char *name, const char *type, struct err *err)
{
	int rc = port_name_check(name, err);

	if (rc < 0)
		return rc;
	memset(config, 0, sizeof(*config));
	strcpy(config->name, name);
	config->driver = port_driver_find(drivers, type, err);
	if (config->driver == NULL)
		return -EINVAL;
	if (!port_config_defaults(config))
		return err_set(err, ENOSPC, "the features' keys do not fit into a configuration");
	config->driver->type->defaults(config->driver_config);
	return 0;
}

int
port_config_set(struct port_config *config, const char *name, const char *value, struct err *err)
{
	struct port_key_table table;

	for (unsigned i = 0; port_key_table(config, i, &table); i++) {
		const struct key *key = key_find(table.keys, name);
		if (key != NULL)
			return key_set(key, table.object, value, err);
	}
	const struct key *key = key_find(config->driver->type->keys, name);
	if (key != NULL)
		return key_set(key, config->driver_config, value, err);
	return err_set(
		err, EINVAL, "%.60s: a %s port has no such key", name, config->driver->type->name);
}

int
port_config_check(const struct port_config *config, struct err *err)
{
	return config->driver->check(config, err);
}

/** Whether all keys that differ are live. */
static bool
port_keys_are_live(const struct key keys[], const void *old, const void *changed)
{
	for (const struct key *key = keys; key->name != NULL; key++)
		if (!key->later && !key->live && !key_equal(key, old, changed))
			return false;
	return true;
}

/** As port_key_table(), of a constant configuration: the object must not be written. */
static bool
port_key_table_of(const struct port_config *config, unsigned number, struct port_key_table *table)
{
	return port_key_table((struct port_config *)(uintptr_t)config, number, table);
}

bool
port_config_is_live(const struct port_config *old, const struct port_config *changed)
{
	struct port_key_table before, after;

	if (old->driver != changed->driver)
		return false;
	for (unsigned i = 0;
		port_key_table_of(old, i, &before) && port_key_table_of(changed, i, &after); i++)
		if (!port_keys_are_live(before.keys, before.object, after.object))
			return false;
	return port_keys_are_live(
		old->driver->type->keys, old->driver_config, changed->driver_config);
}

/** Visit the keys of one table. @param defaults skips keys that equal these; NULL visits all */
static void
port_keys_visit(const struct key keys[], const void *object, const void *defaults,
	void (*visit)(const struct key *key, const char *value, void *arg), void *arg)
{
	char value[KEY_VALUE_MAX];

	for (const struct key *key = keys; key->name != NULL; key++)
		if (!key->later && (defaults == NULL || !key_equal(key, object, defaults)))
			visit(key, key_format(key, object, value), arg);
}

void
port_config_visit(const struct port_config *config, bool all,
	void (*visit)(const struct key *key, const char *value, void *arg), void *arg)
{
	const struct port_driver *const drivers[] = {config->driver, NULL};
	struct port_config defaults;
	struct port_key_table table, plain;

	port_config_init(&defaults, drivers, config->name, config->driver->type->name, NULL);
	for (unsigned i = 0;
		port_key_table_of(config, i, &table) && port_key_table_of(&defaults, i, &plain);
		i++)
		port_keys_visit(table.keys, table.object, all ? NULL : plain.object, visit, arg);
	port_keys_visit(config->driver->type->keys, config->driver_config,
		all ? NULL : defaults.driver_config, visit, arg);
}

void
port_info_add(struct port_info *info, const char *name, const char *format, ...)
{
	va_list args;

	if (info->n >= PORT_INFO_MAX)
		return;
	info->entry[info->n].name = name;
	va_start(args, format);
	vsnprintf(info->entry[info->n++].value, KEY_VALUE_MAX, format, args);
	va_end(args);
}
