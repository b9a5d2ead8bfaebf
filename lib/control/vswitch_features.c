/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Exchanges the state of features at ports, after the frames that wait there have been sent, and
 * turns features of the switch as a whole on and off.
 */
#include "base/log.h"
#include "control/vswitch.h"
#include "features/state.h"
#include "features/table.h"

LOG_MODULE(control);

#define CONTROL(name) extern const struct vswitch_feature name##_control;
#include "control_list.h"
#undef CONTROL

#define CONTROL(name) &name##_control,
const struct vswitch_feature *const vswitch_features[] = {
#include "control_list.h"
	NULL};

/** Send the frames that wait at a port without a rate limit, before later frames overtake them. */
static void
features_drain_port(struct vswitch *vswitch, struct vswitch_port *port)
{
	port->port.draining = true;
	vswitch_publish(vswitch);
	for (unsigned i = 0; i < FEATURE_DRAIN_ROUNDS && features_backlog(&port->port) > 0; i++)
		datapath_quiesce(vswitch->datapath);
	port->port.draining = false;
}

void
vswitch_features_swap(
	struct vswitch *vswitch, struct vswitch_port *port, struct features_state *state)
{
	if (vswitch->up[port->port.id] && features_lose_queue(&port->port, state))
		features_drain_port(vswitch, port);
	features_swap(&port->port, state);
}

void
vswitch_features_close(
	struct vswitch *vswitch, const struct vswitch_port *port, struct features_state *state)
{
	datapath_count_drops(vswitch->datapath, port->port.id, DROP_RATE_QUEUE,
		features_close(&port->port, state));
}

void *
vswitch_feature_state(const struct vswitch *vswitch, const struct feature *feature)
{
	return vswitch->feature_state[features_index(feature)];
}

int
vswitch_feature_set(
	struct vswitch *vswitch, const struct vswitch_feature *part, bool on, struct err *err)
{
	void **state = &vswitch->feature_state[features_index(part->feature)], *old = *state;

	if (on == (old != NULL))
		return 0;
	*state = on ? part->open(vswitch, err) : NULL;
	if (on && *state == NULL)
		return err->code;
	vswitch_publish(vswitch);
	/* After the publication no lcore uses the old state. */
	if (old != NULL)
		part->close(old);
	log_info("%s: %s", part->feature->name, on ? "on" : "off");
	return 0;
}

void
vswitch_features_destroy(struct vswitch *vswitch)
{
	for (unsigned i = 0; vswitch_features[i] != NULL; i++) {
		void *state = vswitch_feature_state(vswitch, vswitch_features[i]->feature);
		if (state != NULL)
			vswitch_features[i]->close(state);
	}
}

void
vswitch_features_forget(struct vswitch *vswitch, uint16_t port)
{
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->forget != NULL && vswitch->feature_state[f] != NULL)
			features[f]->forget(vswitch->feature_state[f], port);
}
