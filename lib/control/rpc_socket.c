/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of the control socket: receive requests, send answers, limit time and memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "control/rpc_frame.h"
#include "control/rpc_internal.h"

LOG_MODULE(rpc);

enum {
	RPC_BACKLOG = 64,
	RPC_UNREAD_MAX = 4 << 20,
	RPC_SOCKET_MODE = 0660,
	RPC_DIRECTORY_MODE = 0755
};

struct rpc_client {
	struct rpc *rpc;
	struct bufferevent *stream;
	struct rpc_frame frame;
	bool closing;  /**< freed once the output queue has been sent */
	bool bound;    /**< by rpc_client_bind() or rpc_client_stream() */
	int answer_fd; /**< sent with the next answer; -1 = none */
	void (*closed)(void *arg);
	void *closed_arg;
	/* Of a stream, else NULL. */
	const char *stream_method;
	const char *(*stream_next)(void *arg); /**< called with closed_arg */
	LIST_ENTRY(rpc_client) next;
};

/** Close a connection and free its state. */
static void
client_free(struct rpc_client *client)
{
	LIST_REMOVE(client, next);
	client->rpc->n_clients--;
	if (client->closed != NULL)
		client->closed(client->closed_arg);
	bufferevent_free(client->stream);
	free(client);
}

/** Send answer_fd with the first byte of an answer. @return bytes sent: 1; 0 when that failed */
static size_t
client_send_fd(struct rpc_client *client, const char *text)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec first = {.iov_base = (char *)(uintptr_t)text, .iov_len = 1};
	struct msghdr message = {.msg_iov = &first,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &client->answer_fd, sizeof(int));
	client->answer_fd = -1;
	ssize_t sent = sendmsg(bufferevent_getfd(client->stream), &message, MSG_NOSIGNAL);
	return sent > 0 ? (size_t)sent : 0;
}

/** Send an answer as a line. @param answer released */
static void
client_send(struct rpc_client *client, json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	size_t sent = 0;

	json_decref(answer);
	if (text == NULL)
		return;
	if (client->answer_fd >= 0)
		sent = client_send_fd(client, text);
	bufferevent_write(client->stream, text + sent, strlen(text) - sent);
	bufferevent_write(client->stream, "\n", 1);
	free(text);
}

/** Bind a connection to a capture or a subscription. @return 0; -EBUSY with the reason */
static int
client_bind(struct rpc_client *client, void (*closed)(void *arg), void *arg, struct err *err)
{
	if (client->bound)
		return err_set(err, EBUSY, "this connection is taken; open another one");
	client->bound = true;
	client->closed = closed;
	client->closed_arg = arg;
	return 0;
}

int
rpc_client_bind(
	struct rpc_client *client, int fd, void (*closed)(void *arg), void *arg, struct err *err)
{
	/* The file descriptor is sent directly, and would overtake queued answers. */
	if (evbuffer_get_length(bufferevent_get_output(client->stream)) > 0)
		return err_set(
			err, EBUSY, "replies to earlier requests are unread; read them first");
	int rc = client_bind(client, closed, arg, err);
	if (rc == 0)
		client->answer_fd = fd;
	return rc;
}

int
rpc_client_stream(struct rpc_client *client, const char *method, const char *(*next)(void *arg),
	void (*closed)(void *arg), void *arg, struct err *err)
{
	int rc = client_bind(client, closed, arg, err);

	if (rc < 0)
		return rc;
	client->stream_method = method;
	client->stream_next = next;
	return 0;
}

void
rpc_client_pump(struct rpc_client *client)
{
	struct evbuffer *output = bufferevent_get_output(client->stream);
	const char *params;

	while (!client->closing && evbuffer_get_length(output) < RPC_STREAM_MAX &&
		(params = client->stream_next(client->closed_arg)) != NULL)
		evbuffer_add_printf(output,
			"{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}\n",
			client->stream_method, params);
}

