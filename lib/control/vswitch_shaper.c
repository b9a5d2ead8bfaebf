/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in the shapers of ports: drop those that cannot leave any more. */
#include "control/vswitch.h"
#include "rate/shaper.h"

void
vswitch_shaper_purge(struct vswitch *vswitch, const struct vswitch_port *port,
	struct shaper *shaper, enum drop_reason reason)
{
	datapath_count_drops(vswitch->datapath, port->port.id, reason, shaper_purge(shaper));
}

void
vswitch_shaper_purge_down(struct vswitch *vswitch)
{
	struct vswitch_port *port;

	TAILQ_FOREACH(port, &vswitch->ports, next)
		if (port->port.shaper != NULL && !vswitch->up[port->port.id])
			vswitch_shaper_purge(vswitch, port, port->port.shaper, DROP_LINK_DOWN);
}
