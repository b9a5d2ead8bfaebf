/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing pcapng files (draft-ietf-opsawg-pcapng): one interface, frames with direction and
 * comment, statistics at the end. Integers are in host byte order, which the format permits.
 *
 * Thread safety: writes to its caller's stream only. Errors stay in the stream, see ferror(3).
 */
#ifndef SHUNT_CLI_PCAPNG_H
#define SHUNT_CLI_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** The interface of a file; constant while it is written. */
struct pcapng_interface {
	const char *name;
	const char *filter; /**< the expression; NULL: none */
	uint32_t snaplen;
};

struct pcapng_frame {
	uint64_t ns; /**< nanoseconds since 1970 */
	const uint8_t *bytes;
	uint32_t caplen;
	uint32_t len;
	bool outbound;
	const char *comment; /**< NULL: none */
};

struct pcapng_statistics {
	uint64_t ns; /**< time of the statistics, nanoseconds since 1970 */
	uint64_t start_ns;
	uint64_t received; /**< frames, lost ones included */
	uint64_t lost;
};

/** Write the beginning of a file: section header and interface. */
void pcapng_begin(FILE *file, const struct pcapng_interface *interface);

/** Write a frame. @return bytes written */
uint32_t pcapng_write(FILE *file, const struct pcapng_frame *frame);

/** Write the end of a file: statistics. */
void pcapng_end(FILE *file, const struct pcapng_statistics *statistics);

#endif
