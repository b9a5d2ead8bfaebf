/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC method `trace`: trace-only forwarding of a frame in hexadecimal, or of a pcap file. */
#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "control/methods.h"
#include "control/trace_steps.h"
#include "vring/vring.h"

enum { TRACE_FRAMES_MAX = 20000 }; /* bounds the size of the answer */

struct trace_request {
	struct vswitch *vswitch;
	const struct port *port;
	struct tracer *tracer;
	struct trace *trace;
	json_t *frames; /**< the result: one row per frame */
};

/** @return what happens to a frame: forward, flood, group or drop */
static const char *
trace_verdict(const struct trace *trace)
{
	if (trace->dest < PORT_MAX)
		return "forward";
	if (trace->dest >= DEST_FLOODS)
		return "flood";
	return trace->dest < DEST_DROP ? "group" : "drop";
}

/** Build the row of an egress port of a frame. */
static json_t *
trace_exit_row(const struct trace_request *request, const struct trace_exit *exit)
{
	uint32_t shown = exit->len < TRACE_HEAD ? exit->len : TRACE_HEAD;
	char hex[2 * TRACE_HEAD + 1] = "";

	for (uint32_t i = 0; i < shown; i++)
		snprintf(hex + 2 * i, 3, "%02x", exit->head[i]);
	json_t *row = json_pack("{s:s, s:i, s:s}", "port",
		methods_port_name(request->vswitch, exit->port), "length", (int)exit->len, "head",
		hex);
	if (exit->drop >= 0)
		json_object_set_new(
			row, "drop", json_string(drop_word((enum drop_reason)exit->drop)));
	return row;
}

/** Trace one frame and append its row. */
static void
trace_frame(struct trace_request *request, const uint8_t *bytes, uint32_t len)
{
	const struct traced_frame traced = {
		.vswitch = request->vswitch,
		.port = request->port,
		.bytes = bytes,
		.len = len,
		.trace = request->trace,
	};
	const struct trace *trace = request->trace;
	json_t *exits = json_array();

	tracer_frame(request->tracer, request->port->id, bytes, len,
		port_is_vm(request->port) ? VIRTQ_HEAD : TRACE_FRAME_MAX, request->trace);
	for (unsigned i = 0; i < trace->exits; i++)
		json_array_append_new(exits, trace_exit_row(request, &trace->exit[i]));
	json_t *row = json_pack("{s:i, s:s, s:o, s:o}", "length", (int)len, "verdict",
		trace_verdict(trace), "ports", exits, "steps", trace_steps(&traced));
	if (len >= FRAME_ETH_LEN)
		json_object_set_new(row, "vlan", json_integer(trace->vlan));
	if (trace->dest >= DEST_DROP && trace->dest < DEST_FORWARD)
		json_object_set_new(row, "reason",
			json_string(drop_word((enum drop_reason)(trace->dest - DEST_DROP))));
	json_array_append_new(request->frames, row);
}

/** @return value of a hexadecimal digit; -1 when it is none */
static int
trace_hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/**
 * Parse pairs of hexadecimal digits; white space and colons may separate pairs.
 *
 * @return number of bytes; -1 when the text is something else, or too long
 */
static int
trace_hex_parse(const char *text, uint8_t *bytes)
{
	int n = 0;

	for (; *text != '\0'; text++) {
		if (isspace((unsigned char)*text) || *text == ':')
			continue;
		int high = trace_hex_digit(text[0]), low = high < 0 ? -1 : trace_hex_digit(text[1]);
		if (low < 0 || n == TRACE_FRAME_MAX)
			return -1;
		bytes[n++] = (uint8_t)(high << 4 | low);
		text++;
	}
	return n;
}

