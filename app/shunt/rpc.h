/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's end of the control socket: JSON-RPC 2.0 over a unix stream socket, one request
 * and one answer at a time, each one JSON object in one line.
 *
 * The server is not trusted to answer, to answer in time, or to answer sense: every call is
 * bounded in time and in bytes. After a call that failed with anything but -EREMOTEIO the
 * connection is out of step and good for nothing but rpc_close().
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

/** What a call may cost; zero means the default. */
struct rpc_limits {
	int timeout_ms;    /**< for connecting, and for each call from request to answer */
	size_t answer_max; /**< bytes of one answer, its newline included */
	/** A signal handler sets it to end a call early with -ECANCELED; may be NULL. */
	const volatile sig_atomic_t *cancel;
};

struct rpc;

/**
 * Connect.
 *
 * @param limits NULL means the defaults
 * @param err says which socket, why not, and what to do
 * @return NULL with errno set
 */
struct rpc *rpc_open(const char *path, const struct rpc_limits *limits, struct err *err);

/** Use a connected socket, which rpc_close() will close. @return NULL with errno set */
struct rpc *rpc_attach(int fd, const struct rpc_limits *limits);

/**
 * Send a request and wait for its answer.
 *
 * @param params an object; NULL sends an empty one; stays the caller's
 * @param result receives a new reference
 * @return 0, or
 *  - -EREMOTEIO: the switch refused; err holds its message
 *  - -ETIMEDOUT: no whole answer in time
 *  - -EMSGSIZE: the answer is longer than the limit
 *  - -EPROTO: the answer is not one
 *  - -ECONNRESET: closed by the switch before a whole answer
 *  - -ECANCELED: see struct rpc_limits
 *  - -ENOMEM, or what the socket says
 */
int rpc_call(struct rpc *rpc, const char *method, const json_t *params, json_t **result,
	struct err *err);

/** Wait until the switch closes the connection. @return 0, -ETIMEDOUT or -ECANCELED */
int rpc_wait_closed(struct rpc *rpc, struct err *err);

/** The descriptor that came with an answer, now the caller's. @return -1: none did */
int rpc_take_fd(struct rpc *rpc);

/** The socket, to wait for what the switch has to say unasked, or for its end. */
int rpc_fd(const struct rpc *rpc);

/**
 * Has the switch ended the connection? Does not wait.
 *
 * @param err receives the reason: the switch's own where it gave one, in params' "reason"
 * @return 0, or -ECONNRESET
 */
int rpc_ended(struct rpc *rpc, struct err *err);

/** Close and release; NULL is ignored. */
void rpc_close(struct rpc *rpc);

#endif
