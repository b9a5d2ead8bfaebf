/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metrics over HTTP: GET /metrics answers with what the switch counts, in OpenMetrics text for
 * clients that accept it, else in the plain format of Prometheus.
 *
 * The server has no thread: libmicrohttpd's descriptors are one more event of the control loop. A
 * client has METRICS_TIMEOUT_S for its request and for reading the answer, however it spends
 * them; further clients than METRICS_CLIENTS_MAX wait. Nobody else waits for a slow client.
 *
 * Thread safety: control thread only, but for metrics_check(), which shares no state.
 */
#ifndef SHUNT_METRICS_METRICS_H
#define SHUNT_METRICS_METRICS_H

#include "base/err.h"

struct metrics;
struct vswitch;

enum {
	METRICS_ADDRESS_MAX = 64, /**< bytes of an address with its port, as text */
	METRICS_CLIENTS_MAX = 32,
	METRICS_TIMEOUT_S = 5,
	METRICS_FRESH_MS = 50, /**< an answer as old as that is given again */
};

/**
 * Look whether a text is an address: 127.0.0.1:9469, [::1]:9469.
 *
 * @return 0, or -EINVAL with the reason
 */
int metrics_check(const char *address, struct err *err);

/** @return a server that does not listen yet; NULL when there is no memory */
struct metrics *metrics_create(const struct vswitch *vswitch);

/** Close all connections. NULL is ignored. */
void metrics_destroy(struct metrics *metrics);

/**
 * Listen at an address and no longer at the one before. Nothing happens when they are the same.
 *
 * @param address as for metrics_check(), or "" to listen nowhere
 * @return 0; negative errno with the reason, listening as before: -EADDRINUSE, -EADDRNOTAVAIL
 */
int metrics_listen(struct metrics *metrics, const char *address, struct err *err);

/** Where it listens; "" = nowhere. */
const char *metrics_address(const struct metrics *metrics);

#endif
