/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: JSON-RPC 2.0 (https://www.jsonrpc.org/specification) over a UNIX stream
 * socket. A peer that sends no JSON, too much of it, or half a request and nothing more loses its
 * connection; nobody else notices.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_RPC_H
#define SHUNT_CONTROL_RPC_H

#include <jansson.h>

#include "base/err.h"

struct event_base;
struct rpc;
struct rpc_client;

enum {
	RPC_REQUEST_MAX = 1 << 20, /**< bytes of one request */
	RPC_BATCH_MAX = 256,       /**< requests in one batch */
	RPC_CLIENTS_MAX = 256,
	RPC_TIMEOUT_S = 10, /**< for the rest of a request, and for an answer to be read */
};

/** JSON-RPC error codes; refusals carry RPC_REFUSED. */
enum {
	RPC_REFUSED = -32000,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_PARSE_ERROR = -32700,
};

struct rpc_method {
	const char *name; /**< such as "port.add" */
	/**
	 * @param params an object, borrowed
	 * @return the result, which the server then owns; NULL with the reason in err
	 */
	json_t *(*call)(void *arg, json_t *params, struct err *err);
};

/** @return a server that does not listen yet, or NULL when there is no memory */
struct rpc *rpc_create(struct event_base *events);

/** Close the socket and all connections, and remove the socket's file. */
void rpc_destroy(struct rpc *rpc);

/** Add methods, ended by a NULL name; the table must outlive the server. */
void rpc_register(struct rpc *rpc, const struct rpc_method *methods, void *arg);

/** Make the folder of a socket, unless it is there or its parent is not. */
void rpc_make_directory(const char *path);

/** Look whether a socket could be opened there. @return 0, or what rpc_listen() would say */
int rpc_check(const char *path, struct err *err);

/**
 * Listen. The socket appears at its path in one step, ready to answer.
 *
 * @return 0; negative errno with the reason: -EADDRINUSE when another switch answers there
 */
int rpc_listen(struct rpc *rpc, const char *path, struct err *err);

/**
 * Answer one request, or a batch of them.
 *
 * @return what to send, which the caller owns; NULL when nothing is to be sent
 */
json_t *rpc_answer(struct rpc *rpc, json_t *request);

/* Methods whose result lives as long as the connection. */

/** @return the connection that the request under way came by; NULL: none, or it is one of a batch */
struct rpc_client *rpc_client(struct rpc *rpc);

/**
 * For a method: send a descriptor along with its answer (SCM_RIGHTS, with the answer's first byte),
 * and learn of the end of the connection. Once for each connection.
 *
 * @param fd copied when the answer is sent, until when it must stay open
 * @param closed called when the peer closes; not after rpc_client_end()
 * @return 0; -EBUSY with the reason
 */
int rpc_client_bind(
	struct rpc_client *client, int fd, void (*closed)(void *arg), void *arg, struct err *err);

/** Send a notification with a reason, then close. */
void rpc_client_end(struct rpc_client *client, const char *method, const char *reason);

/* Parameters: helpers for methods. Each says by name what is missing or wrong. */

/** @return the text of a member that must be there; NULL with the reason */
const char *rpc_text(json_t *params, const char *name, struct err *err);

/**
 * Read a number that may be there, as a number or as text.
 *
 * @param value set when the member is there
 * @return 1 when it is there, 0 when not, -EINVAL with the reason
 */
int rpc_number(json_t *params, const char *name, json_int_t min, json_int_t max, json_int_t *value,
	struct err *err);

/** Refuse members that are not in the list (ended by NULL). @return 0 or -EINVAL */
int rpc_only(json_t *params, const char *const names[], struct err *err);

#endif
