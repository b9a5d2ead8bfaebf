/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON-RPC 2.0 requests: find the method, check parameters, build the answer. */
#include "control/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/rpc_internal.h"

struct rpc *
rpc_create(struct event_base *events)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));

	if (rpc == NULL)
		return NULL;
	rpc->events = events;
	LIST_INIT(&rpc->clients);
	return rpc;
}

void
rpc_register(struct rpc *rpc, const struct rpc_method *methods, void *arg)
{
	for (; methods->name != NULL && rpc->n_methods < RPC_METHODS_MAX; methods++)
		rpc->method[rpc->n_methods++] = (struct rpc_entry){methods, arg};
}

/**
 * Make a string of a reason. It may quote text of a client, cut within a UTF-8 character, which
 * JSON cannot represent: then bytes beyond ASCII are replaced.
 */
static json_t *
rpc_message(const char *text)
{
	json_t *message = json_string(text);
	char plain[ERR_TEXT_MAX];
	size_t length = 0;

	if (message != NULL)
		return message;
	for (; length < sizeof(plain) - 1 && text[length] != '\0'; length++)
		plain[length] = (text[length] & 0x80) != 0 ? '?' : text[length];
	plain[length] = '\0';
	return json_string(plain);
}

/** Build an error answer (JSON-RPC 2.0 section 5.1). */
static json_t *
rpc_error(json_t *id, int code, const char *message)
{
	return json_pack("{s:s, s:O?, s:{s:i, s:o}}", "jsonrpc", "2.0", "id", id, "error", "code",
		code, "message", rpc_message(message));
}

/** @return the method of a name; NULL if there is none */
static const struct rpc_entry *
rpc_find(const struct rpc *rpc, const char *name)
{
	for (unsigned i = 0; i < rpc->n_methods; i++)
		if (strcmp(rpc->method[i].method->name, name) == 0)
			return &rpc->method[i];
	return NULL;
}

/** Call a method and build the answer. */
static json_t *
rpc_call(const struct rpc_entry *entry, json_t *id, json_t *params)
{
	struct err err = {0};
	json_t *result = entry->method->call(entry->arg, params, &err);

	if (result == NULL)
		return rpc_error(id, err.code == -EINVAL ? RPC_INVALID_PARAMS : RPC_REFUSED,
			err.text[0] != '\0' ? err.text : "failed");
	return json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

/** Answer a request that is no batch. @return NULL for a notification */
static json_t *
rpc_answer_one(struct rpc *rpc, json_t *request)
{
	json_t *id = json_object_get(request, "id");
	json_t *params = json_object_get(request, "params");
	const char *method = json_string_value(json_object_get(request, "method"));
	json_t *empty = NULL, *answer;

	if (!json_is_object(request) || method == NULL)
		return rpc_error(id, RPC_INVALID_REQUEST, "not a JSON-RPC request: no method");
	if (params != NULL && !json_is_object(params))
		return rpc_error(id, RPC_INVALID_PARAMS, "params: must be an object");
	const struct rpc_entry *entry = rpc_find(rpc, method);
	if (entry == NULL)
		return rpc_error(id, RPC_NO_METHOD, "no such method");
	if (params == NULL)
		params = empty = json_object();
	answer = rpc_call(entry, id, params);
	json_decref(empty);
	/* A request without an id is a notification (JSON-RPC 2.0 section 4.1). */
	if (id == NULL) {
		json_decref(answer);
		return NULL;
	}
	return answer;
}

json_t *
rpc_answer(struct rpc *rpc, json_t *request)
{
	json_t *answers, *answer;

	if (!json_is_array(request))
		return rpc_answer_one(rpc, request);
	if (json_array_size(request) == 0)
		return rpc_error(NULL, RPC_INVALID_REQUEST, "an empty batch");
	if (json_array_size(request) > RPC_BATCH_MAX)
		return rpc_error(NULL, RPC_INVALID_REQUEST, "a batch of too many requests");
	answers = json_array();
	for (size_t i = 0; i < json_array_size(request); i++) {
		answer = rpc_answer_one(rpc, json_array_get(request, i));
		if (answer != NULL)
			json_array_append_new(answers, answer);
	}
	if (json_array_size(answers) > 0)
		return answers;
	json_decref(answers);
	return NULL;
}

json_t *
rpc_parse_error(const char *reason)
{
	return rpc_error(NULL, RPC_PARSE_ERROR, reason);
}

struct rpc_client *
rpc_client(struct rpc *rpc)
{
	return rpc->current;
}

const char *
rpc_text(json_t *params, const char *name, struct err *err)
{
	const char *text = json_string_value(json_object_get(params, name));

	if (text == NULL)
		err_set(err, EINVAL, "%s: missing, or no text", name);
	return text;
}

int
rpc_number(json_t *params, const char *name, json_int_t min, json_int_t max, json_int_t *value,
	struct err *err)
{
	json_t *member = json_object_get(params, name);
	json_int_t number;
	char *end;

	if (member == NULL)
		return 0;
	if (json_is_integer(member)) {
		number = json_integer_value(member);
	} else {
		const char *text = json_is_string(member) ? json_string_value(member) : "";
		errno = 0;
		number = strtoll(text, &end, 10);
		if (text[0] == '\0' || *end != '\0' || errno != 0)
			number = min - 1;
	}
	if (number < min || number > max)
		return err_set(err, EINVAL,
			"%s: must be a number from %" JSON_INTEGER_FORMAT
			" to %" JSON_INTEGER_FORMAT,
			name, min, max);
	*value = number;
	return 1;
}

int
rpc_only(json_t *params, const char *const names[], struct err *err)
{
	const char *key;
	json_t *member;

	json_object_foreach(params, key, member) {
		bool known = false;
		for (int i = 0; names[i] != NULL; i++)
			known = known || strcmp(names[i], key) == 0;
		if (!known)
			return err_set(err, EINVAL, "%.60s: no such parameter", key);
	}
	return 0;
}
