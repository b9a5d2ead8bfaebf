/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: JSON-RPC 2.0 (https://www.jsonrpc.org/specification) over a UNIX stream
 * socket. A client that sends bytes that are not JSON, too long a request, or a part of a request
 * and then nothing for RPC_TIMEOUT_S loses its connection. Other connections are not affected.
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
	RPC_STREAM_MAX = 1 << 16, /**< bytes queued beyond which a stream takes no more */
	RPC_TIMEOUT_S = 10, /**< without progress of a partial request, or of an unread answer */
};

/** JSON-RPC error codes. RPC_REFUSED: the method failed for a reason other than -EINVAL. */
enum {
	RPC_REFUSED = -32000,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_PARSE_ERROR = -32700,
};

/** A method of the server. */
struct rpc_method {
	const char *name; /**< such as "port.add" */
	/**
	 * @param arg as given to rpc_register()
	 * @param params an object, valid during the call
	 * @return the result, owned by the server from now on; NULL with the reason in err
	 */
	json_t *(*call)(void *arg, json_t *params, struct err *err);
};

/** Create a server that does not listen yet. @return NULL when there is no memory */
struct rpc *rpc_create(struct event_base *events);

/** Close the socket and all connections, and remove the socket's file. NULL is ignored. */
void rpc_destroy(struct rpc *rpc);

/**
 * Register methods.
 *
 * @param methods terminated by a NULL name; must outlive the server
 * @param arg passed to each method
 */
void rpc_register(struct rpc *rpc, const struct rpc_method *methods, void *arg);

/**
 * Create the directory of a socket path, not its parents. Errors are left to rpc_listen().
 *
 * @param path of a socket
 */
void rpc_make_directory(const char *path);

/**
 * Check a socket path without changing anything.
 *
 * @param path of a socket
 * @return 0; negative errno with the reason: -ENAMETOOLONG, -EEXIST when the path is no socket,
 *         -EADDRINUSE when another switch answers there
 */
int rpc_check(const char *path, struct err *err);

/**
 * Listen at a path. The socket appears there by rename(2), already listening; a socket without a
 * server is replaced.
 *
 * @param path of the socket
 * @return 0; negative errno with the reason, those of rpc_check() included
 */
int rpc_listen(struct rpc *rpc, const char *path, struct err *err);

/**
 * Handle one request, or a batch of them.
 *
 * @param request borrowed
 * @return the answer, owned by the caller; NULL when there is none, as for notifications
 */
json_t *rpc_answer(struct rpc *rpc, json_t *request);

/* For methods whose result lasts as long as the connection. */

/**
 * Get the connection of the request in progress.
 *
 * @return the connection; NULL when there is no request, or it is part of a batch
 */
struct rpc_client *rpc_client(struct rpc *rpc);

/**
 * Send a file descriptor with the answer of the method in progress (SCM_RIGHTS, with the answer's
 * first byte), and report the end of the connection. At most once per connection.
 *
 * @param fd must stay open until the answer has been sent
 * @param closed called when the connection ends; not after rpc_client_end()
 * @param arg passed to `closed`
 * @return 0; -EBUSY with the reason when the connection is bound already, or has unread answers
 */
int rpc_client_bind(
	struct rpc_client *client, int fd, void (*closed)(void *arg), void *arg, struct err *err);

/**
 * Make the connection of the method in progress a stream: notifications follow the answer, as fast
 * as the client reads them. RPC_TIMEOUT_S does not apply to a client that does not read them. At
 * most once per connection, and not with rpc_client_bind().
 *
 * @param method of the notifications; constant
 * @param next returns the params of the next notification, a JSON text that is valid until the next
 *        call; NULL = none for now, and rpc_client_pump() follows when there is one
 * @param closed called when the connection ends
 * @param arg passed to `next` and `closed`
 * @return 0; -EBUSY with the reason when the connection is bound already
 */
int rpc_client_stream(struct rpc_client *client, const char *method, const char *(*next)(void *arg),
	void (*closed)(void *arg), void *arg, struct err *err);

/**
 * Queue notifications of a stream for its client, up to RPC_STREAM_MAX bytes. Never waits.
 *
 * @param client one with a stream
 */
void rpc_client_pump(struct rpc_client *client);

/**
 * Send a notification whose params are {"reason": reason}, then close the connection.
 *
 * @param method name of the notification
 * @param reason for the client's user
 */
void rpc_client_end(struct rpc_client *client, const char *method, const char *reason);

/* Parameters of methods. The reason in err names the parameter that is missing or wrong. */

/**
 * Read a mandatory text parameter.
 *
 * @param name of the parameter
 * @return text owned by params; NULL with the reason
 */
const char *rpc_text(json_t *params, const char *name, struct err *err);

/**
 * Read an optional integer parameter, given as a JSON integer or as decimal text.
 *
 * @param name of the parameter
 * @param value set only when 1 is returned
 * @param min, max bounds, both included
 * @return 1 when given, 0 when not; -EINVAL with the reason
 */
int rpc_number(json_t *params, const char *name, json_int_t min, json_int_t max, json_int_t *value,
	struct err *err);

/**
 * Refuse parameters that a method does not have.
 *
 * @param names of those that it has, terminated by NULL
 * @return 0; -EINVAL with the reason
 */
int rpc_only(json_t *params, const char *const names[], struct err *err);

#endif
