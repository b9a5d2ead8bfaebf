/* SPDX-License-Identifier: BSD-3-Clause */
/* Start and stop captures while frames flow. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "capture/capture.h"
#include "control/vswitch.h"

LOG_MODULE(control);

_Static_assert((int)CAPTURE_LCORES_MAX == (int)LCORE_MAX, "every polling lcore has a ring");

struct vswitch_capture *
vswitch_capture_start(struct vswitch *vswitch, struct vswitch_port *port,
	struct capture_config *config, struct err *err)
{
	if (vswitch->n_captures == PORT_CAPTURES_MAX) {
		err_set(err, EBUSY, "there are %d captures already", PORT_CAPTURES_MAX);
		return NULL;
	}
	struct vswitch_capture *capture = calloc(1, sizeof(*capture));
	if (capture == NULL) {
		err_set(err, ENOMEM, "no memory for a capture");
		return NULL;
	}
	config->lcores = vswitch->services.lcores;
	capture->port = port;
	capture->capture = capture_create(config, err);
	if (capture->capture == NULL) {
		free(capture);
		return NULL;
	}
	LIST_INSERT_HEAD(&vswitch->captures, capture, next);
	vswitch->n_captures++;
	port->port.capture[port->port.captures++] = capture->capture;
	vswitch_publish(vswitch);
	log_info("port %s: a capture begins", port->port.config.name);
	return capture;
}

/** Free a capture that no lcore uses any more. */
static void
capture_free(struct vswitch *vswitch, struct vswitch_capture *capture)
{
	LIST_REMOVE(capture, next);
	vswitch->n_captures--;
	capture_destroy(capture->capture);
	free(capture);
}

void
vswitch_capture_stop(struct vswitch *vswitch, struct vswitch_capture *capture)
{
	struct port *port = &capture->port->port;
	unsigned kept = 0;

	for (unsigned i = 0; i < port->captures; i++)
		if (port->capture[i] != capture->capture)
			port->capture[kept++] = port->capture[i];
	port->captures = kept;
	vswitch_publish(vswitch);
	log_info("port %s: a capture ends", port->config.name);
	capture_free(vswitch, capture);
}

void
vswitch_capture_port_deleted(struct vswitch *vswitch, const struct vswitch_port *port)
{
	struct vswitch_capture *capture = LIST_FIRST(&vswitch->captures);
	char reason[PORT_NAME_MAX + 32];

	snprintf(reason, sizeof(reason), "port %s is deleted", port->port.config.name);
	while (capture != NULL) {
		struct vswitch_capture *next = LIST_NEXT(capture, next);
		if (capture->port == port) {
			capture->ended(capture->arg, reason);
			capture_free(vswitch, capture);
		}
		capture = next;
	}
}
