/* SPDX-License-Identifier: BSD-3-Clause */
/* A stream of bytes to the control socket, in pieces: scanned, parsed and answered. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "control/methods.h"
#include "control/rpc.h"
#include "control/rpc_frame.h"

static json_t *
call_echo(void *arg, json_t *params, struct err *err)
{
	(void)arg;
	(void)err;
	return json_incref(params);
}

/** A method with parameters of all kinds, which quotes them when it refuses. */
static json_t *
call_set(void *arg, json_t *params, struct err *err)
{
	static const char *const names[] = {"name", "vlan", NULL};
	const char *name = rpc_text(params, "name", err);
	json_int_t vlan = 0;

	(void)arg;
	if (name == NULL || rpc_only(params, names, err) < 0 ||
		rpc_number(params, "vlan", 0, 4094, &vlan, err) < 0)
		return NULL;
	fuzz_check(vlan >= 0 && vlan <= 4094);
	if (vlan == 0) {
		err_set(err, ENOENT, "no port '%.40s'", name);
		return NULL;
	}
	return json_pack("{s:s, s:I}", "name", name, "vlan", vlan);
}

static const struct rpc_method methods[] = {{"echo", call_echo}, {"set", call_set}, {0}};

static struct rpc *rpc;
static struct methods_monitor monitor;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	rpc = rpc_create(NULL);
	fuzz_check(rpc != NULL);
	rpc_register(rpc, methods, NULL);
	/* Without a connection it refuses every request, but parses its parameters first. */
	monitor = (struct methods_monitor){.rpc = rpc, .hub = event_hub_create()};
	fuzz_check(monitor.hub != NULL);
	rpc_register(rpc, methods_monitor, &monitor);
	return 0;
}

static void
answer(const char *data, size_t length)
{
	json_t *request = json_loadb(data, length, JSON_REJECT_DUPLICATES, NULL);

	if (request == NULL)
		return;
	bool asks = json_is_object(request) && json_object_get(request, "id") != NULL;
	json_t *reply = rpc_answer(rpc, request);
	json_decref(request);
	fuzz_check(!asks || reply != NULL);
	if (reply == NULL)
		return;
	char *text = json_dumps(reply, JSON_COMPACT);
	fuzz_check(text != NULL);
	free(text);
	json_decref(reply);
}

/** Scan in pieces. @return the result of one scan of the whole, which must be the same */
static ssize_t
scan(const char *data, size_t size, size_t step)
{
	struct rpc_frame whole = {0}, frame = {0};
	ssize_t expected = rpc_frame_scan(&whole, data, size);
	ssize_t end = 0;

	for (size_t length = step; end == 0 && length < size; length += step)
		end = rpc_frame_scan(&frame, data, length);
	if (end == 0)
		end = rpc_frame_scan(&frame, data, size);
	fuzz_check(end == expected && end <= (ssize_t)size);
	return end;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *stream = (const char *)data;
	ssize_t end;

	while (size > 0 && (end = scan(stream, size, 1 + size % 7)) > 0) {
		answer(stream, (size_t)end);
		stream += end;
		size -= (size_t)end;
	}
	return 0;
}
