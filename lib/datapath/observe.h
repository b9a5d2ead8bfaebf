/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who looks at a port's frames: the port that gets a copy of them, and captures. Ports that nobody
 * looks at have no observers, and their frames take the way that does not ask.
 *
 * Thread safety: built by the control thread with each snapshot, constant once published; what the
 * captures hold is said in capture/capture.h.
 */
#ifndef SHUNT_DATAPATH_OBSERVE_H
#define SHUNT_DATAPATH_OBSERVE_H

#include "capture/capture.h"
#include "port/port.h"

/** Of one port. */
struct observers {
	uint16_t mirror_rx; /**< port that also sends what is received here; PORT_NONE = none */
	uint16_t mirror_tx; /**< port that also sends what leaves here */
	uint16_t captures;
	struct capture *capture[PORT_CAPTURES_MAX];
};

/** Does anybody look at this port? */
bool observers_are_there(const struct port *port);

/** Those of a port. */
void observers_build(struct observers *observers, const struct port *port);

#endif
