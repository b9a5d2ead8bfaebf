/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates of ports: meters and shapers are created before a change, and freed once unused. */
#include <errno.h>

#include "control/vswitch.h"
#include "features/police/keys.h"
#include "features/shape/keys.h"
#include "rate/shaper.h"

/* Twice the rounds that send the longest queue, at SHAPER_BURSTS bursts in each. */
enum { RATES_ROUNDS = 2 * SHAPER_SPACE_MAX / (SHAPER_BURSTS * FRAME_BURST) };

int
vswitch_rates_make(const struct vswitch_port *port, const struct port_config *config,
	struct vswitch_rates *rates, struct err *err)
{
	const atomic_uint *lcores = &port->port.services->senders;
	struct shaper *shaper = port->port.shaper;
	int64_t rate_in = police_config(config)->rate_in;
	const struct shape_config *shape = shape_config(config);
	unsigned space = (unsigned)shape->queue_out;

	rates->meter = rate_in != 0 ? port->port.meter : NULL;
	rates->shaper = NULL;
	if (shape->rate_out != 0) {
		bool fits = shaper != NULL && shaper_space(shaper) == space;
		rates->shaper =
			fits ? shaper : shaper_create(port->port.numa_node, space, lcores, err);
		if (rates->shaper == NULL)
			return -ENOMEM;
	}
	if (rate_in != 0 && rates->meter == NULL)
		rates->meter = meter_create(lcores);
	if (rate_in == 0 || rates->meter != NULL)
		return 0;
	if (rates->shaper != shaper)
		shaper_destroy(rates->shaper);
	return err_set(err, ENOMEM, "rate-in: no memory");
}

/** Send the frames in a shaper without a rate limit, before later frames overtake them. */
static void
rates_drain(struct vswitch *vswitch, struct vswitch_port *port)
{
	struct shape_config *config = port_section_change(&port->port.config, &shape_section);
	int64_t rate = config->rate_out;

	config->rate_out = 0;
	vswitch_publish(vswitch);
	for (unsigned i = 0; i < RATES_ROUNDS && shaper_backlog(port->port.shaper) > 0; i++)
		datapath_quiesce(vswitch->datapath);
	config->rate_out = rate;
}

void
vswitch_rates_swap(struct vswitch *vswitch, struct vswitch_port *port, struct vswitch_rates *rates)
{
	const struct vswitch_rates old = {port->port.meter, port->port.shaper};

	if (old.shaper != NULL && old.shaper != rates->shaper && vswitch->up[port->port.id])
		rates_drain(vswitch, port);
	port->port.meter = rates->meter;
	port->port.shaper = rates->shaper;
	*rates = old;
}

void
vswitch_rates_drop(
	struct vswitch *vswitch, const struct vswitch_port *port, struct vswitch_rates *rates)
{
	if (rates->shaper != NULL && rates->shaper != port->port.shaper) {
		vswitch_shaper_purge(vswitch, port, rates->shaper, DROP_RATE_QUEUE);
		shaper_destroy(rates->shaper);
	}
	if (rates->meter != port->port.meter)
		meter_destroy(rates->meter);
}
