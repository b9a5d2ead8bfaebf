/* SPDX-License-Identifier: BSD-3-Clause */
/* Read a configuration file in YAML into struct config. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/config.h"
#include "features/table.h"

enum { READER_KEYS_MAX = 96, READER_REASON_MAX = READER_KEYS_MAX + 128 };

/** State of the walk over a document. */
struct reader {
	struct config *config;
	const struct port_driver *const *drivers;
	yaml_document_t *document;
	struct err *err;
};

/** @return line of the file at which a node begins, from 1 */
static unsigned
read_node_line(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

/** Record a reason with file and line of a node. @return -EINVAL */
static int
read_fail(struct reader *reader, const yaml_node_t *node, const char *reason)
{
	return err_set(reader->err, EINVAL, "%s:%u: %s", reader->config->path, read_node_line(node),
		reason);
}

/** Prefix a recorded reason with file and line. @return -EINVAL */
static int
read_prefix(struct reader *reader, const yaml_node_t *node)
{
	err_prefix(reader->err, "%s:%u", reader->config->path, read_node_line(node));
	return -EINVAL;
}

/** Get the text of a scalar. @return NULL when the node is no scalar or its text contains NUL */
static const char *
read_scalar(const yaml_node_t *node)
{
	if (node == NULL || node->type != YAML_SCALAR_NODE)
		return NULL;
	const char *text = (const char *)node->data.scalar.value;
	return strlen(text) == node->data.scalar.length ? text : NULL;
}

/** Whether a key has not occurred before in its mapping: libyaml does not check uniqueness. */
static bool
read_key_is_new(
	const struct reader *reader, const yaml_node_t *mapping, const yaml_node_pair_t *pair)
{
	const char *text = read_scalar(yaml_document_get_node(reader->document, pair->key));

	for (const yaml_node_pair_t *old = mapping->data.mapping.pairs.start; old < pair; old++)
		if (strcmp(read_scalar(yaml_document_get_node(reader->document, old->key)), text) ==
			0)
			return false;
	return true;
}

/** Call `member` for each member of a mapping. @param what name of the mapping, for messages */
static int
read_mapping(struct reader *reader, const yaml_node_t *mapping, const char *what,
	int (*member)(struct reader *reader, const char *key, const yaml_node_t *key_node,
		const yaml_node_t *value, void *arg),
	void *arg)
{
	char reason[128];

	if (mapping->type != YAML_MAPPING_NODE) {
		snprintf(reason, sizeof(reason), "%s: must be a mapping of key: value", what);
		return read_fail(reader, mapping, reason);
	}
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
		pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		const char *text = read_scalar(key);
		if (text == NULL)
			return read_fail(reader, key, "a key must be a word");
		if (!read_key_is_new(reader, mapping, pair)) {
			snprintf(reason, sizeof(reason), "%.60s: given twice", text);
			return read_fail(reader, key, reason);
		}
		int rc = member(reader, text, key, value, arg);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/** Read a number from min to max. */
static int
read_number(struct reader *reader, const char *key, const yaml_node_t *value, uint32_t min,
	uint32_t max, uint32_t *number)
{
	int64_t parsed = 0;
	const struct key spec = {.name = key, .kind = KEY_NUMBER, .min = min, .max = max};
	const char *text = read_scalar(value);

	if (key_set(&spec, &parsed, text != NULL ? text : "", reader->err) < 0)
		return read_prefix(reader, value);
	*number = (uint32_t)parsed;
	return 0;
}

/** Append a word to a comma-separated list. */
static void
read_append_word(char words[READER_KEYS_MAX], const char *word)
{
	size_t used = strlen(words);

	snprintf(words + used, READER_KEYS_MAX - used, "%s%s", used > 0 ? ", " : "", word);
}

static const struct fdb_key {
	const char *name;
	uint32_t min, max;
	size_t offset; /* in struct fdb_config */
} fdb_keys[] = {
	{"capacity", FDB_CAPACITY_MIN, FDB_CAPACITY_MAX, offsetof(struct fdb_config, capacity)},
	{"ageing", FDB_AGEING_MIN, FDB_AGEING_MAX, offsetof(struct fdb_config, ageing)},
	{"moves", 1, FDB_MOVES_MAX, offsetof(struct fdb_config, moves)},
};

/** read_mapping() member: a key of `fdb`. @param arg struct fdb_config to set */
static int
read_fdb_key(struct reader *reader, const char *key, const yaml_node_t *key_node,
	const yaml_node_t *value, void *arg)
{
	char reason[READER_REASON_MAX], others[READER_KEYS_MAX] = "";

	for (size_t i = 0; i < RTE_DIM(fdb_keys); i++) {
		const struct fdb_key *known = &fdb_keys[i];

		read_append_word(others, known->name);
		if (strcmp(key, known->name) != 0)
			continue;
		snprintf(reason, sizeof(reason), "fdb.%s", key);
		return read_number(reader, reason, value, known->min, known->max,
			(uint32_t *)((char *)arg + known->offset));
	}
	snprintf(reason, sizeof(reason), "fdb.%.60s: no such key; there are %s", key, others);
	return read_fail(reader, key_node, reason);
}

/** read_mapping() member: a key of a port. @param arg struct config_port to set */
static int
read_port_key(struct reader *reader, const char *key, const yaml_node_t *key_node,
	const yaml_node_t *value, void *arg)
{
	struct config_port *port = arg;
	const char *text = read_scalar(value);
	char reason[128];

	if (strcmp(key, "type") == 0)
		return 0;
	if (text == NULL) {
		snprintf(reason, sizeof(reason), "port %s: %.60s: must be a single value",
			port->config.name, key);
		return read_fail(reader, key_node, reason);
	}
	if (port_config_set(&port->config, key, text, reader->err) == 0)
		return 0;
	err_prefix(reader->err, "port %s", port->config.name);
	return read_prefix(reader, key_node);
}

/** Get the type of a port, which decides what other keys it has. @return NULL = not given */
static const char *
read_port_type(struct reader *reader, const yaml_node_t *mapping)
{
	const char *key;

	if (mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
		pair < mapping->data.mapping.pairs.top; pair++) {
		key = read_scalar(yaml_document_get_node(reader->document, pair->key));
		if (key != NULL && strcmp(key, "type") == 0)
			return read_scalar(yaml_document_get_node(reader->document, pair->value));
	}
	return NULL;
}

/** Append space for a port to the array. read_port() counts the port once it is checked. */
static int
read_append_port(struct reader *reader, const yaml_node_t *key_node, struct config_port **added)
{
	struct config *config = reader->config;
	struct config_port *ports;

	if (config->n_ports == PORT_MAX)
		return read_fail(reader, key_node, "ports: there are too many");
	ports = reallocarray(config->ports, config->n_ports + 1, sizeof(*ports));
	if (ports == NULL)
		return read_fail(reader, key_node, "no memory");
	config->ports = ports;
	*added = &ports[config->n_ports];
	(*added)->line = read_node_line(key_node);
	return 0;
}

/** read_mapping() member: a port, by its name. */
static int
read_port(struct reader *reader, const char *name, const yaml_node_t *key_node,
	const yaml_node_t *value, void *arg)
{
	struct config_port *port = NULL;
	const char *type = read_port_type(reader, value);
	char reason[128];
	int rc;

	(void)arg;
	if (type == NULL) {
		snprintf(reason, sizeof(reason), "port %.40s: type: missing", name);
		return read_fail(reader, key_node, reason);
	}
	rc = read_append_port(reader, key_node, &port);
	if (rc < 0)
		return rc;
	if (port_config_init(&port->config, reader->drivers, name, type, reader->err) < 0) {
		err_prefix(reader->err, "port %.40s", name);
		return read_prefix(reader, key_node);
	}
	rc = read_mapping(reader, value, name, read_port_key, port);
	if (rc < 0)
		return rc;
	if (port_config_check(&port->config, reader->err) < 0 ||
		features_check(&port->config, reader->err) < 0) {
		err_prefix(reader->err, "port %s", name);
		return read_prefix(reader, key_node);
	}
	reader->config->n_ports++;
	return 0;
}

/** Read `lcores`; its CPUs are checked when the file is applied. */
static int
read_lcores(struct reader *reader, const yaml_node_t *value)
{
	const char *text = read_scalar(value);

	if (text == NULL || text[0] == '\0' || strlen(text) >= CONFIG_LCORES_MAX)
		return read_fail(
			reader, value, "lcores: must be a list such as \"1-3,8\", or auto");
	strcpy(reader->config->lcores, text);
	reader->config->lcores_line = read_node_line(value);
	return 0;
}

/** Read the key of a feature, on or off. */
static int
read_feature(struct reader *reader, const struct feature *feature, const yaml_node_t *value)
{
	const struct key spec = {.name = feature->name, .kind = KEY_SWITCH};
	bool *on = &reader->config->on[features_index(feature)];
	const char *text = read_scalar(value);

	if (key_set(&spec, on, text != NULL ? text : "", reader->err) < 0)
		return read_prefix(reader, value);
	return 0;
}

/** Whether a node is empty, `~` or `null`. */
static bool
read_is_null(const yaml_node_t *node)
{
	const char *text = read_scalar(node);

	return text != NULL &&
	       (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/** Read `metrics`, the address of the HTTP server. */
static int
read_metrics(struct reader *reader, const yaml_node_t *value)
{
	const char *text = read_scalar(value);

	if (read_is_null(value))
		return 0;
	if (text == NULL)
		return read_fail(
			reader, value, "metrics: must be an address such as 127.0.0.1:9469");
	if (metrics_check(text, reader->err) < 0)
		return read_prefix(reader, value);
	strcpy(reader->config->metrics, text);
	reader->config->metrics_line = read_node_line(value);
	return 0;
}

/** Read the mapping `fdb`. */
static int
read_fdb(struct reader *reader, const yaml_node_t *value)
{
	return read_mapping(reader, value, "fdb", read_fdb_key, &reader->config->fdb);
}

/** Read the mapping `ports`. */
static int
read_ports(struct reader *reader, const yaml_node_t *value)
{
	return read_is_null(value) ? 0 : read_mapping(reader, value, "ports", read_port, NULL);
}

static const struct reader_key {
	const char *name;
	int (*read)(struct reader *reader, const yaml_node_t *value);
} reader_keys[] = {
	{"lcores", read_lcores},
	{"fdb", read_fdb},
	{"metrics", read_metrics},
};

/** read_mapping() member: a key of the top level. */
static int
read_top_key(struct reader *reader, const char *key, const yaml_node_t *key_node,
	const yaml_node_t *value, void *arg)
{
	char reason[READER_REASON_MAX], others[READER_KEYS_MAX] = "";

	(void)arg;
	for (size_t i = 0; i < RTE_DIM(reader_keys); i++) {
		if (strcmp(key, reader_keys[i].name) == 0)
			return reader_keys[i].read(reader, value);
		read_append_word(others, reader_keys[i].name);
	}
	for (unsigned i = 0; vswitch_features[i] != NULL; i++) {
		const struct feature *feature = vswitch_features[i]->feature;
		if (strcmp(key, feature->name) == 0)
			return read_feature(reader, feature, value);
		read_append_word(others, feature->name);
	}
	if (strcmp(key, "ports") == 0)
		return read_ports(reader, value);
	read_append_word(others, "ports");
	snprintf(reason, sizeof(reason), "%.60s: no such key; there are %s", key, others);
	return read_fail(reader, key_node, reason);
}

/** Line of a parser error. For bytes that are no valid text libyaml gives the offset only. */
static size_t
read_error_line(const yaml_parser_t *parser, const char *text, size_t length)
{
	size_t line = 1;

	if (parser->error != YAML_READER_ERROR)
		return parser->problem_mark.line + 1;
	for (size_t i = 0; i < length && i < parser->problem_offset; i++)
		line += text[i] == '\n';
	return line;
}

/** Read the one document of a file. @return -EBADMSG when it is no YAML, without a reason */
static int
read_document(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t document, next;
	int rc = 0;

	if (!yaml_parser_load(parser, &document))
		return -EBADMSG;
	const yaml_node_t *root = yaml_document_get_root_node(&document);
	reader->document = &document;
	if (root != NULL && !read_is_null(root))
		rc = read_mapping(reader, root, "the file", read_top_key, NULL);
	reader->document = NULL;
	yaml_document_delete(&document);
	if (rc < 0 || root == NULL)
		return rc;
	if (!yaml_parser_load(parser, &next))
		return -EBADMSG;
	root = yaml_document_get_root_node(&next);
	if (root != NULL)
		rc = read_fail(reader, root, "a second document; there must be one");
	yaml_document_delete(&next);
	return rc;
}

/** Check ports that name other ports, once all of the file has been read. */
static int
read_relations(const struct reader *reader)
{
	const struct config *config = reader->config;
	const struct port_config **set = calloc(config->n_ports + 1, sizeof(const void *));
	unsigned culprit = 0;

	if (set == NULL)
		return err_set(reader->err, ENOMEM, "%s: no memory", config->path);
	for (unsigned i = 0; i < config->n_ports; i++)
		set[i] = &config->ports[i].config;
	int rc = features_relate(set, config->n_ports, &culprit, reader->err);
	if (rc < 0) {
		err_prefix(reader->err, "%s:%u: port %s", config->path, config->ports[culprit].line,
			set[culprit]->name);
		/* -ENOENT would mean that the file does not exist. */
		rc = -EINVAL;
		if (reader->err != NULL)
			reader->err->code = rc;
	}
	free(set);
	return rc;
}

int
config_parse(struct config *config, const char *text, size_t length,
	const struct port_driver *const drivers[], struct err *err)
{
	struct reader reader = {.config = config, .drivers = drivers, .err = err};
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		return err_set(err, ENOMEM, "%s: no memory", config->path);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	int rc = read_document(&reader, &parser);
	if (rc == -EBADMSG)
		rc = err_set(err, EINVAL, "%s:%zu: %s", config->path,
			read_error_line(&parser, text, length),
			parser.problem != NULL ? parser.problem : "no YAML");
	yaml_parser_delete(&parser);
	return rc < 0 ? rc : read_relations(&reader);
}

int
config_read(struct config *config, const char *path, const struct port_driver *const drivers[],
	struct err *err)
{
	memset(config, 0, sizeof(*config));
	if (strlen(path) >= sizeof(config->path))
		return err_set(err, ENAMETOOLONG, "%.80s...: path too long", path);
	strcpy(config->path, path);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	char *text = malloc(CONFIG_FILE_MAX + 1);
	size_t length = text == NULL ? 0 : fread(text, 1, CONFIG_FILE_MAX + 1, file);
	int rc;
	if (text == NULL || ferror(file))
		rc = err_set(err, EIO, "%s: cannot be read", path);
	else if (length > CONFIG_FILE_MAX)
		rc = err_set(err, EFBIG, "%s: over %d bytes long", path, CONFIG_FILE_MAX);
	else
		rc = config_parse(config, text, length, drivers, err);
	fclose(file);
	free(text);
	return rc;
}

void
config_free(struct config *config)
{
	free(config->ports);
	config->ports = NULL;
	config->n_ports = 0;
}