void
rpc_client_end(struct rpc_client *client, const char *method, const char *reason)
{
	client->closed = NULL;
	client->answer_fd = -1;
	client->closing = true;
	bufferevent_disable(client->stream, EV_READ);
	client_send(client, json_pack("{s:s, s:s, s:{s:s}}", "jsonrpc", "2.0", "method", method,
				    "params", "reason", reason));
}

/** Send an error for bytes that are no request, and close the connection after it. */
static void
client_refuse(struct rpc_client *client, const char *reason)
{
	client->closing = true;
	bufferevent_disable(client->stream, EV_READ);
	client_send(client, rpc_parse_error(reason));
}

/** Answer a request. */
static void
client_handle(struct rpc_client *client, const char *data, size_t length)
{
	json_error_t error;
	json_t *request = json_loadb(data, length, JSON_REJECT_DUPLICATES, &error);

	if (request == NULL) {
		client_refuse(client, "not JSON");
		return;
	}
	client->rpc->current = json_is_object(request) ? client : NULL;
	json_t *answer = rpc_answer(client->rpc, request);
	client->rpc->current = NULL;
	json_decref(request);
	if (answer != NULL)
		client_send(client, answer);
}

/** Set the timeouts: for reading only within a request, for writing unless it is a stream. */
static void
client_set_timeouts(struct rpc_client *client)
{
	const struct timeval timeout = {.tv_sec = RPC_TIMEOUT_S};
	bool partial = client->frame.depth > 0;
	bool stream = client->stream_next != NULL && !client->closing;

	bufferevent_set_timeouts(
		client->stream, partial ? &timeout : NULL, stream ? NULL : &timeout);
}

/** Handle the next request. @return false: none is complete, or too many answers are unread */
static bool
client_handle_next(struct rpc_client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->stream);
	struct evbuffer *output = bufferevent_get_output(client->stream);
	size_t length = evbuffer_get_length(input);

	if (client->closing || length == 0 || evbuffer_get_length(output) > RPC_UNREAD_MAX)
		return false;
	const char *data = (const char *)evbuffer_pullup(input, -1);
	ssize_t end = rpc_frame_scan(&client->frame, data, length);
	if (end > 0 && end <= RPC_REQUEST_MAX) {
		client->frame = (struct rpc_frame){0};
		client_handle(client, data, (size_t)end);
		evbuffer_drain(input, (size_t)end);
		return true;
	}
	if (end < 0)
		client_refuse(client, "not JSON");
	else if (length > RPC_REQUEST_MAX)
		client_refuse(client, "request too long");
	return false;
}

/** bufferevent callback: bytes were received. */
static void
client_on_read(struct bufferevent *stream, void *arg)
{
	struct rpc_client *client = arg;

	(void)stream;
	while (client_handle_next(client))
		;
	client_set_timeouts(client);
}

/** bufferevent callback: all answers are written. */
static void
client_on_written(struct bufferevent *stream, void *arg)
{
	struct rpc_client *client = arg;

	if (client->closing) {
		client_free(client);
		return;
	}
	if (client->stream_next != NULL)
		rpc_client_pump(client);
	client_on_read(stream, arg);
}

/** bufferevent callback: end of the stream, a timeout or an error. */
static void
client_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct rpc_client *client = arg;
	bool unread = evbuffer_get_length(bufferevent_get_output(stream)) > 0;

	/* A client that has closed its sending side still receives its answers. */
	if ((what & BEV_EVENT_EOF) && unread) {
		client->closing = true;
		return;
	}
	client_free(client);
}