/** Trace the frame of the parameter hex. */
static int
trace_hex(struct trace_request *request, const char *text, struct err *err)
{
	uint8_t *bytes = malloc(TRACE_FRAME_MAX);

	if (bytes == NULL)
		return err_set(err, ENOMEM, "no memory");
	int n = trace_hex_parse(text, bytes);
	if (n <= 0)
		err_set(err, EINVAL, "hex: must be 1 to %d bytes, two hexadecimal digits each",
			TRACE_FRAME_MAX);
	else
		trace_frame(request, bytes, (uint32_t)n);
	free(bytes);
	return n <= 0 ? -EINVAL : 0;
}

/** Trace all frames of an open capture file. */
static int
trace_file_frames(struct trace_request *request, pcap_t *file, const char *path, struct err *err)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int rc;

	if (pcap_datalink(file) != DLT_EN10MB)
		return err_set(err, EINVAL, "pcap: %s does not hold Ethernet frames", path);
	while ((rc = pcap_next_ex(file, &header, &bytes)) == 1) {
		if (header->caplen != header->len || header->len > TRACE_FRAME_MAX)
			return err_set(err, EINVAL, "pcap: %s: frame %zu is cut short or too long",
				path, json_array_size(request->frames) + 1);
		if (json_array_size(request->frames) == TRACE_FRAMES_MAX)
			return err_set(
				err, E2BIG, "pcap: %s has over %d frames", path, TRACE_FRAMES_MAX);
		if (header->len > 0)
			trace_frame(request, bytes, header->len);
	}
	return rc == PCAP_ERROR ? err_set(err, EINVAL, "pcap: %s: %s", path, pcap_geterr(file)) : 0;
}

/** Trace the frames of the parameter pcap, the path of a capture file. */
static int
trace_file(struct trace_request *request, const char *path, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	FILE *stream = file_open_regular(path);

	if (stream == NULL)
		return err_set(err, errno, "pcap: %s: %s", path, strerror(errno));
	pcap_t *file = pcap_fopen_offline(stream, reason);
	if (file == NULL) {
		fclose(stream);
		return err_set(err, EINVAL, "pcap: %s: %s", path, reason);
	}
	int rc = trace_file_frames(request, file, path, err);
	pcap_close(file);
	return rc;
}

/** Read the parameters. @param hex, pcap one of them receives its value */
static int
trace_parse(struct trace_request *request, json_t *params, const char **hex, const char **pcap,
	struct err *err)
{
	static const char *const names[] = {"name", "hex", "pcap", NULL};
	const char *name = rpc_only(params, names, err) < 0 ? NULL : rpc_text(params, "name", err);
	const struct vswitch_port *port =
		name == NULL ? NULL : vswitch_port_find(request->vswitch, name, err);

	if (port == NULL)
		return -EINVAL;
	request->port = &port->port;
	if ((json_object_get(params, "hex") == NULL) == (json_object_get(params, "pcap") == NULL))
		return err_set(err, EINVAL, "either hex=BYTES or pcap=FILE is needed");
	if (json_object_get(params, "hex") != NULL)
		*hex = rpc_text(params, "hex", err);
	else
		*pcap = rpc_text(params, "pcap", err);
	return *hex == NULL && *pcap == NULL ? -EINVAL : 0;
}

/** RPC method trace. */
static json_t *
trace_call(void *arg, json_t *params, struct err *err)
{
	struct trace_request request = {.vswitch = arg};
	const char *hex = NULL, *pcap = NULL;
	int rc = trace_parse(&request, params, &hex, &pcap, err);

	if (rc < 0)
		return NULL;
	request.frames = json_array();
	request.trace = malloc(sizeof(*request.trace));
	request.tracer = tracer_create(request.vswitch->datapath, request.vswitch->fdb);
	if (request.tracer == NULL || request.trace == NULL)
		rc = err_set(err, ENOMEM, "no memory");
	else
		rc = hex != NULL ? trace_hex(&request, hex, err) : trace_file(&request, pcap, err);
	tracer_destroy(request.tracer);
	free(request.trace);
	if (rc == 0)
		return request.frames;
	json_decref(request.frames);
	return NULL;
}

const struct rpc_method methods_trace[] = {
	{"trace", trace_call},
	{NULL, NULL},
};
