/* SPDX-License-Identifier: BSD-3-Clause */
/* Find a port of the switch by its name. */
#include <errno.h>
#include <string.h>

#include "control/vswitch.h"

struct vswitch_port *
vswitch_port_find(struct vswitch *vswitch, const char *name, struct err *err)
{
	struct vswitch_port *port;

	TAILQ_FOREACH(port, &vswitch->ports, next)
		if (strcmp(port->port.config.name, name) == 0)
			return port;
	err_set(err, ENOENT, "no port '%.40s'", name);
	return NULL;
}
