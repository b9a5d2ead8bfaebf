/* SPDX-License-Identifier: BSD-3-Clause */
/* The command port qemu: gets the version of this machine's QEMU, then calls the switch. */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/qemu_version.h"
#include "run.h"

#define QEMU_PROGRAM "qemu-system-x86_64"

enum { QEMU_ANSWER_MAX = 1024, QEMU_WAIT_MS = 5000 };

/** Start `qemu-system-x86_64 --version`. @return fd of its output; -1 with errno set */
static int
qemu_start(pid_t *pid)
{
	char *argv[] = {(char *)QEMU_PROGRAM, (char *)"--version", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int rc = posix_spawnp(pid, QEMU_PROGRAM, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (rc == 0)
		return ends[0];
	close(ends[0]);
	errno = rc;
	return -1;
}

/** @return milliseconds of CLOCK_MONOTONIC */
static int64_t
qemu_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Read until end of file, until text is full, or until QEMU_WAIT_MS are over. */
static void
qemu_read(int fd, char text[QEMU_ANSWER_MAX])
{
	int64_t end = qemu_now_ms() + QEMU_WAIT_MS;
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t used = 0;

	while (used < QEMU_ANSWER_MAX - 1) {
		int64_t left = end - qemu_now_ms();

		if (left <= 0 || poll(&ready, 1, (int)left) <= 0)
			break;
		ssize_t n = read(fd, text + used, QEMU_ANSWER_MAX - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
}

/**
 * Get the version of QEMU.
 *
 * @param why receives the reason if the version is unknown
 * @return QEMU_UNKNOWN if it is unknown or too old
 */
static unsigned
qemu_get_version(struct err *why)
{
	char text[QEMU_ANSWER_MAX];
	pid_t pid;
	int out = qemu_start(&pid);

	if (out < 0) {
		err_set(why, errno, "%s cannot be asked for its version: %s", QEMU_PROGRAM,
			strerror(errno));
		return QEMU_UNKNOWN;
	}
	qemu_read(out, text);
	close(out);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unsigned version = qemu_version_find(text);
	if (version == QEMU_UNKNOWN)
		err_set(why, EPROTO, "%s does not say its version", QEMU_PROGRAM);
	else if (version < QEMU_OLDEST)
		err_set(why, ENOTSUP, "%s is older than 7.2", QEMU_PROGRAM);
	return version < QEMU_OLDEST ? QEMU_UNKNOWN : version;
}

int
qemu_run(struct cli *cli, const struct command *command, const json_t *params)
{
	json_t *asked = json_deep_copy(params);
	struct err why = {0};
	char text[16];

	if (json_object_get(asked, "qemu") == NULL) {
		unsigned version = qemu_get_version(&why);
		snprintf(text, sizeof(text), "%u.%u", QEMU_MAJOR(version), QEMU_MINOR(version));
		if (version != QEMU_UNKNOWN)
			json_object_set_new(asked, "qemu", json_string(text));
	}
	int code = run_call(cli, command, asked);
	json_decref(asked);
	if (code == CLI_DONE && why.code != 0)
		return cli_fail(cli, CLI_DONE,
			"%s: this is for every version; --qemu VERSION names one", why.text);
	return code;
}
