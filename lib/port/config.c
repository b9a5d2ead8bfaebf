/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "port/port.h"

#define PORT_KEY(word, member, ...)                                                                \
	{                                                                                          \
		.name = word, .offset = offsetof(struct port_config, member), __VA_ARGS__          \
	}
/* As lib/rate/bucket.h has the limits. */
#define PORT_RATE                                                                                  \
	.kind = KEY_AMOUNT, .min = 1000, .max = 1000000000000, .noun = "rate", .unset = "off",     \
	.live = true
#define PORT_BURST                                                                                 \
	.kind = KEY_AMOUNT, .min = 1, .max = 512000000, .noun = "burst", .unset = "auto",          \
	.live = true

enum {
	VLAN_LAST = 4094, /* IEEE 802.1Q table 9-2 */
	QUEUE_OUT = 1000, /* as Linux' txqueuelen */
};

static const char *const port_vlan_protocols[] = {"802.1Q", "802.1ad", NULL};
static const char *const port_mcast_routers[] = {"auto", "on", "off", NULL};
static const char *const port_policies[] = {"bridge", "vepa", "private", "passthru", NULL};
static const char *const port_mirror_directions[] = {"both", "rx", "tx", NULL};

const struct key port_common_keys[] = {
	PORT_KEY("enabled", enabled, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("numa", numa, .kind = KEY_NUMBER, .min = PORT_NUMA_AUTO, .max = 63),
	PORT_KEY("mac-limit", mac_limit, .kind = KEY_NUMBER, .max = 1048576, .live = true),
	PORT_KEY("vlan", vlan, .kind = KEY_NUMBER, .max = VLAN_LAST, .live = true),
	PORT_KEY("trunk", trunk, .kind = KEY_TEXT, .size = PORT_TRUNK_MAX, .optional = true,
		.live = true),
	PORT_KEY("native", native, .kind = KEY_NUMBER, .max = VLAN_LAST, .live = true),
	PORT_KEY("vlan-protocol", vlan_protocol, .kind = KEY_CHOICE, .choices = port_vlan_protocols,
		.live = true),
	PORT_KEY("policy", policy, .kind = KEY_CHOICE, .choices = port_policies, .live = true),
	PORT_KEY("uplink", uplink, .kind = KEY_TEXT, .size = PORT_NAME_MAX, .optional = true,
		.live = true),
	PORT_KEY("learn", learn, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("flood", flood, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("mcast-flood", mcast_flood, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("isolated", isolated, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("rate-in", rate_in, PORT_RATE),
	PORT_KEY("rate-out", rate_out, PORT_RATE),
	PORT_KEY("burst-in", burst_in, PORT_BURST),
	PORT_KEY("burst-out", burst_out, PORT_BURST),
	PORT_KEY("queue-out", queue_out, .kind = KEY_NUMBER, .min = 64, .max = 65536, .live = true),
	PORT_KEY("mirror", mirror, .kind = KEY_TEXT, .size = PORT_NAME_MAX, .optional = true,
		.live = true),
	PORT_KEY("mirror-direction", mirror_direction, .kind = KEY_CHOICE,
		.choices = port_mirror_directions, .live = true),
	PORT_KEY("sticky", sticky, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("macs", macs, .kind = KEY_TEXT, .size = PORT_MACS_TEXT, .optional = true,
		.live = true),
	PORT_KEY("macs-arp", macs_arp, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("storm", storm, .kind = KEY_NUMBER, .max = PORT_STORM_MAX, .live = true),
	PORT_KEY("fast-leave", fast_leave, .kind = KEY_SWITCH, .live = true),
	PORT_KEY("mcast-router", mcast_router, .kind = KEY_CHOICE, .choices = port_mcast_routers,
		.live = true),
	{0},
};

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

static const struct port_driver *
port_driver_find(const struct port_driver *const drivers[], const char *type, struct err *err)
{
	for (int i = 0; drivers[i] != NULL; i++)
		if (strcmp(drivers[i]->type, type) == 0)
			return drivers[i];
	for (int i = 0; port_types_later[i] != NULL; i++)
		if (strcmp(port_types_later[i], type) == 0) {
			err_set(err, EINVAL, "type: '%s' is not yet supported", type);
			return NULL;
		}
	err_set(err, EINVAL, "type: unknown port type '%.40s'; there are vhost and ethdev", type);
	return NULL;
}

void
port_config_defaults(struct port_config *config)
{
	config->enabled = true;
	config->numa = PORT_NUMA_AUTO;
	config->learn = true;
	config->flood = true;
	config->mcast_flood = true;
	config->queue_out = QUEUE_OUT;
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
	port_config_defaults(config);
	config->driver->defaults(config->driver_config);
	return 0;
}

int
port_config_set(struct port_config *config, const char *name, const char *value, struct err *err)
{
	const struct key *key = key_find(port_common_keys, name);

	if (key != NULL)
		return key_set(key, config, value, err);
	key = key_find(config->driver->keys, name);
	if (key != NULL)
		return key_set(key, config->driver_config, value, err);
	return err_set(err, EINVAL, "%.60s: a %s port has no such key", name, config->driver->type);
}

int
port_config_check(const struct port_config *config, struct err *err)
{
	return config->driver->check(config, err);
}

static bool
port_keys_are_live(const struct key keys[], const void *old, const void *new)
{
	for (const struct key *key = keys; key->name != NULL; key++)
		if (!key->later && !key->live && !key_equal(key, old, new))
			return false;
	return true;
}

bool
port_config_is_live(const struct port_config *old, const struct port_config *new)
{
	return old->driver == new->driver &&port_keys_are_live(port_common_keys, old, new) &&
	       port_keys_are_live(old->driver->keys, old->driver_config, new->driver_config);
}

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

	port_config_init(&defaults, drivers, config->name, config->driver->type, NULL);
	port_keys_visit(port_common_keys, config, all ? NULL : &defaults, visit, arg);
	port_keys_visit(config->driver->keys, config->driver_config,
		all ? NULL : defaults.driver_config, visit, arg);
}

void
port_fact(struct port_facts *facts, const char *name, const char *format, ...)
{
	va_list args;

	if (facts->n >= PORT_FACTS_MAX)
		return;
	facts->fact[facts->n].name = name;
	va_start(args, format);
	vsnprintf(facts->fact[facts->n++].value, KEY_VALUE_MAX, format, args);
	va_end(args);
}
