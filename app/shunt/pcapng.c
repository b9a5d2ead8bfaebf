/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes pcapng files. */
#include "pcapng.h"

#include <string.h>

/* Numbers in comments are sections of the draft. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a, /* 4.1 */
	BLOCK_INTERFACE = 1,        /* 4.2 */
	BLOCK_FRAME = 6,            /* 4.3 */
	BLOCK_STATISTICS = 5,       /* 4.6 */
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,
};

/* Options: section 3.5 and the sections of the blocks. */
enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_RESOLUTION = 9,
	INTERFACE_FILTER = 11,
	FRAME_FLAGS = 2,
	STATISTICS_START = 2,
	STATISTICS_END = 3,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5,
	DIRECTION_INBOUND = 1,
	DIRECTION_OUTBOUND = 2,
	RESOLUTION_NS = 9,
	OPTION_HEAD = 4,
	BLOCK_FRAMING = 12, /* block type, and block total length twice */
	TEXT_MAX = 4096,
};

/** @return length rounded up to a multiple of 4 */
static uint32_t
pcapng_padded(uint32_t length)
{
	return (length + 3) & ~UINT32_C(3);
}

/** Write bytes, padded with zeros to a multiple of 4. */
static void
pcapng_put(FILE *file, const void *bytes, uint32_t length)
{
	static const char zeros[4];

	fwrite(bytes, 1, length, file);
	fwrite(zeros, 1, pcapng_padded(length) - length, file);
}

/** Write a 32-bit number. */
static void
pcapng_put32(FILE *file, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

/** Write a timestamp: upper 32 bits first. */
static void
pcapng_put_time(FILE *file, uint64_t ns)
{
	pcapng_put32(file, (uint32_t)(ns >> 32));
	pcapng_put32(file, (uint32_t)ns);
}

/** Write an option. */
static void
pcapng_option(FILE *file, uint16_t code, const void *value, uint32_t length)
{
	const uint16_t head[2] = {code, (uint16_t)length};

	fwrite(head, sizeof(head), 1, file);
	pcapng_put(file, value, length);
}

/** @return number of bytes of a text that are written */
static uint32_t
pcapng_text_length(const char *text)
{
	return (uint32_t)strnlen(text, TEXT_MAX);
}

/** @return bytes of an option with a value of a given length */
static uint32_t
pcapng_option_size(uint32_t length)
{
	return OPTION_HEAD + pcapng_padded(length);
}

/** Write the section header block. */
static void
pcapng_section(FILE *file)
{
	static const char application[] = "shunt " SHUNT_VERSION;
	const uint16_t version[2] = {1, 0};
	const int64_t length = -1; /* section length unknown */
	uint32_t size = BLOCK_FRAMING + 4 + sizeof(version) + sizeof(length) +
			pcapng_option_size(sizeof(application) - 1) + OPTION_HEAD;

	pcapng_put32(file, BLOCK_SECTION);
	pcapng_put32(file, size);
	pcapng_put32(file, BYTE_ORDER_MAGIC);
	fwrite(version, sizeof(version), 1, file);
	fwrite(&length, sizeof(length), 1, file);
	pcapng_option(file, SECTION_APPLICATION, application, sizeof(application) - 1);
	pcapng_option(file, OPTION_END, "", 0);
	pcapng_put32(file, size);
}

/** Write the interface description block. */
static void
pcapng_interface(FILE *file, const struct pcapng_interface *interface)
{
	const uint16_t link[2] = {LINKTYPE_ETHERNET, 0};
	const uint8_t resolution = RESOLUTION_NS;
	uint32_t name = pcapng_text_length(interface->name);
	char filter[1 + TEXT_MAX] = {0}; /* code 0: a libpcap expression */
	uint32_t length = 0;

	if (interface->filter != NULL) {
		length = 1 + pcapng_text_length(interface->filter);
		memcpy(filter + 1, interface->filter, length - 1);
	}
	uint32_t size = BLOCK_FRAMING + sizeof(link) + 4 + pcapng_option_size(name) +
			pcapng_option_size(1) + (length > 0 ? pcapng_option_size(length) : 0) +
			OPTION_HEAD;
	pcapng_put32(file, BLOCK_INTERFACE);
	pcapng_put32(file, size);
	fwrite(link, sizeof(link), 1, file);
	pcapng_put32(file, interface->snaplen);
	pcapng_option(file, INTERFACE_NAME, interface->name, name);
	pcapng_option(file, INTERFACE_RESOLUTION, &resolution, 1);
	if (length > 0)
		pcapng_option(file, INTERFACE_FILTER, filter, length);
	pcapng_option(file, OPTION_END, "", 0);
	pcapng_put32(file, size);
}

void
pcapng_begin(FILE *file, const struct pcapng_interface *interface)
{
	pcapng_section(file);
	pcapng_interface(file, interface);
}

uint32_t
pcapng_write(FILE *file, const struct pcapng_frame *frame)
{
	uint32_t comment = frame->comment != NULL ? pcapng_text_length(frame->comment) : 0;
	const uint32_t flags = frame->outbound ? DIRECTION_OUTBOUND : DIRECTION_INBOUND;
	uint32_t size = BLOCK_FRAMING + 20 + pcapng_padded(frame->caplen) +
			pcapng_option_size(sizeof(flags)) +
			(comment > 0 ? pcapng_option_size(comment) : 0) + OPTION_HEAD;

	pcapng_put32(file, BLOCK_FRAME);
	pcapng_put32(file, size);
	pcapng_put32(file, 0); /* the one interface */
	pcapng_put_time(file, frame->ns);
	pcapng_put32(file, frame->caplen);
	pcapng_put32(file, frame->len);
	pcapng_put(file, frame->bytes, frame->caplen);
	pcapng_option(file, FRAME_FLAGS, &flags, sizeof(flags));
	if (comment > 0)
		pcapng_option(file, OPTION_COMMENT, frame->comment, comment);
	pcapng_option(file, OPTION_END, "", 0);
	pcapng_put32(file, size);
	return size;
}

/** Write an option whose value is a timestamp. */
static void
pcapng_option_time(FILE *file, uint16_t code, uint64_t ns)
{
	const uint32_t halves[2] = {(uint32_t)(ns >> 32), (uint32_t)ns};

	pcapng_option(file, code, halves, sizeof(halves));
}

void
pcapng_end(FILE *file, const struct pcapng_statistics *statistics)
{
	uint32_t size = BLOCK_FRAMING + 12 + 4 * pcapng_option_size(8) + OPTION_HEAD;

	pcapng_put32(file, BLOCK_STATISTICS);
	pcapng_put32(file, size);
	pcapng_put32(file, 0); /* the one interface */
	pcapng_put_time(file, statistics->ns);
	pcapng_option_time(file, STATISTICS_START, statistics->start_ns);
	pcapng_option_time(file, STATISTICS_END, statistics->ns);
	pcapng_option(file, STATISTICS_RECEIVED, &statistics->received, 8);
	pcapng_option(file, STATISTICS_DROPPED, &statistics->lost, 8);
	pcapng_option(file, OPTION_END, "", 0);
	pcapng_put32(file, size);
}
