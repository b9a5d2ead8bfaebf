/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's side of the control socket. */
#include "rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { RPC_SPACE_FIRST = 65536, RPC_STEP_MS = 200 };

struct rpc {
	int fd;
	struct rpc_limits limits;
	json_int_t id;    /**< of the newest request */
	int64_t deadline; /**< of the current call, in milliseconds of CLOCK_MONOTONIC */
	char *buffer;     /**< bytes received and not consumed */
	size_t used;
	size_t space;
	int given; /**< file descriptor received with an answer; -1: none */
};

/** @return milliseconds of CLOCK_MONOTONIC */
static int64_t
rpc_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

struct rpc *
rpc_attach(int fd, const struct rpc_limits *limits)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));

	if (rpc == NULL)
		return NULL;
	rpc->fd = fd;
	rpc->given = -1;
	if (limits != NULL)
		rpc->limits = *limits;
	if (rpc->limits.timeout_ms <= 0)
		rpc->limits.timeout_ms = RPC_TIMEOUT_MS;
	if (rpc->limits.answer_max == 0)
		rpc->limits.answer_max = RPC_ANSWER_MAX;
	return rpc;
}

/** Set err for a failed connection to path, with a remedy. */
static void
rpc_no_switch(struct err *err, const char *path, int code)
{
	const char *hint = "start shuntd, or name its socket with -s or SHUNT_SOCKET";

	if (code == EACCES || code == EPERM)
		hint = "run as root or as a user who may write to the socket";
	else if (code == EAGAIN)
		hint = "shuntd does not accept connections, see its log";
	err_set(err, code, "no switch at %s (%s): %s", path, strerror(code), hint);
}

/** Connect; SO_SNDTIMEO bounds the wait for a listener whose backlog is full. */
static int
rpc_connect(int fd, const char *path, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	size_t length = strlen(path);

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) != 0)
		return -errno;
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
}

struct rpc *
rpc_open(const char *path, const struct rpc_limits *limits, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rpc *rpc = fd < 0 ? NULL : rpc_attach(fd, limits);
	int code = -errno;

	if (rpc != NULL)
		code = rpc_connect(fd, path, rpc->limits.timeout_ms);
	if (code == 0)
		return rpc;
	rpc_no_switch(err, path, -code);
	if (rpc == NULL && fd >= 0)
		close(fd);
	rpc_close(rpc);
	errno = -code;
	return NULL;
}

