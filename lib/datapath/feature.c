/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds ports by name, for features whose keys name ports, and names of ports. */
#include "datapath/feature.h"

#include <string.h>

const struct port_config *
feature_find_config(const struct port_config *const configs[], unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(configs[i]->name, name) == 0)
			return configs[i];
	return NULL;
}

uint16_t
feature_port_id(struct port *const ports[PORT_MAX], const char *name)
{
	if (name[0] == '\0')
		return PORT_NONE;
	for (uint16_t id = 0; id < PORT_MAX; id++)
		if (ports[id] != NULL && strcmp(ports[id]->config.name, name) == 0)
			return id;
	return PORT_ABSENT;
}

const char *
feature_port_name(struct port *const ports[PORT_MAX], uint16_t id)
{
	return id < PORT_MAX && ports[id] != NULL ? ports[id]->config.name : "";
}
