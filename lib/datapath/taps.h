/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taps: mirror ports and captures of a port. Ports without mirror and capture have no taps, and
 * their frames take the fast path.
 *
 * Thread safety: built by the control thread with each snapshot, constant once published; for the
 * captures see capture/capture.h.
 */
#ifndef SHUNT_DATAPATH_TAPS_H
#define SHUNT_DATAPATH_TAPS_H

#include "capture/capture.h"
#include "port/port.h"

/** Taps of one port. */
struct taps {
	uint16_t mirror_rx; /**< port that sends a copy of received frames; PORT_NONE = none */
	uint16_t mirror_tx; /**< port that sends a copy of transmitted frames; PORT_NONE = none */
	uint16_t captures;
	struct capture *capture[PORT_CAPTURES_MAX];
};

/** Whether a port has a mirror or a capture. */
bool taps_are_needed(const struct port *port);

/** Fill in the taps of a port. Its captures must outlive them. */
void taps_build(struct taps *taps, const struct port *port);

#endif
