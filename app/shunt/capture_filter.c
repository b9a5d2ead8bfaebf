/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiles filter expressions by libpcap. */
#include "capture_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "capture/ring.h"

/** Join words by spaces. @return a string to free(), or NULL */
static char *
capture_filter_join(const json_t *words)
{
	size_t length = 1, at = 0;
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
		length += json_string_length(word) + 1;
	char *text = calloc(1, length);
	json_array_foreach(words, i, word)
		if (text != NULL)
			at += (size_t)snprintf(text + at, length - at, "%s%s", i > 0 ? " " : "",
				json_string_value(word));
	return text;
}

/** Convert a compiled filter to the form of the request: an array of [code, jt, jf, k]. */
static json_t *
capture_filter_program(const struct bpf_program *compiled)
{
	json_t *program = json_array();

	for (unsigned i = 0; i < compiled->bf_len; i++) {
		const struct bpf_insn *insn = &compiled->bf_insns[i];
		json_array_append_new(
			program, json_pack("[i, i, i, I]", (int)insn->code, (int)insn->jt,
					 (int)insn->jf, (json_int_t)insn->k));
	}
	return program;
}

int
capture_filter_compile(
	const json_t *words, int snaplen, char **text, json_t **program, struct err *err)
{
	struct bpf_program compiled;
	int code = 0;

	if (json_array_size(words) == 0)
		return 0;
	*text = capture_filter_join(words);
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, snaplen > 0 ? snaplen : CAPTURE_SNAPLEN_MAX);
	if (*text == NULL || dead == NULL) {
		code = err_set(err, ENOMEM, "%s", strerror(ENOMEM));
	} else if (pcap_compile(dead, &compiled, *text, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		code = err_set(err, EINVAL, "filter: %s", pcap_geterr(dead));
	} else {
		*program = capture_filter_program(&compiled);
		pcap_freecode(&compiled);
	}
	if (dead != NULL)
		pcap_close(dead);
	if (code < 0) {
		free(*text);
		*text = NULL;
	}
	return code;
}
