/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `capture`: a capture lasts as long as the connection of the request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/methods.h"
#include "features/capture/captures.h"
#include "features/state.h"

LOG_MODULE(control);

_Static_assert((int)CAPTURE_LCORES_MAX == (int)LCORE_MAX, "every polling lcore has a ring");

/** A connection with its capture. Freed by the callback that comes first. */
struct capture_client {
	struct vswitch *vswitch;
	struct vswitch_port *port;
	struct rpc_client *client;
	struct capture *capture;
};

/** Count the captures at all ports. */
static unsigned
capture_count(struct vswitch *vswitch)
{
	struct vswitch_port *port;
	unsigned n = 0;

	TAILQ_FOREACH(port, &vswitch->ports, next) {
		const struct captures *captures = *features_state_of(&port->port, &capture_feature);
		n += captures != NULL ? captures->n : 0;
	}
	return n;
}

/** captures_entry.ended: the port of a capture is deleted; close the connection. */
static void
capture_on_ended(void *owner, const char *reason)
{
	struct capture_client *reader = owner;

	rpc_client_end(reader->client, "capture.ended", reason);
	free(reader);
}

/** Add a capture to the state of its port, and publish. */
static int
capture_add(struct capture_client *reader, struct err *err)
{
	void **state = features_state_of(&reader->port->port, &capture_feature);
	struct captures *captures = *state != NULL ? *state : calloc(1, sizeof(*captures));

	if (captures == NULL)
		return err_set(err, ENOMEM, "no memory for a capture");
	captures->entry[captures->n++] =
		(struct captures_entry){reader->capture, capture_on_ended, reader};
	*state = captures;
	vswitch_publish(reader->vswitch);
	log_info("port %s: a capture begins", reader->port->port.config.name);
	return 0;
}

/** rpc_client_bind() callback: the connection of a capture was closed; stop the capture. */
static void
capture_on_closed(void *arg)
{
	struct capture_client *reader = arg;
	void **state = features_state_of(&reader->port->port, &capture_feature);
	struct captures *captures = *state;
	unsigned i = 0;

	while (captures->entry[i].owner != reader)
		i++;
	captures->entry[i] = captures->entry[--captures->n];
	if (captures->n == 0)
		*state = NULL;
	vswitch_publish(reader->vswitch);
	log_info("port %s: a capture ends", reader->port->port.config.name);
	if (captures->n == 0)
		free(captures);
	capture_destroy(reader->capture);
	free(reader);
}

/** Read a number of an instruction. @return false when it is no integer from 0 to max */
static bool
capture_parse_part(const json_t *insn, size_t index, json_int_t max, json_int_t *value)
{
	const json_t *part = json_array_get(insn, index);

	*value = json_integer_value(part);
	return json_is_integer(part) && *value >= 0 && *value <= max;
}

/** Read a classic BPF program: an array of [code, jt, jf, k]. NULL: no filter. */
static int
capture_parse_filter(json_t *list, struct capture_config *config, struct err *err)
{
	size_t n = json_array_size(list);

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || n > CAPTURE_FILTER_MAX)
		return err_set(err, EINVAL, "filter: must be an array of at most %d instructions",
			CAPTURE_FILTER_MAX);
	struct bpf_insn *program = calloc(n + 1, sizeof(*program));
	if (program == NULL)
		return err_set(err, ENOMEM, "no memory for the filter");
	config->program = program;
	config->insns = (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		const json_t *insn = json_array_get(list, i);
		json_int_t code, jt, jf, k;
		if (!capture_parse_part(insn, 0, UINT16_MAX, &code) ||
			!capture_parse_part(insn, 1, UINT8_MAX, &jt) ||
			!capture_parse_part(insn, 2, UINT8_MAX, &jf) ||
			!capture_parse_part(insn, 3, UINT32_MAX, &k))
			return err_set(
				err, EINVAL, "filter: instruction %zu must be four numbers", i);
		program[i] =
			(struct bpf_insn){(uint16_t)code, (uint8_t)jt, (uint8_t)jf, (uint32_t)k};
	}
	return 0;
}

