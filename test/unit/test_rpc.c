/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket without a socket: where requests end, how they are parsed, the answers. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rpc.h"
#include "control/rpc_frame.h"

/* Where a document ends ----------------------------------------------------------------------- */

/** Scan a text that comes in two pieces. */
static ssize_t
scan_split(const char *text, size_t length, size_t first)
{
	struct rpc_frame frame = {0};
	ssize_t end = rpc_frame_scan(&frame, text, first);

	return end != 0 ? end : rpc_frame_scan(&frame, text, length);
}

static void
test_scan_documents(void **state)
{
	static const char *const documents[] = {"{}", "[]", "{\"a\":1}", "[[],[{}]]",
		" \t\r\n{\"a\":[1,2,{\"b\":null}]}", "{\"}\":\"{[\"}", "{\"a\":\"\\\"}\"}",
		"{\"a\":\"\\\\\"}", "[\"\\\\\\\"]\"]", "{\"\\u0022\":\"]\"}", "[1,\"\xc3\xa4]\"]",
		"{\"a\" : \"x\\\\\\\"}\" , \"b\" : \"\\\\\" }"};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		size_t length = strlen(documents[i]);

		snprintf(text, sizeof(text), "%s{\"next\":1}", documents[i]);
		for (size_t first = 0; first <= strlen(text); first++)
			assert_int_equal(scan_split(text, strlen(text), first), length);
		for (size_t part = 0; part < length; part++)
			assert_int_equal(scan_split(text, part, part / 2), 0);
	}
}

static void
test_scan_byte_by_byte(void **state)
{
	static const char text[] = "\n{\"a\":[\"}\\\"]\",{}]} ";
	struct rpc_frame frame = {0};

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 2; length++)
		assert_int_equal(rpc_frame_scan(&frame, text, length), 0);
	assert_int_equal(rpc_frame_scan(&frame, text, sizeof(text) - 2), sizeof(text) - 2);
}

static void
test_scan_garbage(void **state)
{
	static const char *const garbage[] = {"x", " x", "1", "\"a\"", "null", "}", "]", " ]",
		"GET / HTTP/1.1", "\x01", "\xff", "\xef\xbb\xbf{}", ",{}"};
	struct rpc_frame frame = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(garbage); i++)
		for (size_t first = 0; first <= strlen(garbage[i]); first++)
			assert_int_equal(
				scan_split(garbage[i], strlen(garbage[i]), first), -EINVAL);
	assert_int_equal(rpc_frame_scan(&frame, "\0{}", 3), -EINVAL);
}

static void
test_scan_space(void **state)
{
	struct rpc_frame frame = {0};

	(void)state;
	assert_int_equal(rpc_frame_scan(&frame, "", 0), 0);
	assert_int_equal(rpc_frame_scan(&frame, " \r\n\t ", 5), 0);
	assert_int_equal(frame.depth, 0);
	assert_int_equal(rpc_frame_scan(&frame, " \r\n\t [", 6), 0);
	assert_int_equal(frame.depth, 1);
}

/* Answers ------------------------------------------------------------------------------------- */

static json_t *
call_echo(void *arg, json_t *params, struct err *err)
{
	(void)err;
	++*(unsigned *)arg;
	return json_incref(params);
}

/** Fail with the reason and the code given in the request. */
static json_t *
call_fail(void *arg, json_t *params, struct err *err)
{
	const char *reason = json_string_value(json_object_get(params, "reason"));

	++*(unsigned *)arg;
	if (reason != NULL)
		err_set(err, (int)json_integer_value(json_object_get(params, "code")), "%.40s",
			reason);
	return NULL;
}

static const struct rpc_method methods[] = {{"echo", call_echo}, {"fail", call_fail}, {0}};

static struct rpc *rpc;
static unsigned calls;

static int
setup(void **state)
{
	(void)state;
	calls = 0;
	rpc = rpc_create(NULL);
	if (rpc == NULL)
		return -1;
	rpc_register(rpc, methods, &calls);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rpc_destroy(rpc);
	return 0;
}

