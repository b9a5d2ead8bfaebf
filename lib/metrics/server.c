/* SPDX-License-Identifier: BSD-3-Clause */
/* The HTTP server: libmicrohttpd as an event of the control loop, with limits for clients. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <microhttpd.h>

#include "base/log.h"
#include "metrics/address.h"
#include "metrics/collect.h"
#include "metrics/metrics.h"

LOG_MODULE(metrics);

#define METRICS_OPEN_TYPE "application/openmetrics-text"

enum {
	METRICS_CLIENT_MEMORY = 8192, /**< bytes of memory per connection */
	METRICS_RUNS = 16,            /**< calls of MHD_run() before other events are handled */
};

struct metrics_client {
	int fd;
	time_t since;
	TAILQ_ENTRY(metrics_client) next;
};

/** An answer, kept for requests within METRICS_FRESH_MS. */
struct metrics_answer {
	struct MHD_Response *response; /**< NULL = none */
	uint64_t made_ms;
};

struct metrics {
	const struct vswitch *vswitch;
	char address[METRICS_ADDRESS_MAX];
	struct MHD_Daemon *daemon; /**< NULL = not listening */
	struct event *ready;       /**< the epoll descriptor of the daemon is ready */
	struct event *tick;        /**< once a second: timeouts of clients */
	struct metrics_answer answer[METRICS_STYLES];
	TAILQ_HEAD(metrics_clients, metrics_client) clients; /**< oldest first */
};

int
metrics_check(const char *address, struct err *err)
{
	struct sockaddr_storage parsed;

	return address_parse(address, &parsed, err);
}

const char *
metrics_address(const struct metrics *metrics)
{
	return metrics->address;
}

/** @return monotonic time in milliseconds */
static uint64_t
metrics_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/** Answer with an error and close. @param text static, not copied */
static enum MHD_Result
metrics_refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/** Create a response with the present metrics. @return NULL: no memory */
static struct MHD_Response *
metrics_make_response(const struct metrics *metrics, enum metrics_style style)
{
	static const char *const types[] = {
		[METRICS_PLAIN] = "text/plain; version=0.0.4; charset=utf-8",
		[METRICS_OPEN] = METRICS_OPEN_TYPE "; version=1.0.0; charset=utf-8",
	};
	struct MHD_Response *response = NULL;
	size_t length = 0;
	char *text = metrics_collect(metrics->vswitch, style, &length);

	if (text != NULL)
		response = MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(text);
		return NULL;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, types[style]);
	/* Close after each answer, so that no client keeps one of the few connections. */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	return response;
}

/** Discard the answers that are kept, of both styles. */
static void
metrics_discard_answers(struct metrics *metrics)
{
	for (int style = 0; style < METRICS_STYLES; style++) {
		if (metrics->answer[style].response != NULL)
			MHD_destroy_response(metrics->answer[style].response);
		metrics->answer[style].response = NULL;
	}
}

/** Answer a request with the metrics, in the style that the client accepts. */
static enum MHD_Result
metrics_answer(struct metrics *metrics, struct MHD_Connection *connection)
{
	const char *accepted =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	bool open = accepted != NULL && strstr(accepted, METRICS_OPEN_TYPE) != NULL;
	struct metrics_answer *answer = &metrics->answer[open ? METRICS_OPEN : METRICS_PLAIN];
	uint64_t now = metrics_now_ms();

	/* Bounds the load of the control thread when clients send requests without a pause. */
	if (answer->response == NULL || now - answer->made_ms > METRICS_FRESH_MS) {
		metrics_discard_answers(metrics);
		answer->response =
			metrics_make_response(metrics, open ? METRICS_OPEN : METRICS_PLAIN);
		answer->made_ms = now;
	}
	if (answer->response == NULL)
		return MHD_NO;
	return MHD_queue_response(connection, MHD_HTTP_OK, answer->response);
}

/** MHD_AccessHandlerCallback: answer a request. */
static enum MHD_Result
metrics_on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)context;
	if (strcmp(url, "/metrics") != 0)
		return metrics_refuse(
			connection, MHD_HTTP_NOT_FOUND, "Not found; metrics are at /metrics.\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return metrics_refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			"Method not allowed; use GET or HEAD.\n");
	return metrics_answer(arg, connection);
}