/** Read the direction, by default both. */
static int
capture_parse_direction(json_t *params, struct capture_config *config, struct err *err)
{
	static const char *const words[] = {"", "rx", "tx", "both"};

	config->directions = CAPTURE_BOTH;
	if (json_object_get(params, "direction") == NULL)
		return 0;
	const char *word = rpc_text(params, "direction", err);
	for (uint8_t i = CAPTURE_RX; word != NULL && i <= CAPTURE_BOTH; i++)
		if (strcmp(words[i], word) == 0) {
			config->directions = i;
			return 0;
		}
	return err_set(err, EINVAL, "direction: must be rx, tx or both");
}

/** Read the parameters. @param config receives them; config->program is to be freed */
static int
capture_parse(json_t *params, struct capture_config *config, struct err *err)
{
	static const char *const names[] = {"name", "snaplen", "direction", "filter", NULL};
	json_int_t snaplen = CAPTURE_SNAPLEN_MAX;
	int rc = rpc_only(params, names, err);

	if (rc == 0)
		rc = rpc_number(params, "snaplen", 1, CAPTURE_SNAPLEN_MAX, &snaplen, err);
	config->snaplen = (uint32_t)snaplen;
	if (rc >= 0)
		rc = capture_parse_direction(params, config, err);
	if (rc == 0)
		rc = capture_parse_filter(json_object_get(params, "filter"), config, err);
	return rc;
}

/** Build the answer: the layout of the rings, whose file descriptor is sent with it. */
static json_t *
capture_answer(const struct capture_client *reader, const struct capture_config *config)
{
	json_t *reasons = json_array();

	for (int reason = 0; reason < DROP_COUNT; reason++)
		json_array_append_new(reasons, json_string(drop_word(reason)));
	return json_pack("{s:s, s:i, s:i, s:i, s:o}", "port", reader->port->port.config.name,
		"rings", (int)config->lcores, "ring_size", (int)capture_ring_size(reader->capture),
		"snaplen", (int)config->snaplen, "reasons", reasons);
}

/** Start a capture and bind it to the connection of the request. @return the answer */
static json_t *
capture_start(const struct methods_context *methods, struct vswitch_port *port,
	struct capture_config *config, struct err *err)
{
	if (capture_count(methods->vswitch) == CAPTURES_MAX) {
		err_set(err, EBUSY, "there are %d captures already", CAPTURES_MAX);
		return NULL;
	}
	struct capture_client *reader = calloc(1, sizeof(*reader));
	if (reader == NULL) {
		err_set(err, ENOMEM, "no memory for a capture");
		return NULL;
	}
	config->lcores = methods->vswitch->services.lcores;
	*reader = (struct capture_client){
		methods->vswitch, port, rpc_client(methods->rpc), capture_create(config, err)};
	if (reader->capture == NULL || capture_add(reader, err) < 0) {
		capture_destroy(reader->capture);
		free(reader);
		return NULL;
	}
	if (rpc_client_bind(reader->client, capture_fd(reader->capture), capture_on_closed, reader,
		    err) < 0) {
		capture_on_closed(reader);
		return NULL;
	}
	return capture_answer(reader, config);
}

/** RPC method capture. */
static json_t *
capture_call(void *arg, json_t *params, struct err *err)
{
	const struct methods_context *methods = arg;
	const char *name = rpc_text(params, "name", err);
	struct vswitch_port *port =
		name == NULL ? NULL : vswitch_port_find(methods->vswitch, name, err);
	struct capture_config config = {0};
	json_t *answer = NULL;

	if (port == NULL)
		return NULL;
	if (rpc_client(methods->rpc) == NULL)
		err_set(err, EINVAL,
			"a capture needs a connection of its own and cannot be part of a batch");
	else if (capture_parse(params, &config, err) == 0)
		answer = capture_start(methods, port, &config, err);
	free((struct bpf_insn *)(uintptr_t)config.program);
	return answer;
}

const struct rpc_method capture_methods[] = {
	{"capture", capture_call},
	{NULL, NULL},
};
