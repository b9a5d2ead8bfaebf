/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses to listen at, such as 127.0.0.1:9469 and [::1]:9469.
 *
 * Thread safety: no shared state.
 */
#ifndef SHUNT_METRICS_ADDRESS_H
#define SHUNT_METRICS_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

/** Parse a text; names are not looked up. @return 0, or -EINVAL with the reason */
int address_parse(const char *text, struct sockaddr_storage *address, struct err *err);

/** A socket that listens there and does not block. @return it, or negative errno with the reason */
int address_listen(const char *text, struct err *err);

#endif
