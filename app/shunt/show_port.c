/* SPDX-License-Identifier: BSD-3-Clause */
/* Details of a port, and its QEMU arguments and libvirt XML, as text. */
#include "show.h"

#include <errno.h>
#include <string.h>

enum { SHOW_INDENT = 2, SHOW_DEPTH_MAX = 4 };

/** @return width of the widest key with indentation in an object and its nested objects */
static size_t
show_key_width(const json_t *object, size_t depth)
{
	size_t width = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		size_t n = text_width(key) + depth * SHOW_INDENT;

		width = n > width ? n : width;
		if (json_is_object(value) && depth < SHOW_DEPTH_MAX) {
			n = show_key_width(value, depth + 1);
			width = n > width ? n : width;
		}
	}
	return width;
}

static void show_value(const struct show *show, const json_t *value);

/** Print an object within a line: "queue=0 lcore=1". */
static void
show_inline(const struct show *show, const json_t *object)
{
	const char *gap = "";
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		fputs(gap, show->file);
		show_text(show, key);
		putc('=', show->file);
		show_value(show, value);
		gap = " ";
	}
}

/** Print a list in one line: "1 2 3". */
static void
show_words(const struct show *show, const json_t *list)
{
	const json_t *value;
	size_t i;

	if (json_array_size(list) == 0)
		putc('-', show->file);
	json_array_foreach(list, i, value) {
		if (i > 0)
			putc(' ', show->file);
		show_value(show, value);
	}
}

static void
show_value(const struct show *show, const json_t *value)
{
	char text[TEXT_NUMBER_MAX];

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		show_inline(show, value);
		break;
	case JSON_ARRAY:
		show_words(show, value);
		break;
	case JSON_STRING:
		show_text(show, json_string_value(value));
		break;
	case JSON_INTEGER:
		if (json_integer_value(value) < 0)
			fprintf(show->file, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		else
			fputs(text_count((uint64_t)json_integer_value(value), text), show->file);
		break;
	case JSON_REAL:
		fprintf(show->file, "%g", json_real_value(value));
		break;
	case JSON_NULL:
		putc('-', show->file);
		break;
	default:
		fputs(json_is_true(value) ? "on" : "off", show->file);
	}
}

/** Print a list of objects, one per line. */
static void
show_lines(const struct show *show, const json_t *list, size_t column)
{
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value) {
		if (i > 0)
			fprintf(show->file, "%*s", (int)column, "");
		show_value(show, value);
		putc('\n', show->file);
	}
}

/** Print one key per line, nested objects indented below their key. */
static void
show_pairs(const struct show *show, const json_t *object, size_t depth, size_t width)
{
	size_t indent = depth * SHOW_INDENT;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		bool nested = json_is_object(value) && json_object_size(value) > 0 &&
			      depth < SHOW_DEPTH_MAX;

		fprintf(show->file, "%*s", (int)indent, "");
		show_text(show, key);
		putc(':', show->file);
		if (nested) {
			putc('\n', show->file);
			show_pairs(show, value, depth + 1, width);
			continue;
		}
		fprintf(show->file, "%*s", (int)(width - indent - text_width(key) + 1), "");
		if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
			show_lines(show, value, width + 2);
			continue;
		}
		show_value(show, value);
		putc('\n', show->file);
	}
}

int
show_port(const struct show *show, const json_t *result)
{
	if (!json_is_object(result))
		return -EPROTO;
	show_pairs(show, result, 0, show_key_width(result, 0));
	return 0;
}

/** Print "-option value" with the value quoted for a shell. */
static void
show_argument(const struct show *show, const char *arg)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "@%+=:,./_-";
	size_t option = strcspn(arg, " ");
	const char *value = arg[option] == ' ' ? arg + option + 1 : arg + option;

	fprintf(show->file, "%.*s", (int)(value - arg), arg);
	if (value[strspn(value, plain)] == '\0') {
		show_text(show, value);
		return;
	}
	putc('\'', show->file);
	for (const char *quote; (quote = strchr(value, '\'')) != NULL; value = quote + 1)
		fprintf(show->file, "%.*s'\\''", (int)(quote - value), value);
	show_text(show, value);
	putc('\'', show->file);
}

/** Print a piece of XML, after an empty line and a comment on its place in the domain's XML. */
static void
show_xml(const struct show *show, const json_t *result, const char *key, const char *where)
{
	const char *xml = json_string_value(json_object_get(result, key));

	if (xml == NULL || *xml == '\0')
		return;
	fprintf(show->file, "\n<!-- libvirt, in %s: -->\n", where);
	show_text(show, xml);
	if (xml[strlen(xml) - 1] != '\n')
		putc('\n', show->file);
}

int
show_qemu(const struct show *show, const json_t *result)
{
	const json_t *args = json_object_get(result, "qemu");
	const json_t *hints = json_object_get(result, "hints");
	const json_t *text;
	size_t i;

	if (!json_is_array(args))
		return -EPROTO;
	json_array_foreach(args, i, text) {
		if (!json_is_string(text))
			return -EPROTO;
		show_argument(show, json_string_value(text));
		fputs(" \\\n", show->file);
	}
	json_array_foreach(hints, i, text) {
		fputs(i == 0 ? "\n# " : "# ", show->file);
		show_text(show, json_is_string(text) ? json_string_value(text) : "");
		putc('\n', show->file);
	}
	show_xml(show, result, "libvirt_domain", "<domain>");
	show_xml(show, result, "libvirt", "<devices>");
	return 0;
}
