/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The captures of a port: the state of the feature there.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_FEATURES_CAPTURE_CAPTURES_H
#define SHUNT_FEATURES_CAPTURE_CAPTURES_H

#include "capture/capture.h"
#include "datapath/feature.h"

enum { CAPTURES_MAX = 16 }; /* of all ports together */

/** A capture with its owner. */
struct captures_entry {
	struct capture *capture; /**< freed by its owner, or when the port is deleted */
	/** Called just before the capture is freed because its port is deleted. */
	void (*ended)(void *owner, const char *reason);
	void *owner;
};

/** State of the feature at a port, which has one while there are captures. */
struct captures {
	unsigned n;
	struct captures_entry entry[CAPTURES_MAX];
};

extern const struct feature capture_feature;

#endif
