/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line program and its peer at the socket, which may misbehave or be absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "rpc.h"

enum { SHORT_MS = 100, PIECES_MAX = 3, WORDS_MAX = 6 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Run "shunt -s SOCKET WORD..." and check exit code, output and the line of error. */
static void
expect(const char *socket, const char *const words[WORDS_MAX], int code, const char *out,
	const char *err)
{
	char *argv[WORDS_MAX + 4] = {(char *)"shunt", (char *)"-s", (char *)socket};
	char *texts[2];
	size_t lengths[2];
	FILE *files[2];
	int argc = 3;

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		argv[argc++] = (char *)words[i];
	for (size_t i = 0; i < 2; i++)
		files[i] = open_memstream(&texts[i], &lengths[i]);
	assert_int_equal(cli_main(argc, argv, files[0], files[1]), code);
	for (size_t i = 0; i < 2; i++)
		fclose(files[i]);
	assert_string_equal(texts[0], out);
	if (code == CLI_DONE)
		assert_string_equal(texts[1], "");
	else
		assert_ptr_equal(strchr(texts[1], '\n'), texts[1] + lengths[1] - 1);
	if (strstr(texts[1], err) == NULL)
		fail_msg("%s", texts[1]);
	free(texts[0]);
	free(texts[1]);
}

/** A peer that sends what the test sets after it has read a line of request. */
struct peer {
	int fd;         /**< connected, or listening if it accepts first */
	bool listening; /**< serve connections until the listening socket is shut down */
	bool hold;      /**< keep the connection until the client closes it */
	const char *pieces[PIECES_MAX];
	char request[256];
	pthread_t thread;
};

static void
peer_serve(struct peer *peer, int fd)
{
	const struct timespec gap = {0, 5000000};
	size_t used = 0;
	char byte = 0;

	while (byte != '\n' && read(fd, &byte, 1) == 1)
		if (used < sizeof(peer->request) - 1)
			peer->request[used++] = byte;
	peer->request[used] = '\0';
	for (size_t i = 0; i < PIECES_MAX && peer->pieces[i] != NULL; i++) {
		send(fd, peer->pieces[i], strlen(peer->pieces[i]), MSG_NOSIGNAL);
		nanosleep(&gap, NULL);
	}
	while (peer->hold && read(fd, &byte, 1) > 0)
		continue;
	close(fd);
}

static void *
peer_main(void *argument)
{
	struct peer *peer = argument;
	int fd;

	if (!peer->listening) {
		peer_serve(peer, peer->fd);
		return NULL;
	}
	while ((fd = accept(peer->fd, NULL, NULL)) >= 0)
		peer_serve(peer, fd);
	return NULL;
}

/** Call a method of a peer. @return the result of rpc_call() */
static int
call_peer(struct peer *peer, size_t answer_max, json_t **result, struct err *err)
{
	const struct rpc_limits limits = {.timeout_ms = SHORT_MS, .answer_max = answer_max};
	int pair[2];
	struct rpc *rpc;
	int code;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer->fd = pair[1];
	assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
	rpc = rpc_attach(pair[0], &limits);
	assert_non_null(rpc);
	code = rpc_call(rpc, "port.list", NULL, result, err);
	rpc_close(rpc);
	pthread_join(peer->thread, NULL);
	return code;
}

/** Notifications before and after an answer, in pieces, with other and broken ones between them. */
static void
test_rpc_notifications(void **state)
{
	struct peer peer = {.pieces = {"{\"id\":1,\"result\":{}}\n{\"method\":\"event\",\"pa",
				    "rams\":{\"a\":1}}\n{\"method\":\"other\",\"params\":{}}\n"
				    "[]\n{\"method\":\"event\",\"params\":[2]}\n",
				    "{\"method\":\"event\",\"params\":{\"a\":3}}\nx\n"}};
	const struct rpc_limits limits = {.timeout_ms = SHORT_MS};
	static const json_int_t wanted[] = {1, 3};
	struct err err = {0};
	json_t *params;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer.fd = pair[1];
	assert_int_equal(pthread_create(&peer.thread, NULL, peer_main, &peer), 0);
	struct rpc *rpc = rpc_attach(pair[0], &limits);
	assert_int_equal(rpc_call(rpc, "monitor", NULL, &params, &err), 0);
	json_decref(params);
	for (size_t i = 0; i < COUNT(wanted); i++) {
		assert_int_equal(rpc_next(rpc, "event", &params, &err), 0);
		assert_int_equal(json_integer_value(json_object_get(params, "a")), wanted[i]);
		json_decref(params);
	}
	assert_int_equal(rpc_next(rpc, "event", &params, &err), -EPROTO);
	pthread_join(peer.thread, NULL);
	assert_int_equal(rpc_next(rpc, "event", &params, &err), -ECONNRESET);
	rpc_close(rpc);
}

static void
test_rpc_answers(void **state)
{
	static const struct {
		struct peer peer;
		int code;
		const char *text;
	} cases[] = {
		{{.pieces = {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[7]}\n"}}, 0, ""},
		{{.hold = true, .pieces = {"{\"id\":1,", "\"result\":[7]", "}\n"}}, 0, ""},
		{{.pieces = {"{\"id\":1,\"result\":[7]}\n{\"id\":2,"}}, 0, ""},
		{{.pieces = {"{\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\\nport\"}}\n"}},
			-EREMOTEIO, "no?port"},
		{{.pieces = {"{\"id\":null,\"error\":{\"message\":\"parse\"}}\n"}}, -EREMOTEIO,
			"parse"},
		{{.pieces = {"{\"id\":1,\"error\":\"x\"}\n"}}, -EPROTO, "no reason"},
		{{.pieces = {"{\"id\":2,\"result\":[7]}\n"}}, -EPROTO, "another request"},
		{{.pieces = {"{\"id\":1}\n"}}, -EPROTO, "no result"},
		{{.pieces = {"[]\n"}}, -EPROTO, "not a JSON object"},
		{{.pieces = {"\001garbage\n"}}, -EPROTO, "not JSON"},
		{{.pieces = {"\n"}}, -EPROTO, "not JSON"},
		{{.pieces = {NULL}}, -ECONNRESET, "without an answer"},
		{{.pieces = {"{\"id\":1,\"result\":"}}, -ECONNRESET, "middle"},
		{{.hold = true, .pieces = {NULL}}, -ETIMEDOUT, "within 0.1 s"},
		{{.hold = true, .pieces = {"{\"id\":1"}}, -ETIMEDOUT, "within 0.1 s"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct peer peer = cases[i].peer;
		struct err err = {0};
		json_t *result = NULL;

		assert_int_equal(call_peer(&peer, 0, &result, &err), cases[i].code);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(peer.request,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"port.list\",\"params\":{}}\n");
		if (cases[i].code == 0)
			assert_int_equal(json_integer_value(json_array_get(result, 0)), 7);
		json_decref(result);
	}
}

static void
test_rpc_too_long(void **state)
{
	static const char answer[] = "{\"id\":1,\"result\":[7]}\n";
	struct peer peer = {.hold = true, .pieces = {answer}};
	struct err err = {0};
	json_t *result = NULL;

	(void)state;
	assert_int_equal(call_peer(&peer, strlen(answer) - 1, &result, &err), -EMSGSIZE);
	assert_int_equal(call_peer(&peer, strlen(answer), &result, &err), 0);
	json_decref(result);
}

static void
test_no_switch(void **state)
{
	const char *socket = "/nonexistent/shunt.sock";

	(void)state;
	expect(socket, (const char *const[WORDS_MAX]){"status"}, CLI_ABSENT, "", socket);
	expect(socket, (const char *const[WORDS_MAX]){"stop"}, CLI_ABSENT, "", "start shuntd");
	expect(socket, (const char *const[WORDS_MAX]){"wait", "0.1"}, CLI_ABSENT, "",
		"waited 0.1 s");
}

/** Make a peer listen, with a backlog, at a socket of its own. */
static void
peer_listen(struct peer *peer, struct sockaddr_un *address)
{
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "/tmp/shunt-cli-%d.sock", getpid());
	peer->listening = true;
	peer->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(listen(peer->fd, 4), 0);
	assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

static void
peer_end(struct peer *peer, const struct sockaddr_un *address)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	unlink(address->sun_path);
}

static void
test_done(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *out;
	} cases[] = {
		{{"port", "del", "a"}, ""},
		{{"-j", "port", "del", "a"}, "{}\n"},
		{{"wait", "5"}, ""},
		{{"-j", "wait"}, "{}\n"},
		{{"stop"}, ""},
	};
	struct peer peer = {.pieces = {"{\"id\":1,\"result\":{}}\n"}};
	struct sockaddr_un address = {0};

	(void)state;
	peer_listen(&peer, &address);
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(address.sun_path, cases[i].words, CLI_DONE, cases[i].out, "");
	expect(address.sun_path, (const char *const[WORDS_MAX]){"port", "list"}, CLI_REFUSED, "",
		"unknown form");
	peer_end(&peer, &address);
}

static void
test_refused(void **state)
{
	struct peer peer = {.pieces = {"{\"id\":1,\"error\":{\"message\":\"no port a\"}}\n"}};
	struct sockaddr_un address = {0};

	(void)state;
	peer_listen(&peer, &address);
	expect(address.sun_path, (const char *const[WORDS_MAX]){"-j", "port", "del", "a"},
		CLI_REFUSED, "", "shunt: no port a\n");
	peer_end(&peer, &address);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rpc_answers),
		cmocka_unit_test(test_rpc_notifications),
		cmocka_unit_test(test_rpc_too_long),
		cmocka_unit_test(test_no_switch),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
