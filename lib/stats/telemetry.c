/* SPDX-License-Identifier: BSD-3-Clause */
/* Pass calls of DPDK's telemetry threads to the control thread, and answers back. */
#include "stats/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "stats/telemetry_internal.h"

/** A call between two threads, freed by the one that finishes with it last. */
struct telemetry_call {
	const struct telemetry_command *command;
	char *text;     /**< parameters after the comma; NULL = none */
	json_t *answer; /**< NULL = none */
	bool running;   /**< taken from the list by the control thread */
	bool done;      /**< the control thread has set `answer` */
	bool forgotten; /**< the telemetry thread waits no more */
	TAILQ_ENTRY(telemetry_call) next;
};

/** One per process, as is DPDK's telemetry. */
static struct {
	pthread_mutex_t lock; /**< of all members but those of the control thread */
	pthread_cond_t done;
	TAILQ_HEAD(telemetry_calls, telemetry_call) calls; /**< not taken yet */
	bool open;
	int fd; /**< eventfd: there are calls */

	/* Control thread only. */
	struct rpc *rpc;
	struct vswitch *vswitch;
	struct event *event;
} telemetry = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = -1,
};

/** Free a call with its answer. */
static void
telemetry_free_call(struct telemetry_call *call)
{
	json_decref(call->answer);
	free(call->text);
	free(call);
}

/** Control thread: answer all calls. The lock is released during each answer. */
static void
telemetry_on_call(evutil_socket_t fd, short what, void *arg)
{
	struct telemetry_call *call;
	eventfd_t count;

	(void)what;
	(void)arg;
	eventfd_read(fd, &count);
	pthread_mutex_lock(&telemetry.lock);
	while ((call = TAILQ_FIRST(&telemetry.calls)) != NULL) {
		TAILQ_REMOVE(&telemetry.calls, call, next);
		call->running = true;
		pthread_mutex_unlock(&telemetry.lock);
		call->answer = call->command->answer(telemetry.rpc, telemetry.vswitch, call->text);
		pthread_mutex_lock(&telemetry.lock);
		call->done = true;
		if (call->forgotten)
			telemetry_free_call(call);
	}
	pthread_cond_broadcast(&telemetry.done);
	pthread_mutex_unlock(&telemetry.lock);
}

/** With the lock held: wait for the answer, the timeout or telemetry_close(). */
static void
telemetry_wait(const struct telemetry_call *call)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TELEMETRY_WAIT_S;
	while (!call->done && telemetry.open)
		if (pthread_cond_clockwait(
			    &telemetry.done, &telemetry.lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
			return;
}

/**
 * Telemetry thread: pass a call to the control thread and wait for its answer.
 *
 * @param call owned by this function
 * @return the answer, owned by the caller; NULL when there is none
 */
static json_t *
telemetry_call_control(struct telemetry_call *call)
{
	json_t *answer = NULL;

	pthread_mutex_lock(&telemetry.lock);
	if (telemetry.open) {
		TAILQ_INSERT_TAIL(&telemetry.calls, call, next);
		eventfd_write(telemetry.fd, 1);
		telemetry_wait(call);
		answer = json_incref(call->answer);
		if (!call->running)
			TAILQ_REMOVE(&telemetry.calls, call, next);
	}
	call->forgotten = true;
	if (!call->running || call->done)
		telemetry_free_call(call);
	pthread_mutex_unlock(&telemetry.lock);
	return answer;
}

/** Telemetry thread: callback of all commands. */
static int
telemetry_on_command(const char *name, const char *text, struct rte_tel_data *data)
{
	const struct telemetry_command *command = telemetry_commands;
	struct telemetry_call *call = calloc(1, sizeof(*call));

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	if (call == NULL || command->name == NULL) {
		free(call);
		return -1;
	}
	call->command = command;
	call->text = text != NULL ? strdup(text) : NULL;
	json_t *answer = telemetry_call_control(call);
	if (answer == NULL)
		return -1;
	int rc = telemetry_convert(answer, data);
	json_decref(answer);
	return rc;
}

int
telemetry_open(struct rpc *rpc, struct vswitch *vswitch, struct err *err)
{
	TAILQ_INIT(&telemetry.calls);
	telemetry.rpc = rpc;
	telemetry.vswitch = vswitch;
	telemetry.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (telemetry.fd < 0)
		return err_set(err, errno, "telemetry: %s", strerror(errno));
	telemetry.event = event_new(
		vswitch->events, telemetry.fd, EV_READ | EV_PERSIST, telemetry_on_call, NULL);
	if (telemetry.event == NULL || event_add(telemetry.event, NULL) < 0)
		return err_set(err, ENOMEM, "telemetry: no memory");
	pthread_mutex_lock(&telemetry.lock);
	telemetry.open = true;
	pthread_mutex_unlock(&telemetry.lock);
	for (const struct telemetry_command *c = telemetry_commands; c->name != NULL; c++)
		if (rte_telemetry_register_cmd(c->name, telemetry_on_command, c->help) < 0)
			return err_set(err, ENOMEM, "telemetry: %s: not registered", c->name);
	return 0;
}

void
telemetry_close(void)
{
	pthread_mutex_lock(&telemetry.lock);
	telemetry.open = false;
	pthread_cond_broadcast(&telemetry.done);
	pthread_mutex_unlock(&telemetry.lock);
	if (telemetry.event != NULL)
		event_free(telemetry.event);
	telemetry.event = NULL;
	if (telemetry.fd >= 0)
		close(telemetry.fd);
	telemetry.fd = -1;
}
