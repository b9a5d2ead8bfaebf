/* SPDX-License-Identifier: BSD-3-Clause */
/* Build a snapshot from the state of the switch and publish it. */
#include <unistd.h>

#include "base/log.h"
#include "control/vswitch.h"
#include "features/table.h"

LOG_MODULE(control);

/** Build a snapshot. @return NULL: no memory */
static struct snapshot *
publish_build(struct vswitch *vswitch)
{
	struct snapshot *snapshot = snapshot_build(
		features, vswitch->by_id, vswitch->up, vswitch->queue, vswitch->n_queues);

	if (snapshot != NULL && !vswitch_snoop_fill(vswitch, snapshot)) {
		snapshot_free(snapshot);
		return NULL;
	}
	return snapshot;
}

void
vswitch_publish(struct vswitch *vswitch)
{
	struct snapshot *snapshot;

	vswitch_snoop_prepare(vswitch);
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		vswitch->queue[i].active = vswitch->up[vswitch->queue[i].port->id];
	do {
		/* Undoing the change would need memory as well: wait for it. */
		snapshot = publish_build(vswitch);
		if (snapshot == NULL)
			log_error("no memory to change the data path; trying again");
	} while (snapshot == NULL && usleep(100000) == 0);
	datapath_publish(vswitch->datapath, snapshot);
	vswitch_shaper_purge_down(vswitch);
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