/** Send a request and compare the answer; "" = none. */
static void
check_answer(const char *request, const char *expected)
{
	json_t *asked = json_loads(request, 0, NULL);
	json_t *answer, *wanted = json_loads(expected, 0, NULL);

	assert_non_null(asked);
	answer = rpc_answer(rpc, asked);
	json_decref(asked);
	if (!json_equal(answer, wanted) && (answer != NULL || wanted != NULL)) {
		char *text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
		fail_msg("%s: answer is %s", request, text != NULL ? text : "none");
	}
	json_decref(answer);
	json_decref(wanted);
}

#define ANSWER(id, rest) "{\"jsonrpc\":\"2.0\",\"id\":" id "," rest "}"
#define ERROR(id, code, message)                                                                   \
	ANSWER(id, "\"error\":{\"code\":" code ",\"message\":\"" message "\"}")
#define NO_REQUEST(id) ERROR(id, "-32600", "not a JSON-RPC request: no method")

static void
test_answer_results(void **state)
{
	(void)state;
	check_answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[1]}}",
		ANSWER("1", "\"result\":{\"a\":[1]}"));
	check_answer("{\"id\":\"x\",\"method\":\"echo\"}", ANSWER("\"x\"", "\"result\":{}"));
	check_answer("{\"id\":null,\"method\":\"echo\"}", ANSWER("null", "\"result\":{}"));
	check_answer(
		"{\"id\":[1],\"method\":\"echo\",\"other\":0}", ANSWER("[1]", "\"result\":{}"));
	assert_int_equal(calls, 4);
}

static void
test_answer_refusals(void **state)
{
	(void)state;
	check_answer("{\"id\":1,\"method\":\"ech\"}", ERROR("1", "-32601", "no such method"));
	check_answer("{\"id\":1,\"method\":\"\"}", ERROR("1", "-32601", "no such method"));
	check_answer("{\"id\":1}", NO_REQUEST("1"));
	check_answer("{\"id\":1,\"method\":5}", NO_REQUEST("1"));
	check_answer("{}", NO_REQUEST("null"));
	check_answer("{\"id\":1,\"method\":\"echo\",\"params\":[1]}",
		ERROR("1", "-32602", "params: must be an object"));
	check_answer("{\"id\":1,\"method\":\"echo\",\"params\":null}",
		ERROR("1", "-32602", "params: must be an object"));
	assert_int_equal(calls, 0);
	check_answer("{\"id\":1,\"method\":\"fail\"}", ERROR("1", "-32000", "failed"));
	check_answer(
		"{\"id\":1,\"method\":\"fail\",\"params\":{\"code\":22,\"reason\":\"a: bad\"}}",
		ERROR("1", "-32602", "a: bad"));
	check_answer("{\"id\":1,\"method\":\"fail\",\"params\":{\"code\":2,\"reason\":\"no a\"}}",
		ERROR("1", "-32000", "no a"));
}

/** A reason that quotes the request may be cut in the middle of a character. */
static void
test_answer_cut_character(void **state)
{
	json_t *request, *answer;
	const char *message;

	(void)state;
	for (int length = 36; length < 42; length++) {
		char reason[64] = "";

		memset(reason, 'x', (size_t)length);
		strcat(reason, "\xf0\x9f\x90\x8b\xf0\x9f\x90\x8b");
		request = json_pack("{s:i, s:s, s:{s:i, s:s}}", "id", 1, "method", "fail", "params",
			"code", ENOENT, "reason", reason);
		answer = rpc_answer(rpc, request);
		json_decref(request);
		assert_non_null(answer);
		message = json_string_value(
			json_object_get(json_object_get(answer, "error"), "message"));
		assert_non_null(message);
		assert_memory_equal(message, reason, length < 40 ? length : 40);
		json_decref(answer);
	}
}

static void
test_answer_notifications(void **state)
{
	(void)state;
	check_answer("{\"method\":\"echo\"}", "");
	check_answer("{\"method\":\"fail\"}", "");
	assert_int_equal(calls, 2);
}

