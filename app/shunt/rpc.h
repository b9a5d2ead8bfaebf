/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's end of the control socket: JSON-RPC 2.0 over a unix stream socket, one request
 * and one answer at a time, each one JSON object in one line.
 *
 * The server is not trusted to answer, to answer in time, or to answer correctly: every call is
 * bounded in time and in bytes. After a call that failed with anything but -EREMOTEIO the
 * connection is out of step, and only rpc_close() may follow.
 *
 * Thread safety: a connection belongs to one thread.
 */
#ifndef SHUNT_CLI_RPC_H
#define SHUNT_CLI_RPC_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>

#include "base/err.h"

enum { RPC_TIMEOUT_MS = 10000, RPC_ANSWER_MAX = 64 << 20 };

/** Limits of a call; 0: the default. */
struct rpc_limits {
	int timeout_ms;    /**< of rpc_open(), and of each call from request to answer */
	size_t answer_max; /**< bytes of an answer, newline included */
	/** Set by a signal handler to end a call with -ECANCELED; may be NULL. */
	const volatile sig_atomic_t *cancel;
};

struct rpc;

/**
 * Connect.
 *
 * @param limits NULL: the defaults
 * @param err receives the socket, the reason and a remedy
 * @return NULL with errno set on failure
 */
struct rpc *rpc_open(const char *path, const struct rpc_limits *limits, struct err *err);

/** Use a connected socket; rpc_close() closes it. @return NULL with errno set on failure */
struct rpc *rpc_attach(int fd, const struct rpc_limits *limits);

/**
 * Send a request and wait for its answer.
 *
 * @param params an object, owned by the caller; NULL sends an empty one
 * @param result receives a new reference
 * @return 0, or
 *  - -EREMOTEIO: the switch refused; its message is in err
 *  - -ETIMEDOUT: no complete answer in time
 *  - -EMSGSIZE: the answer is longer than the limit
 *  - -EPROTO: the answer is invalid
 *  - -ECONNRESET: the switch closed the connection before a complete answer
 *  - -ECANCELED: see struct rpc_limits
 *  - -ENOMEM, or an error of the socket
 */
int rpc_call(struct rpc *rpc, const char *method, const json_t *params, json_t **result,
	struct err *err);

/**
 * Wait, for as long as it takes, for a notification of the switch; other notifications are skipped.
 *
 * @param method of the notification
 * @param params receives a new reference to its params, an object
 * @return 0; -ECANCELED, -ECONNRESET, -EMSGSIZE, -EPROTO and others as for rpc_call()
 */
int rpc_next(struct rpc *rpc, const char *method, json_t **params, struct err *err);

/** Wait until the switch closes the connection. @return 0, -ETIMEDOUT or -ECANCELED */
int rpc_wait_closed(struct rpc *rpc, struct err *err);

/** @return the file descriptor received with an answer, now owned by the caller; -1: none */
int rpc_take_fd(struct rpc *rpc);

/** @return the socket, to poll for notifications of the switch and the end of the connection */
int rpc_fd(const struct rpc *rpc);

/**
 * Check without waiting whether the switch has ended the connection.
 *
 * @param err receives the reason: that of the switch (params' "reason"), if it sent one
 * @return 0; -ECONNRESET if it has ended
 */
int rpc_ended(struct rpc *rpc, struct err *err);

/** Close the connection and release it; NULL is ignored. */
void rpc_close(struct rpc *rpc);

#endif
