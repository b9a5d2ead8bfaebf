/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The RPC server's state, shared by rpc.c (requests) and rpc_socket.c (connections).
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONTROL_RPC_INTERNAL_H
#define SHUNT_CONTROL_RPC_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "control/rpc.h"

struct evconnlistener;
struct rpc_client;

enum { RPC_METHODS_MAX = 64 };

struct rpc_entry {
	const struct rpc_method *method;
	void *arg;
};

struct rpc {
	struct event_base *events;
	struct evconnlistener *listener;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct rpc_entry method[RPC_METHODS_MAX];
	unsigned n_methods;
	LIST_HEAD(rpc_clients, rpc_client) clients;
	unsigned n_clients;
	struct rpc_client *current; /**< sender of the request in progress; NULL for a batch */
};

/** Build the answer to bytes that are not JSON. @return an object that the caller owns */
json_t *rpc_parse_error(const char *reason);

#endif
