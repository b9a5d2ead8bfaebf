/* SPDX-License-Identifier: BSD-3-Clause */
/* Build a snapshot from the state of the switch and publish it. */
#include <unistd.h>

#include "base/log.h"
#include "control/vswitch.h"
#include "features/state.h"
#include "features/table.h"

LOG_MODULE(control);

/** Drop and count the frames that wait in features of ports that are down. */
static void
publish_purge_down(struct vswitch *vswitch)
{
	struct vswitch_port *port;

	TAILQ_FOREACH(port, &vswitch->ports, next)
		if (!vswitch->up[port->port.id])
			datapath_count_drops(vswitch->datapath, port->port.id, DROP_LINK_DOWN,
				features_purge(&port->port));
}

void
vswitch_publish(struct vswitch *vswitch)
{
	struct snapshot *snapshot;

	for (unsigned i = 0; i < vswitch->n_queues; i++)
		vswitch->queue[i].active = vswitch->up[vswitch->queue[i].port->id];
	do {
		/* Undoing the change would need memory as well: wait for it. */
		snapshot = snapshot_build(features, vswitch->feature_state, vswitch->by_id,
			vswitch->up, vswitch->queue, vswitch->n_queues);
		if (snapshot == NULL)
			log_error("no memory to change the data path; trying again");
	} while (snapshot == NULL && usleep(100000) == 0);
	datapath_publish(vswitch->datapath, snapshot);
	publish_purge_down(vswitch);
}

void
vswitch_publish_defer(struct vswitch *vswitch)
{
	vswitch->publish_deferred = true;
}

void
vswitch_publish_resume(struct vswitch *vswitch)
{
	vswitch->publish_deferred = false;
	vswitch_publish(vswitch);
}