/** Wait until the socket is ready for events or the deadline passes. */
static int
rpc_ready(struct rpc *rpc, short events)
{
	struct pollfd poller = {.fd = rpc->fd, .events = events};
	int64_t left;
	int n;

	for (;;) {
		if (rpc->limits.cancel != NULL && *rpc->limits.cancel)
			return -ECANCELED;
		left = rpc->deadline - rpc_now();
		if (left <= 0)
			return -ETIMEDOUT;
		/* In steps: a signal between the check of `cancel` and poll() does not end poll(). */
		n = poll(&poller, 1, left < RPC_STEP_MS ? (int)left : RPC_STEP_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/** Send all bytes. */
static int
rpc_send(struct rpc *rpc, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = send(rpc->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		int code = n < 0 ? -errno : 0;

		if (code == -EAGAIN)
			code = rpc_ready(rpc, POLLOUT);
		else if (code == -EPIPE)
			code = -ECONNRESET;
		if (code != 0 && code != -EINTR)
			return code;
		if (n > 0) {
			text += n;
			length -= n;
		}
	}
	return 0;
}

/** Grow the buffer for more of the answer. */
static int
rpc_grow(struct rpc *rpc)
{
	size_t space = rpc->space == 0 ? RPC_SPACE_FIRST : rpc->space * 2;
	char *buffer;

	if (rpc->used >= rpc->limits.answer_max)
		return -EMSGSIZE;
	if (rpc->used < rpc->space)
		return 0;
	space = space < rpc->limits.answer_max ? space : rpc->limits.answer_max;
	buffer = realloc(rpc->buffer, space);
	if (buffer == NULL)
		return -ENOMEM;
	rpc->buffer = buffer;
	rpc->space = space;
	return 0;
}

/** Keep a file descriptor received with the answer; of several the last one. */
static void
rpc_keep_fd(struct rpc *rpc, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= part->cmsg_len;
			at += sizeof(int)) {
			if (rpc->given >= 0)
				close(rpc->given);
			memcpy(&rpc->given, CMSG_DATA(part) + at, sizeof(int));
		}
	}
}

/** Read what has been received, and keep a file descriptor sent with it. @return as recvmsg() */
static ssize_t
rpc_read(struct rpc *rpc)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec space = {rpc->buffer + rpc->used, rpc->space - rpc->used};
	struct msghdr message = {.msg_iov = &space,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(rpc->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		rpc_keep_fd(rpc, &message);
	return n;
}

/** Receive more of the answer. */
static int
rpc_receive(struct rpc *rpc)
{
	ssize_t n;
	int code = rpc_grow(rpc);

	if (code == 0)
		code = rpc_ready(rpc, POLLIN);
	if (code != 0)
		return code;
	n = rpc_read(rpc);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	rpc->used += n;
	return 0;
}

/** Receive up to the end of a line. @return length of the line, negative errno */
static ssize_t
rpc_receive_line(struct rpc *rpc)
{
	size_t seen = 0;
	int code;

	for (;;) {
		char *end = rpc->used == seen ? NULL
					      : memchr(rpc->buffer + seen, '\n', rpc->used - seen);

		if (end != NULL)
			return end - rpc->buffer;
		seen = rpc->used;
		code = rpc_receive(rpc);
		if (code != 0)
			return code;
	}
}

/** Set err for a failure of the connection. */
static int
rpc_broken(const struct rpc *rpc, struct err *err, int code)
{
	switch (code) {
	case -ETIMEDOUT:
		return err_set(err, ETIMEDOUT, "the switch did not answer within %g s",
			rpc->limits.timeout_ms / 1000.0);
	case -EMSGSIZE:
		return err_set(err, EMSGSIZE, "the switch's answer is longer than %zu bytes",
			rpc->limits.answer_max);
	case -ECONNRESET:
		return err_set(err, ECONNRESET, "the switch closed the connection%s",
			rpc->used > 0 ? " in the middle of an answer" : " without an answer");
	case -ECANCELED:
		return err_set(err, ECANCELED, "interrupted");
	default:
		return err_set(err, -code, "control socket: %s", strerror(-code));
	}
}

/** Set the deadline of the call and send the request. */
static int
rpc_request(struct rpc *rpc, const char *method, const json_t *params, struct err *err)
{
	json_t *request =
		json_pack("{s:s, s:I, s:s}", "jsonrpc", "2.0", "id", ++rpc->id, "method", method);
	char *text = NULL;
	size_t length;
	int code = -ENOMEM;

	json_object_set_new(
		request, "params", params == NULL ? json_object() : json_incref((json_t *)params));
	if (request != NULL)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	rpc->deadline = rpc_now() + rpc->limits.timeout_ms;
	if (text != NULL) {
		length = strlen(text);
		text[length] = '\n'; /* replaces the NUL */
		code = rpc_send(rpc, text, length + 1);
	}
	free(text);
	return code == 0 ? 0 : rpc_broken(rpc, err, code);
}

/** Convert the answer's "error" to -EREMOTEIO with its message. */
static int
rpc_refused(const json_t *error, struct err *err)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	char text[ERR_TEXT_MAX];

	if (message == NULL)
		return err_set(err, EPROTO, "the switch refused and gave no reason");
	return err_set(err, EREMOTEIO, "%s",
		message[0] != '\0' ? text_clean(message, text, sizeof(text)) : "refused");
}

/** Get the result from an answer. */
static int
rpc_unpack(struct rpc *rpc, const json_t *answer, json_t **result, struct err *err)
{
	const json_t *id = json_object_get(answer, "id");
	const json_t *error = json_object_get(answer, "error");
	json_t *value = json_object_get(answer, "result");

	if (!json_is_object(answer))
		return err_set(err, EPROTO, "the switch's answer is not a JSON object");
	if (error != NULL && !json_is_null(error) && (id == NULL || json_is_null(id)))
		return rpc_refused(error, err);
	if (!json_is_integer(id) || json_integer_value(id) != rpc->id)
		return err_set(err, EPROTO, "the switch answered another request");
	if (error != NULL && !json_is_null(error))
		return rpc_refused(error, err);
	if (value == NULL)
		return err_set(err, EPROTO, "the switch's answer has no result");
	*result = json_incref(value);
	return 0;
}

/** Receive a line and parse it. @param document receives a new reference @return as rpc_call() */
static int
rpc_receive_json(struct rpc *rpc, json_t **document, struct err *err)
{
	ssize_t length = rpc_receive_line(rpc);
	json_error_t reason;

	if (length < 0)
		return rpc_broken(rpc, err, (int)length);
	*document = json_loadb(rpc->buffer, length, 0, &reason);
	rpc->used -= length + 1;
	memmove(rpc->buffer, rpc->buffer + length + 1, rpc->used);
	if (*document == NULL)
		return err_set(err, EPROTO, "the switch's answer is not JSON: %s", reason.text);
	return 0;
}

int
rpc_call(
	struct rpc *rpc, const char *method, const json_t *params, json_t **result, struct err *err)
{
	int code = rpc_request(rpc, method, params, err);
	json_t *answer;

	if (code == 0)
		code = rpc_receive_json(rpc, &answer, err);
	if (code != 0)
		return code;
	code = rpc_unpack(rpc, answer, result, err);
	json_decref(answer);
	return code;
}

int
rpc_next(struct rpc *rpc, const char *method, json_t **params, struct err *err)
{
	json_t *note;

	for (;;) {
		rpc->deadline = INT64_MAX;
		int code = rpc_receive_json(rpc, &note, err);
		if (code != 0)
			return code;
		const char *name = json_string_value(json_object_get(note, "method"));
		json_t *object = json_object_get(note, "params");
		bool wanted = name != NULL && strcmp(name, method) == 0 && json_is_object(object);
		if (wanted)
			*params = json_incref(object);
		json_decref(note);
		if (wanted)
			return 0;
	}
}

int
rpc_wait_closed(struct rpc *rpc, struct err *err)
{
	int code;

	rpc->deadline = rpc_now() + rpc->limits.timeout_ms;
	do {
		rpc->used = 0;
		code = rpc_receive(rpc);
	} while (code == 0);
	if (code != -ETIMEDOUT && code != -ECANCELED)
		return 0;
	return rpc_broken(rpc, err, code);
}

int
rpc_take_fd(struct rpc *rpc)
{
	int fd = rpc->given;

	rpc->given = -1;
	return fd;
}

int
rpc_fd(const struct rpc *rpc)
{
	return rpc->fd;
}

int
rpc_ended(struct rpc *rpc, struct err *err)
{
	json_t *note;
	int code = 0;

	rpc->deadline = INT64_MAX;
	for (;;) {
		struct pollfd poller = {.fd = rpc->fd, .events = POLLIN};
		if (poll(&poller, 1, 0) <= 0)
			return 0;
		code = rpc_receive(rpc);
		if (code != 0)
			break;
	}
	err_set(err, ECONNRESET, "the switch closed the connection");
	note = json_loadb(rpc->buffer, rpc->used, 0, NULL);
	const char *reason =
		json_string_value(json_object_get(json_object_get(note, "params"), "reason"));
	char text[ERR_TEXT_MAX];
	if (reason != NULL)
		err_set(err, ECONNRESET, "%s", text_clean(reason, text, sizeof(text)));
	json_decref(note);
	return -ECONNRESET;
}

void
rpc_close(struct rpc *rpc)
{
	if (rpc == NULL)
		return;
	if (rpc->given >= 0)
		close(rpc->given);
	close(rpc->fd);
	free(rpc->buffer);
	free(rpc);
}
