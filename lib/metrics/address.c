/* SPDX-License-Identifier: BSD-3-Clause */
/* Parse listening addresses and open sockets for them. */
#include "metrics/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics/metrics.h"

enum { ADDRESS_BACKLOG = 128, ADDRESS_PORT_DIGITS = 5, ADDRESS_PORT_LAST = 65535 };

/** Parse a TCP port. @return 1 to 65535; 0 when it is none */
static in_port_t
address_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long port = strtol(text, NULL, 10);

	if (text[digits] != '\0' || digits > ADDRESS_PORT_DIGITS || port > ADDRESS_PORT_LAST)
		return 0;
	return (in_port_t)port;
}

int
address_parse(const char *text, struct sockaddr_storage *address, struct err *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	char host[METRICS_ADDRESS_MAX];
	const char *colon = strrchr(text, ':');
	in_port_t port = colon != NULL ? htons(address_port(colon + 1)) : 0;
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;
	bool known = false;

	memset(address, 0, sizeof(*address));
	if (port != 0 && length > 0 && strlen(text) < sizeof(host)) {
		memcpy(host, text, length);
		host[length] = '\0';
		if (host[0] == '[' && host[length - 1] == ']') {
			host[length - 1] = '\0';
			*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
			known = inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
		} else {
			*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
			known = inet_pton(AF_INET, host, &v4->sin_addr) == 1;
		}
	}
	if (!known)
		return err_set(err, EINVAL,
			"metrics: '%.80s' is no address such as 127.0.0.1:9469 or [::1]:9469",
			text);
	return 0;
}

int
address_listen(const char *text, struct err *err)
{
	struct sockaddr_storage address;
	int rc = address_parse(text, &address, err);
	const int on = 1;

	if (rc < 0)
		return rc;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, (const void *)&address, sizeof(address)) == 0 &&
		listen(fd, ADDRESS_BACKLOG) == 0)
		return fd;
	rc = err_set(err, errno, "metrics: cannot listen at %s: %s", text, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}
