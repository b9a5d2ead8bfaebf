/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mirroring of a port's frames: the keys, without DPDK.
 *
 * Thread safety: constants.
 */
#ifndef SHUNT_FEATURES_MIRROR_KEYS_H
#define SHUNT_FEATURES_MIRROR_KEYS_H

#include "port/keys.h"

/** Directions of frames that are mirrored. */
enum mirror_direction { MIRROR_BOTH, MIRROR_RX, MIRROR_TX };

/** The keys' values. */
struct mirror_config {
	char mirror[PORT_NAME_MAX]; /**< the port that copies are sent to; "" = none */
	int64_t direction;          /**< enum mirror_direction */
};

extern const struct port_section mirror_section;

/** @return the values of a port */
static inline const struct mirror_config *
mirror_config(const struct port_config *config)
{
	return port_section_get(config, &mirror_section);
}

#endif
