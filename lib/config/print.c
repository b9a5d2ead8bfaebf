/* SPDX-License-Identifier: BSD-3-Clause */
/* Write the running configuration as YAML and JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/config.h"
#include "control/methods.h"
#include "lcore/topology.h"

enum { PRINT_WIDTH = 1000 };

/** Format the CPUs of polling lcores as a list, such as 1-3,8. */
static char *
print_lcores(const struct vswitch *vswitch, char text[TOPOLOGY_LIST_MAX])
{
	cpu_set_t polling;

	CPU_ZERO(&polling);
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		CPU_SET(vswitch->lcore[i].cpu, &polling);
	return topology_format(&polling, text);
}

/** Add the keys of features. */
static void
print_features(const struct vswitch *vswitch, json_t *json)
{
	for (unsigned i = 0; vswitch_features[i] != NULL; i++) {
		const struct feature *feature = vswitch_features[i]->feature;
		bool on = vswitch_feature_state(vswitch, feature) != NULL;
		json_object_set_new(json, feature->name, json_string(on ? "on" : "off"));
	}
}

json_t *
config_json(const struct config_target *target)
{
	const struct vswitch *vswitch = target->vswitch;
	char lcores[TOPOLOGY_LIST_MAX];
	struct vswitch_port *port;
	struct fdb_stats fdb;
	json_t *ports = json_object();

	fdb_get_stats(vswitch->fdb, &fdb);
	TAILQ_FOREACH(port, &vswitch->ports, next)
		json_object_set_new(ports, port->port.config.name,
			methods_port_config(&port->port.config, false));
	json_t *json = json_pack("{s:s, s:{s:i, s:i, s:i}}", "lcores",
		print_lcores(vswitch, lcores), "fdb", "capacity", (int)fdb.capacity, "ageing",
		(int)fdb_ageing(vswitch->fdb), "moves", (int)fdb_moves(vswitch->fdb));
	if (metrics_address(target->metrics)[0] != '\0')
		json_object_set_new(json, "metrics", json_string(metrics_address(target->metrics)));
	print_features(vswitch, json);
	json_object_set_new(json, "ports", ports);
	return json;
}

/** Add a scalar to the document. @return its node; 0: no memory */
static int
print_scalar(yaml_document_t *document, const char *text, bool quote)
{
	return yaml_document_add_scalar(document, NULL, (const yaml_char_t *)text, -1,
		quote ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);
}

/** Whether the value of a key is quoted: YAML readers may take such values for numbers. */
static bool
print_needs_quotes(const char *key)
{
	static const char *const quoted[] = {"lcores", "metrics", "device", "perm", NULL};

	for (int i = 0; quoted[i] != NULL; i++)
		if (strcmp(quoted[i], key) == 0)
			return true;
	return false;
}

/** Add a JSON value with its members to the document. @return its node; 0: no memory */
static int
print_node(yaml_document_t *document, const char *key, const json_t *value, int depth)
{
	char number[32];
	const char *member;
	json_t *child;

	if (json_is_string(value))
		return print_scalar(document, json_string_value(value), print_needs_quotes(key));
	if (json_is_integer(value)) {
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return print_scalar(document, number, false);
	}
	bool block = depth == 0 || strcmp(key, "ports") == 0;
	int mapping = yaml_document_add_mapping(
		document, NULL, block ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE);
	json_object_foreach((json_t *)(uintptr_t)value, member, child) {
		int name = print_scalar(document, member, false);
		yaml_document_append_mapping_pair(
			document, mapping, name, print_node(document, member, child, depth + 1));
	}
	return mapping;
}

/** yaml_write_handler_t: append to the stream in memory. @return 1; 0 on failure */
static int
print_write(void *arg, unsigned char *data, size_t length)
{
	return fwrite(data, 1, length, arg) == length;
}

char *
config_print(const struct config_target *target)
{
	json_t *json = config_json(target);
	yaml_document_t document;
	yaml_emitter_t emitter;
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL || json == NULL || !yaml_emitter_initialize(&emitter)) {
		json_decref(json);
		return NULL;
	}
	yaml_emitter_set_output(&emitter, print_write, memory);
	yaml_emitter_set_width(&emitter, PRINT_WIDTH);
	yaml_emitter_open(&emitter);
	yaml_document_initialize(&document, NULL, NULL, NULL, 1, 1);
	print_node(&document, "", json, 0);
	yaml_emitter_dump(&emitter, &document);
	yaml_emitter_close(&emitter);
	yaml_emitter_delete(&emitter);
	fclose(memory);
	json_decref(json);
	return text;
}