/** Listener callback: accept a connection, unless there are too many. */
static void
rpc_on_connect(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int length, void *arg)
{
	struct rpc *rpc = arg;
	struct rpc_client *client;

	(void)listener;
	(void)address;
	(void)length;
	client = rpc->n_clients < RPC_CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (client != NULL)
		client->stream = bufferevent_socket_new(rpc->events, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client == NULL || client->stream == NULL) {
		free(client);
		close(fd);
		return;
	}
	client->rpc = rpc;
	client->answer_fd = -1;
	LIST_INSERT_HEAD(&rpc->clients, client, next);
	rpc->n_clients++;
	bufferevent_setcb(
		client->stream, client_on_read, client_on_written, client_on_event, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, RPC_REQUEST_MAX + 1);
	client_set_timeouts(client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/** @return true if a process accepts connections at an address */
static bool
rpc_is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool answered = fd >= 0 && (connect(fd, (const void *)address, sizeof(*address)) == 0 ||
					   errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return answered;
}

/** Create the listening socket, under another name first: its path accepts connections at once. */
static int
rpc_bind(const struct sockaddr_un *address, struct err *err)
{
	struct sockaddr_un unpublished = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, errno, "no socket: %s", strerror(errno));
	if (snprintf(unpublished.sun_path, sizeof(unpublished.sun_path), "%s~",
		    address->sun_path) >= (int)sizeof(unpublished.sun_path)) {
		close(fd);
		return err_set(err, ENAMETOOLONG, "socket path %s is too long", address->sun_path);
	}
	unlink(unpublished.sun_path);
	if (bind(fd, (const void *)&unpublished, sizeof(unpublished)) < 0 ||
		chmod(unpublished.sun_path, RPC_SOCKET_MODE) < 0 || listen(fd, RPC_BACKLOG) < 0 ||
		rename(unpublished.sun_path, address->sun_path) < 0) {
		int rc = err_set(
			err, errno, "cannot listen at %s: %s", address->sun_path, strerror(errno));
		unlink(unpublished.sun_path);
		close(fd);
		return rc;
	}
	return fd;
}

/** Make an address of a path. @return 0; -ENAMETOOLONG with the reason */
static int
rpc_address(const char *path, struct sockaddr_un *address, struct err *err)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* One byte is left for the '~' of the name that rpc_bind() binds. */
	if (strlen(path) >= sizeof(address->sun_path) - 1)
		return err_set(err, ENAMETOOLONG, "socket path %.120s is over %zu bytes", path,
			sizeof(address->sun_path) - 2);
	strcpy(address->sun_path, path);
	return 0;
}

void
rpc_make_directory(const char *path)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(directory, sizeof(directory), "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash != NULL && slash != directory) {
		*slash = '\0';
		mkdir(directory, RPC_DIRECTORY_MODE);
	}
}

int
rpc_check(const char *path, struct err *err)
{
	struct sockaddr_un address;
	struct stat status;
	int rc = rpc_address(path, &address, err);

	if (rc < 0)
		return rc;
	if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return err_set(err, EEXIST, "%s exists and is not a socket", path);
	if (rpc_is_answered(&address))
		return err_set(err, EADDRINUSE,
			"another switch runs at %s; use -s for a second one", path);
	return 0;
}

int
rpc_listen(struct rpc *rpc, const char *path, struct err *err)
{
	struct sockaddr_un address;
	int rc = rpc_check(path, err);

	if (rc < 0)
		return rc;
	rpc_address(path, &address, err);
	rpc_make_directory(path);
	int fd = rpc_bind(&address, err);
	if (fd < 0)
		return fd;
	rpc->listener = evconnlistener_new(rpc->events, rpc_on_connect, rpc,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (rpc->listener == NULL) {
		close(fd);
		unlink(path);
		return err_set(err, ENOMEM, "no memory to listen at %s", path);
	}
	strcpy(rpc->path, path);
	return 0;
}

void
rpc_destroy(struct rpc *rpc)
{
	if (rpc == NULL)
		return;
	while (!LIST_EMPTY(&rpc->clients)) {
		struct rpc_client *client = LIST_FIRST(&rpc->clients);
		/* The event loop has ended: write queued answers now, without waiting. */
		evbuffer_write(
			bufferevent_get_output(client->stream), bufferevent_getfd(client->stream));
		client_free(client);
	}
	if (rpc->listener != NULL) {
		evconnlistener_free(rpc->listener);
		unlink(rpc->path);
	}
	free(rpc);
}
