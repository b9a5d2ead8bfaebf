/* SPDX-License-Identifier: BSD-3-Clause */
/* Port types and keys as terms with meanings, and as JSON. */
#include "portkey.h"

#include <string.h>

enum { PORTKEY_TERM_MAX = 2 * KEY_VALUE_MAX, PORTKEY_MEANING_MAX = 3 * KEY_VALUE_MAX };

/** The keys of a type with their defaults. */
struct portkeys {
	const struct key *keys;
	const void *defaults;
	struct port_config common;
};

static void
portkey_open(struct portkeys *keys, const struct port_type *type)
{
	memset(keys, 0, sizeof(*keys));
	if (type == NULL) {
		port_config_defaults(&keys->common);
		keys->keys = port_common_keys;
		keys->defaults = &keys->common;
	} else {
		type->defaults(keys->common.driver_config);
		keys->keys = type->keys;
		keys->defaults = keys->common.driver_config;
	}
}

void
portkey_print(FILE *file, const struct port_type *type,
	void (*print)(FILE *file, const char *term, const char *meaning))
{
	char text[KEY_VALUE_MAX], term[PORTKEY_TERM_MAX], meaning[PORTKEY_MEANING_MAX];
	struct portkeys keys;

	portkey_open(&keys, type);
	for (const struct key *key = keys.keys; key->name != NULL; key++) {
		snprintf(term, sizeof(term), "%s=%s", key->name, key_values(key, text));
		key_format(key, keys.defaults, text);
		snprintf(meaning, sizeof(meaning), "%s%s%s%s", key->help,
			text[0] != '\0' ? " (default: " : "", text, text[0] != '\0' ? ")" : "");
		print(file, term, meaning);
	}
}

static void
portkey_append(json_t *list, const struct port_type *type)
{
	char values[KEY_VALUE_MAX], text[KEY_VALUE_MAX];
	struct portkeys keys;

	portkey_open(&keys, type);
	for (const struct key *key = keys.keys; key->name != NULL; key++)
		json_array_append_new(
			list, json_pack("{s:s?, s:s, s:s, s:s, s:s}", "type",
				      type != NULL ? type->name : NULL, "key", key->name, "values",
				      key_values(key, values), "default",
				      key_format(key, keys.defaults, text), "help", key->help));
}

json_t *
portkey_json(void)
{
	json_t *list = json_array();

	for (const struct port_type *const *type = port_types; *type != NULL; type++)
		portkey_append(list, *type);
	portkey_append(list, NULL);
	return list;
}
