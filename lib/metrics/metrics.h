/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Metrics over HTTP: GET /metrics answers in OpenMetrics text for clients that accept it, else in
 * the plain format of Prometheus.
 *
 * The server has no thread: the epoll descriptor of libmicrohttpd is an event of the control loop.
 * A connection that has lasted longer than METRICS_TIMEOUT_S is closed, whatever its state.
 * Connections beyond METRICS_CLIENTS_MAX wait. A slow client delays neither the control thread nor
 * connections served beside it.
 *
 * Thread safety: control thread only, except metrics_check(), which shares no state.
 */
#ifndef SHUNT_METRICS_METRICS_H
#define SHUNT_METRICS_METRICS_H

#include "base/err.h"

struct metrics;
struct vswitch;

enum {
	METRICS_ADDRESS_MAX = 64, /**< bytes of an address with its port and the NUL */
	METRICS_CLIENTS_MAX = 32,
	METRICS_TIMEOUT_S = 5,
	METRICS_FRESH_MS = 50, /**< age up to which an answer is sent again */
};

/**
 * Check the text of an address, such as 127.0.0.1:9469 or [::1]:9469.
 *
 * @param address untrusted
 * @return 0; -EINVAL with the reason
 */
int metrics_check(const char *address, struct err *err);

/**
 * Create a server that does not listen yet.
 *
 * @param vswitch must outlive the server
 * @return NULL when there is no memory
 */
struct metrics *metrics_create(const struct vswitch *vswitch);

/** Stop listening, close all connections and free the server. NULL is ignored. */
void metrics_destroy(struct metrics *metrics);

/**
 * Listen at an address instead of the present one. No effect when they are equal.
 *
 * On failure the server listens at the previous address again; when that fails too, it listens
 * nowhere, and an error is logged.
 *
 * @param address as for metrics_check(), or "" to stop listening
 * @return 0; negative errno with the reason, such as -EADDRINUSE, -EADDRNOTAVAIL
 */
int metrics_listen(struct metrics *metrics, const char *address, struct err *err);

/**
 * Get the address of the listening socket.
 *
 * @return the address, valid until the next metrics_listen(); "" = none
 */
const char *metrics_address(const struct metrics *metrics);

#endif
