/* SPDX-License-Identifier: BSD-3-Clause */
/* The keys of ports of every type, and their defaults. */
#include "port/keys.h"

#include "port/key_rows.h"

enum { PORT_NUMA_LAST = 63 };

/* clang-format off: rows read better than blocks */
static const struct key port_common_keys[] = {
	KEY_ROW(struct port_config, enabled, "enabled", "whether the port passes frames",
		KEY_ROW_SWITCH),
	{.name = "numa",
		.offset = offsetof(struct port_config, numa),
		.help = "NUMA node whose memory and lcores serve the port; -1 = any",
		.min = PORT_NUMA_AUTO,
		KEY_ROW_NUMBER(PORT_NUMA_LAST)},
	{0},
};
/* clang-format on */

/** Get the offset of a section, or of the end of all sections for NULL. */
static size_t
port_section_offset(const struct port_section *section)
{
	size_t offset = 0;

	for (unsigned i = 0; port_sections[i] != section; i++)
		offset += (port_sections[i]->size + 7) & ~(size_t)7;
	return offset;
}

const void *
port_section_get(const struct port_config *config, const struct port_section *section)
{
	return config->sections + port_section_offset(section);
}

void *
port_section_change(struct port_config *config, const struct port_section *section)
{
	return config->sections + port_section_offset(section);
}

bool
port_key_table(struct port_config *config, unsigned number, struct port_key_table *table)
{
	if (number == 0) {
		*table = (struct port_key_table){port_common_keys, config};
		return true;
	}
	const struct port_section *section = port_sections[number - 1];
	if (section == NULL)
		return false;
	*table = (struct port_key_table){section->keys, port_section_change(config, section)};
	return true;
}

bool
port_config_defaults(struct port_config *config)
{
	if (port_section_offset(NULL) > PORT_SECTIONS_MAX)
		return false;
	config->enabled = true;
	config->numa = PORT_NUMA_AUTO;
	for (unsigned i = 0; port_sections[i] != NULL; i++)
		if (port_sections[i]->defaults != NULL)
			port_sections[i]->defaults(port_section_change(config, port_sections[i]));
	return true;
}
