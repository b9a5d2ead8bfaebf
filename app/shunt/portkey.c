/* SPDX-License-Identifier: BSD-3-Clause */
/* Port types and keys as terms with meanings, and as JSON. */
#include "portkey.h"

#include <string.h>

typedef void (*portkey_visit)(const struct key *key, const char *value, void *arg);

enum { PORTKEY_TERM_MAX = 2 * KEY_VALUE_MAX, PORTKEY_MEANING_MAX = 3 * KEY_VALUE_MAX };

/** Visit a table of keys with their defaults. */
static void
portkey_visit_table(const struct key keys[], const void *defaults, portkey_visit visit, void *arg)
{
	char text[KEY_VALUE_MAX];

	for (const struct key *key = keys; key->name != NULL; key++)
		visit(key, key_format(key, defaults, text), arg);
}

/** Visit the keys of a type, NULL = those common to all types, with their defaults. */
static void
portkey_visit_keys(const struct port_type *type, portkey_visit visit, void *arg)
{
	struct port_config config = {.name = ""};
	struct port_key_table table;

	if (type != NULL) {
		type->defaults(config.driver_config);
		portkey_visit_table(type->keys, config.driver_config, visit, arg);
		return;
	}
	port_config_defaults(&config);
	for (unsigned i = 0; port_key_table(&config, i, &table); i++)
		portkey_visit_table(table.keys, table.object, visit, arg);
}

/** Output of portkey_print(). */
struct portkey_terms {
	FILE *file;
	void (*print)(FILE *file, const char *term, const char *meaning);
};

/**
 * portkey_visit callback: print a key as a term with its meaning.
 *
 * @param arg struct portkey_terms
 */
static void
portkey_print_one(const struct key *key, const char *value, void *arg)
{
	char text[KEY_VALUE_MAX], term[PORTKEY_TERM_MAX], meaning[PORTKEY_MEANING_MAX];
	const struct portkey_terms *terms = arg;

	snprintf(term, sizeof(term), "%s=%s", key->name, key_values(key, text));
	snprintf(meaning, sizeof(meaning), "%s%s%s%s", key->help,
		value[0] != '\0' ? " (default: " : "", value, value[0] != '\0' ? ")" : "");
	terms->print(terms->file, term, meaning);
}

void
portkey_print(FILE *file, const struct port_type *type,
	void (*print)(FILE *file, const char *term, const char *meaning))
{
	portkey_visit_keys(type, portkey_print_one, &(struct portkey_terms){file, print});
}

/** Output of portkey_json(): a row for each key. */
struct portkey_rows {
	json_t *list;
	const char *type; /**< NULL = every type */
};

/** portkey_visit callback: append a row for a key. @param arg struct portkey_rows */
static void
portkey_append(const struct key *key, const char *value, void *arg)
{
	const struct portkey_rows *rows = arg;
	char values[KEY_VALUE_MAX];

	json_array_append_new(rows->list,
		json_pack("{s:s?, s:s, s:s, s:s, s:s}", "type", rows->type, "key", key->name,
			"values", key_values(key, values), "default", value, "help", key->help));
}

json_t *
portkey_json(void)
{
	struct portkey_rows rows = {.list = json_array()};

	for (const struct port_type *const *type = port_types; *type != NULL; type++) {
		rows.type = (*type)->name;
		portkey_visit_keys(*type, portkey_append, &rows);
	}
	rows.type = NULL;
	portkey_visit_keys(NULL, portkey_append, &rows);
	return rows.list;
}
