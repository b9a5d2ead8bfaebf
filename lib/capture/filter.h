/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters of captures: classic BPF programs, as libpcap compiles them from expressions such as
 * "tcp port 80" (pcap-filter(7)). The client that requests a capture compiles the program. It is
 * checked here before it runs, so that it ends for any frame and reads nothing but the frame.
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
 * Check a program and prepare it to run: known instructions only, jumps forward and within it.
 * bpf_validate() of libpcap permits backward jumps, and instructions on which pcap_offline_filter()
 * aborts the process. Programs compiled by libpcap may read memory words that were never written:
 * these are set to 0.
 *
 * @param program untrusted; copied
 * @param n number of instructions, 1 to CAPTURE_FILTER_MAX
 * @return a program, which the caller frees by one free(); NULL with the reason in err: -EINVAL,
 *         -ENOMEM
 */
struct bpf_program *capture_filter_make(
	const struct bpf_insn program[], unsigned n, struct err *err);

/** @return bytes at the start of a frame that a program reads, at most; UINT32_MAX = any number */
uint32_t capture_filter_depth(const struct bpf_program *program);

/**
 * Check whether a program passes a frame. Any thread.
 *
 * @param bytes the first bytes of the frame
 * @param len bytes of the frame
 * @param caplen number of bytes present
 * @return true if the frame passes
 */
static inline bool
capture_filter_passes(
	const struct bpf_program *program, const uint8_t *bytes, uint32_t len, uint32_t caplen)
{
	const struct pcap_pkthdr header = {.len = len, .caplen = caplen};

	return pcap_offline_filter(program, &header, bytes) != 0;
}

#endif
