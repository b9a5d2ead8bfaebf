/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends and receives vhost-user messages as the front end. */
#include "message.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const message_names[] = {
	[GET_FEATURES] = "GET_FEATURES",
	[SET_FEATURES] = "SET_FEATURES",
	[SET_OWNER] = "SET_OWNER",
	[RESET_OWNER] = "RESET_OWNER",
	[SET_MEM_TABLE] = "SET_MEM_TABLE",
	[SET_LOG_BASE] = "SET_LOG_BASE",
	[SET_LOG_FD] = "SET_LOG_FD",
	[SET_VRING_NUM] = "SET_VRING_NUM",
	[SET_VRING_ADDR] = "SET_VRING_ADDR",
	[SET_VRING_BASE] = "SET_VRING_BASE",
	[GET_VRING_BASE] = "GET_VRING_BASE",
	[SET_VRING_KICK] = "SET_VRING_KICK",
	[SET_VRING_CALL] = "SET_VRING_CALL",
	[SET_VRING_ERR] = "SET_VRING_ERR",
	[GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
	[SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
	[GET_QUEUE_NUM] = "GET_QUEUE_NUM",
	[SET_VRING_ENABLE] = "SET_VRING_ENABLE",
	[SEND_RARP] = "SEND_RARP",
	[NET_SET_MTU] = "NET_SET_MTU",
	[SET_BACKEND_REQ_FD] = "SET_BACKEND_REQ_FD",
	[GET_MAX_MEM_SLOTS] = "GET_MAX_MEM_SLOTS",
	[ADD_MEM_REG] = "ADD_MEM_REG",
	[SET_STATUS] = "SET_STATUS",
	[GET_STATUS] = "GET_STATUS",
};

const char *
message_name(uint32_t request)
{
	static _Thread_local char other[24];

	if (request < sizeof(message_names) / sizeof(message_names[0]) &&
		message_names[request] != NULL)
		return message_names[request];
	snprintf(other, sizeof(other), "request %u", request);
	return other;
}

/** @return seconds of CLOCK_MONOTONIC */
static double
message_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/** Wait until the socket is ready; a signal does not end the wait. @return 0, -ETIMEDOUT */
static int
message_wait(int sock, short events, double deadline)
{
	struct pollfd pollfd = {.fd = sock, .events = events};

	for (;;) {
		double left = deadline - message_clock();
		int n = left <= 0 ? 0 : poll(&pollfd, 1, (int)(left * 1e3) + 1);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/** Set err for a request that could not be sent or answered. @param code errno; 0 = end of file */
static int
message_fail(uint32_t request, int code, struct err *err)
{
	if (code == ECONNRESET || code == EPIPE || code == 0)
		return err_set(err, ECONNRESET, "%s: the back end closed the connection",
			message_name(request));
	return err_set(err, code, "%s: %s", message_name(request), strerror(code));
}

/** Send bytes and file descriptors without waiting. @return as sendmsg() */
static ssize_t
message_write(int sock, const void *bytes, size_t length, const int *fds, unsigned n_fds)
{
	char control[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))] = {0};
	struct iovec iovec = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr header = {.msg_iov = &iovec, .msg_iovlen = 1};

	if (n_fds > 0) {
		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, n_fds * sizeof(int));
	}
	return sendmsg(sock, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
message_send(int sock, const struct message *message, const int *fds, unsigned n_fds,
	double seconds, struct err *err)
{
	size_t length = MESSAGE_HEADER + message->size, sent = 0;
	double deadline = message_clock() + seconds;

	while (sent < length) {
		ssize_t n = message_write(sock, (const char *)message + sent, length - sent, fds,
			sent == 0 ? n_fds : 0);

		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			return message_fail(message->request, errno, err);
		else if (message_wait(sock, POLLOUT, deadline) != 0)
			return err_set(err, ETIMEDOUT, "%s: not read by the back end within %g s",
				message_name(message->request), seconds);
	}
	return 0;
}

/** Close unrequested file descriptors, so that a back end cannot exhaust those of the process. */
static void
message_drop_fds(struct msghdr *header)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
		control = CMSG_NXTHDR(header, control)) {
		size_t n = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; control->cmsg_type == SCM_RIGHTS && i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(fd));
			close(fd);
		}
	}
}

/** Receive bytes without waiting. @return as recvmsg() */
static ssize_t
message_read(int sock, void *bytes, size_t length)
{
	char control[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int))];
	struct iovec iovec = {.iov_base = bytes, .iov_len = length};
	struct msghdr header = {
		.msg_iov = &iovec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(sock, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n > 0)
		message_drop_fds(&header);
	return n;
}

/** Read exactly length bytes. */
static int
message_fill(int sock, uint32_t request, void *bytes, size_t length, double deadline,
	double seconds, struct err *err)
{
	size_t got = 0;

	while (got < length) {
		if (message_wait(sock, POLLIN, deadline) != 0)
			return err_set(err, ETIMEDOUT, "%s: no answer within %g s",
				message_name(request), seconds);
		ssize_t n = message_read(sock, (char *)bytes + got, length - got);

		if (n > 0)
			got += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return message_fail(request, n == 0 ? 0 : errno, err);
	}
	return 0;
}

int
message_answer(int sock, uint32_t request, struct message *answer, uint32_t size, double seconds,
	struct err *err)
{
	double deadline = message_clock() + seconds;
	int code = message_fill(sock, request, answer, MESSAGE_HEADER, deadline, seconds, err);

	if (code != 0)
		return code;
	if (answer->request != request || !(answer->flags & MESSAGE_REPLY))
		return err_set(err, EPROTO, "%s: answered with request %u, flags 0x%x",
			message_name(request), answer->request, answer->flags);
	if (size == MESSAGE_ANY_SIZE && answer->size <= sizeof(*answer) - MESSAGE_HEADER)
		size = answer->size;
	if (answer->size != size)
		return err_set(err, EPROTO, "%s: the answer has %u bytes instead of %u",
			message_name(request), answer->size, size);
	return message_fill(sock, request, &answer->number, size, deadline, seconds, err);
}

int
message_send_raw(int sock, const void *bytes, size_t length)
{
	ssize_t n = message_write(sock, bytes, length, NULL, 0);

	return n < 0 ? -errno : (int)n;
}
