/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listening addresses as text, such as 127.0.0.1:9469 and [::1]:9469.
 *
 * Thread safety: no shared state.
 */
#ifndef SHUNT_METRICS_ADDRESS_H
#define SHUNT_METRICS_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

/** Parse a numeric address with a port from 1. @return 0; -EINVAL with the reason */
int address_parse(const char *text, struct sockaddr_storage *address, struct err *err);

/** Open a non-blocking listening socket. @return its descriptor; negative errno with the reason */
int address_listen(const char *text, struct err *err);

#endif