static void
test_answer_batches(void **state)
{
	(void)state;
	check_answer("[]", ERROR("null", "-32600", "an empty batch"));
	check_answer("[{\"id\":1,\"method\":\"echo\"},{\"method\":\"echo\"},"
		     "{\"id\":2,\"method\":\"none\"}]",
		"[" ANSWER("1", "\"result\":{}") "," ERROR("2", "-32601", "no such method") "]");
	check_answer("[{\"method\":\"echo\"},{\"method\":\"echo\"}]", "");
	assert_int_equal(calls, 4);
	check_answer("[1,[],null,[{\"id\":1,\"method\":\"echo\"}]]",
		"[" NO_REQUEST("null") "," NO_REQUEST("null") "," NO_REQUEST("null") "," NO_REQUEST(
			"null") "]");
	assert_int_equal(calls, 4);
}

/* Parameters ---------------------------------------------------------------------------------- */

static void
test_text(void **state)
{
	json_t *params = json_pack("{s:s, s:i, s:n, s:s}", "a", "word", "b", 5, "c", "d", "");
	struct err err;

	(void)state;
	assert_string_equal(rpc_text(params, "a", &err), "word");
	assert_string_equal(rpc_text(params, "d", &err), "");
	assert_null(rpc_text(params, "b", &err));
	assert_string_equal(err.text, "b: missing, or no text");
	assert_int_equal(err.code, -EINVAL);
	assert_null(rpc_text(params, "c", &err));
	assert_null(rpc_text(params, "e", &err));
	assert_string_equal(err.text, "e: missing, or no text");
	json_decref(params);
}

static void
test_number(void **state)
{
	static const struct {
		const char *json;
		int rc;
		json_int_t value;
	} cases[] = {
		{"5", 1, 5},
		{"\"5\"", 1, 5},
		{"1", 1, 1},
		{"10", 1, 10},
		{"0", -EINVAL, 0},
		{"11", -EINVAL, 0},
		{"\"11\"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"\"\"", -EINVAL, 0},
		{"\"5x\"", -EINVAL, 0},
		{"\"x\"", -EINVAL, 0},
		{"5.0", -EINVAL, 0},
		{"null", -EINVAL, 0},
		{"true", -EINVAL, 0},
		{"[5]", -EINVAL, 0},
		{"9223372036854775807", -EINVAL, 0},
		{"\"9223372036854775808\"", -EINVAL, 0},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *params = json_object();
		json_int_t value = 99;

		json_object_set_new(params, "n", json_loads(cases[i].json, JSON_DECODE_ANY, NULL));
		assert_int_equal(rpc_number(params, "m", 1, 10, &value, &err), 0);
		assert_int_equal(rpc_number(params, "n", 1, 10, &value, &err), cases[i].rc);
		assert_int_equal(value, cases[i].rc == 1 ? cases[i].value : 99);
		if (cases[i].rc < 0)
			assert_string_equal(err.text, "n: must be a number from 1 to 10");
		json_decref(params);
	}
}

static void
test_only(void **state)
{
	static const char *const names[] = {"a", "b", NULL}, *const none[] = {NULL};
	json_t *params = json_pack("{s:i, s:i}", "b", 1, "a", 1);
	json_t *empty = json_object();
	struct err err;

	(void)state;
	assert_int_equal(rpc_only(params, names, &err), 0);
	assert_int_equal(rpc_only(empty, names, &err), 0);
	assert_int_equal(rpc_only(empty, none, &err), 0);
	json_object_set_new(params, "ab", json_null());
	assert_int_equal(rpc_only(params, names, &err), -EINVAL);
	assert_string_equal(err.text, "ab: no such parameter");
	assert_int_equal(rpc_only(params, none, &err), -EINVAL);
	json_decref(params);
	json_decref(empty);
}

#define answer_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan_documents),
		cmocka_unit_test(test_scan_byte_by_byte),
		cmocka_unit_test(test_scan_garbage),
		cmocka_unit_test(test_scan_space),
		answer_test(test_answer_results),
		answer_test(test_answer_refusals),
		answer_test(test_answer_cut_character),
		answer_test(test_answer_notifications),
		answer_test(test_answer_batches),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
