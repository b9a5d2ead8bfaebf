/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters of captures: programs of the BSD packet filter, as libpcap makes them from expressions such
 * as "tcp port 80" (pcap-filter(7)). Whoever asks for a capture compiles; what arrives is checked
 * here before it is run, so that a program always comes to an end, whatever the frame holds, and
 * looks at nothing but the frame.
 *
 * Thread safety: a program is constant once checked.
 */
#ifndef SHUNT_CAPTURE_FILTER_H
#define SHUNT_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <pcap/pcap.h>

#include "base/err.h"

enum { CAPTURE_FILTER_MAX = 4096 }; /**< instructions */

/**
 * Check a program, and make it ready to run: known instructions, jumps forward and inside. libpcap's
 * own bpf_validate() lets jumps go back, and instructions pass on which pcap_offline_filter()
 * ends the process. What libpcap compiles may read memory words that it never wrote: they are 0 here.
 *
 * @param n instructions, 1 to CAPTURE_FILTER_MAX
 * @return a program, to be freed in one piece; NULL with the reason in err: -EINVAL, -ENOMEM
 */
struct bpf_program *capture_filter_make(
	const struct bpf_insn program[], unsigned n, struct err *err);

/** Does a frame pass? @param len of the frame; @param caplen of what is there of it */
static inline bool
capture_filter_passes(
	const struct bpf_program *program, const uint8_t *bytes, uint32_t len, uint32_t caplen)
{
	const struct pcap_pkthdr header = {.len = len, .caplen = caplen};

	return pcap_offline_filter(program, &header, bytes) != 0;
}

#endif
