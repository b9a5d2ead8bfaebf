/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of port types. */
#include "types.h"

#include "ethdev/keys.h"
#include "vhost/keys.h"

const struct port_type *const port_types[] = {&vhost_type, &ethdev_type, NULL};
