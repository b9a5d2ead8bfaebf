/* SPDX-License-Identifier: BSD-3-Clause */
/* Connects to back ends over unix sockets, or waits for their connection. */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_NS = 10000000, BACKLOG = 4 };

/** Set the address of a socket from its path. */
static int
connection_set_address(const char *path, struct sockaddr_un *address, struct err *err)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return err_set(err, ENAMETOOLONG, "a socket path has at most %zu bytes",
			sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

/** Try to connect once. @return fd, -errno */
static int
connection_try(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int code;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return fd;
	code = -errno;
	if (fd >= 0)
		close(fd);
	return code;
}

/** Remove a socket file without a listener; other files stay. */
static void
connection_remove_stale(const struct sockaddr_un *address)
{
	int fd = connection_try(address);

	if (fd >= 0)
		close(fd);
	else if (fd == -ECONNREFUSED)
		unlink(address->sun_path);
}

int
connection_listen(const char *path, struct err *err)
{
	struct sockaddr_un address;
	int fd, code = connection_set_address(path, &address, err);

	if (code != 0)
		return code;
	connection_remove_stale(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	code = errno;
	if (fd >= 0)
		close(fd);
	return err_set(err, code, "cannot listen: %s", strerror(code));
}

int
connection_accept(int listener, double seconds, struct err *err)
{
	struct pollfd pollfd = {.fd = listener, .events = POLLIN};
	int fd, n = poll(&pollfd, 1, (int)(seconds * 1e3));

	if (n < 0)
		return err_set(err, errno, "listening: %s", strerror(errno));
	if (n == 0)
		return err_set(
			err, ETIMEDOUT, "listening: no back end connected within %g s", seconds);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return fd >= 0 ? fd : err_set(err, errno, "accept: %s", strerror(errno));
}

int
connection_connect(const char *path, double seconds, struct err *err)
{
	struct timespec pause = {.tv_nsec = RETRY_NS};
	struct sockaddr_un address;
	int code = connection_set_address(path, &address, err);

	if (code != 0)
		return code;
	for (double left = seconds;; left -= RETRY_NS * 1e-9) {
		code = connection_try(&address);
		if (code >= 0)
			return code;
		if (left <= 0 || (code != -ENOENT && code != -ECONNREFUSED && code != -EAGAIN))
			return err_set(err, -code, "connect: %s", strerror(-code));
		if (nanosleep(&pause, NULL) != 0)
			return err_set(err, errno, "connect: %s", strerror(errno));
	}
}

bool
connection_closed(int sock)
{
	char byte;
	ssize_t n = recv(sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}