/** MHD_NotifyConnectionCallback: keep the list of clients, whose connections have a timeout. */
static void
metrics_on_connection(void *arg, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct metrics *metrics = arg;
	struct metrics_client *client = *context;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (client != NULL)
			TAILQ_REMOVE(&metrics->clients, client, next);
		free(client);
		return;
	}
	*context = client = malloc(sizeof(*client));
	if (client == NULL)
		return; /* ended by libmicrohttpd's timeout of inactivity */
	client->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	client->since = (time_t)(metrics_now_ms() / 1000);
	TAILQ_INSERT_TAIL(&metrics->clients, client, next);
}

/** Call MHD_run() until nothing is ready, METRICS_RUNS times at most. */
static void
metrics_run(struct metrics *metrics)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;
	int runs = 0;

	do {
		MHD_run(metrics->daemon);
	} while (++runs < METRICS_RUNS && MHD_get_timeout(metrics->daemon, &wait_ms) == MHD_YES &&
		 wait_ms == 0);
	if (runs == METRICS_RUNS)
		event_active(metrics->ready, EV_READ, 0);
}

/** Event callback: sockets of libmicrohttpd are ready. */
static void
metrics_on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	metrics_run(arg);
}

/** Timer callback: shut down connections past METRICS_TIMEOUT_S; libmicrohttpd then frees them. */
static void
metrics_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct metrics *metrics = arg;
	const struct metrics_client *client;
	time_t now = (time_t)(metrics_now_ms() / 1000);

	(void)fd;
	(void)what;
	TAILQ_FOREACH(client, &metrics->clients, next) {
		if (now - client->since <= METRICS_TIMEOUT_S)
			break;
		shutdown(client->fd, SHUT_RDWR);
	}
	metrics_run(metrics);
}

/** Close the listening socket and all connections. No effect when there are none. */
static void
metrics_close(struct metrics *metrics)
{
	if (metrics->ready != NULL)
		event_free(metrics->ready);
	if (metrics->tick != NULL)
		event_free(metrics->tick);
	if (metrics->daemon != NULL)
		MHD_stop_daemon(metrics->daemon);
	metrics->ready = NULL;
	metrics->tick = NULL;
	metrics->daemon = NULL;
	metrics->address[0] = '\0';
	metrics_discard_answers(metrics);
}

/** Serve a listening socket by libmicrohttpd. @param fd owned by this function from now on */
static int
metrics_serve(struct metrics *metrics, int fd)
{
	struct event_base *events = metrics->vswitch->events;
	const struct timeval second = {.tv_sec = 1};

	metrics->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, metrics_on_request,
		metrics, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)METRICS_CLIENTS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)METRICS_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)METRICS_CLIENT_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, metrics_on_connection,
		metrics, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (metrics->daemon == NULL) {
		close(fd);
		return -ENOMEM;
	}
	int epoll_fd = MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	metrics->ready =
		event_new(events, epoll_fd, EV_READ | EV_PERSIST, metrics_on_ready, metrics);
	metrics->tick = event_new(events, -1, EV_PERSIST, metrics_on_tick, metrics);
	if (metrics->ready == NULL || metrics->tick == NULL)
		return -ENOMEM;
	event_add(metrics->ready, NULL);
	event_add(metrics->tick, &second);
	return 0;
}

struct metrics *
metrics_create(const struct vswitch *vswitch)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics == NULL)
		return NULL;
	metrics->vswitch = vswitch;
	TAILQ_INIT(&metrics->clients);
	return metrics;
}

void
metrics_destroy(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	metrics_close(metrics);
	free(metrics);
}

/** Listen at an address, while the server does not listen. */
static int
metrics_open(struct metrics *metrics, const char *address, struct err *err)
{
	int fd = address_listen(address, err);

	if (fd < 0)
		return fd;
	if (metrics_serve(metrics, fd) < 0) {
		metrics_close(metrics);
		return err_set(err, ENOMEM, "metrics: no memory to listen at %s", address);
	}
	strcpy(metrics->address, address);
	log_info("metrics at http://%s/metrics", address);
	return 0;
}

int
metrics_listen(struct metrics *metrics, const char *address, struct err *err)
{
	char before[METRICS_ADDRESS_MAX];
	int rc;

	if (strcmp(address, metrics->address) == 0)
		return 0;
	strcpy(before, metrics->address);
	/* Before the new socket: its address may conflict with the old one, on the same port. */
	metrics_close(metrics);
	if (address[0] == '\0')
		return 0;
	rc = metrics_open(metrics, address, err);
	if (rc < 0 && before[0] != '\0' && metrics_open(metrics, before, NULL) < 0)
		log_error("metrics: cannot listen at %s any more", before);
	return rc;
}
