/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports that name other ports: check changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/vswitch.h"
#include "features/table.h"

int
vswitch_check_relations(struct vswitch *vswitch, const char *name, const struct port_config *config,
	struct err *err)
{
	const struct port_config **set = calloc(vswitch->n_ports + 1, sizeof(const void *));
	const struct vswitch_port *port;
	unsigned n = 0, culprit = 0;

	if (set == NULL)
		return err_set(err, ENOMEM, "no memory");
	TAILQ_FOREACH(port, &vswitch->ports, next)
		if (strcmp(port->port.config.name, name) != 0)
			set[n++] = &port->port.config;
	if (config != NULL)
		set[n++] = config;
	int rc = features_relate(set, n, &culprit, err);
	if (rc < 0 && set[culprit] != config)
		err_prefix(err, "conflict with port %s", set[culprit]->name);
	free(set);
	return rc;
}
