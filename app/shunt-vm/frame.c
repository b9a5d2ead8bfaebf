/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds test frames, seals them with a mark, and checks received ones. */
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "checksum.h"

enum {
	ETHERNET = 14,
	TAG = 4,
	TYPE_AT = 12,
	TYPE_IPV4 = 0x0800,
	TYPE_VLAN = 0x8100,
	IP_HEADER = 20,
	UDP_HEADER = 8,
	UDP_SUM_AT = 6,
	TCP_HEADER = 20,
	TCP_SUM_AT = 16,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PORT = 5348,
};

/** Write a 16-bit number in network byte order. */
static void
frame_put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/** Write a 32-bit number in network byte order. */
static void
frame_put32(uint8_t *at, uint32_t value)
{
	frame_put16(at, value >> 16);
	frame_put16(at + 2, value & 0xffff);
}

/** @return 16-bit number in network byte order */
static unsigned
frame_get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

int
frame_shape_parse(struct frame_shape *shape, const char *text, struct err *err)
{
	/* 64, 594 and 1518 bytes at 7:4:1, interleaved. */
	static const uint32_t imix[] = {64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594, 64};
	char *end;
	long size = strtol(text, &end, 10);

	*shape = (struct frame_shape){.kind = FRAME_FIXED, .n = 1};
	if (strcmp(text, "imix") == 0) {
		shape->kind = FRAME_IMIX;
		shape->n = FRAME_SIZES_MAX;
		for (unsigned i = 0; i < shape->n; i++)
			shape->bytes[i] = imix[i] - FRAME_FCS;
		shape->max = 1518 - FRAME_FCS;
		return 0;
	}
	if (strcmp(text, "tso") == 0) {
		shape->kind = FRAME_TSO;
		shape->bytes[0] = shape->max = FRAME_TSO_BYTES;
		return 0;
	}
	if (*end != '\0' || size < FRAME_SIZE_MIN || size > FRAME_SIZE_MAX)
		return err_set(err, EINVAL, "frame: '%.20s' is none of %d to %d, imix, tso", text,
			FRAME_SIZE_MIN, FRAME_SIZE_MAX);
	shape->bytes[0] = shape->max = (uint32_t)size - FRAME_FCS;
	return 0;
}

double
frame_shape_mean(const struct frame_shape *shape)
{
	double sum = 0;

	for (unsigned i = 0; i < shape->n; i++)
		sum += shape->bytes[i];
	return sum / shape->n;
}

/** @return sum of the pseudo header (RFC 768, RFC 9293) */
static uint32_t
frame_pseudo_sum(const uint8_t *ip, unsigned protocol, uint32_t length)
{
	uint32_t sum = checksum_add(0, ip + 12, 8);

	return sum + protocol + (length & 0xffff) + (length >> 16);
}

/** Write the IPv4 header. @param total length of the packet */
static void
frame_build_ip(uint8_t *ip, const struct frame_spec *spec, uint32_t total)
{
	memset(ip, 0, IP_HEADER);
	ip[0] = 0x45;
	frame_put16(ip + 2, total);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 64;
	ip[9] = spec->tso ? PROTOCOL_TCP : PROTOCOL_UDP;
	frame_put32(ip + 12, spec->src_ip);
	frame_put32(ip + 16, spec->dst_ip);
	frame_put16(ip + 10, checksum_fold(checksum_add(0, ip, IP_HEADER)));
}

/** Write the UDP header, with tso the TCP header. @param total length of the packet */
static void
frame_build_l4(uint8_t *ip, const struct frame_spec *spec, uint32_t total)
{
	uint8_t *l4 = ip + IP_HEADER;
	uint32_t length = total - IP_HEADER;
	uint16_t pseudo = (uint16_t)~checksum_fold(
		frame_pseudo_sum(ip, spec->tso ? PROTOCOL_TCP : PROTOCOL_UDP, length));

	memset(l4, 0, spec->tso ? TCP_HEADER : UDP_HEADER);
	frame_put16(l4, spec->flow);
	frame_put16(l4 + 2, PORT);
	if (spec->tso) {
		l4[12] = TCP_HEADER / 4 << 4;
		l4[13] = 0x10; /* ACK */
		frame_put16(l4 + 14, 0xffff);
		frame_put16(l4 + TCP_SUM_AT, pseudo);
	} else {
		frame_put16(l4 + 4, length);
		/* 0: no checksum, which RFC 768 permits. */
		frame_put16(l4 + UDP_SUM_AT, spec->csum ? pseudo : 0);
	}
}

void
frame_build(uint8_t *frame, const struct frame_spec *spec)
{
	uint32_t l2 = ETHERNET, total, body;

	memcpy(frame, &spec->dst, MAC_BYTES);
	memcpy(frame + MAC_BYTES, &spec->src, MAC_BYTES);
	if (spec->vlan != 0) {
		frame_put16(frame + TYPE_AT, TYPE_VLAN);
		frame_put16(frame + TYPE_AT + 2, spec->vlan);
		l2 += TAG;
	}
	frame_put16(frame + l2 - 2, TYPE_IPV4);
	total = spec->bytes - l2;
	frame_build_ip(frame + l2, spec, total);
	frame_build_l4(frame + l2, spec, total);
	body = l2 + IP_HEADER + (spec->tso ? TCP_HEADER : UDP_HEADER);
	for (uint32_t i = body; i < spec->bytes; i++)
		frame[i] = (uint8_t)(i * 31 + spec->flow * 7 + (i >> 8));
}

struct net_header
frame_header(const struct frame_spec *spec)
{
	uint16_t l4 = (uint16_t)(ETHERNET + (spec->vlan != 0 ? TAG : 0) + IP_HEADER);
	struct net_header header = {0};

	if (!spec->tso && !spec->csum)
		return header;
	header.flags = NET_NEEDS_CSUM;
	header.csum_start = l4;
	header.csum_offset = spec->tso ? TCP_SUM_AT : UDP_SUM_AT;
	if (spec->tso) {
		header.gso_type = NET_GSO_TCPV4;
		header.gso_size = FRAME_TSO_MSS;
		header.hdr_len = l4 + TCP_HEADER;
	}
	return header;
}

/** @return offset of the IPv4 header, 0 if the frame is not IPv4 */
static uint32_t
frame_ip_at(const uint8_t *frame, uint32_t bytes)
{
	uint32_t at = ETHERNET;

	if (bytes >= ETHERNET + TAG && frame_get16(frame + TYPE_AT) == TYPE_VLAN)
		at += TAG;
	if (bytes < at + IP_HEADER + TCP_HEADER || frame_get16(frame + at - 2) != TYPE_IPV4 ||
		frame[at] != 0x45)
		return 0;
	return at;
}

struct net_header
frame_offload(const uint8_t *frame, uint32_t bytes)
{
	uint32_t ip = frame_ip_at(frame, bytes), l4 = ip + IP_HEADER;
	struct net_header header = {0};

	if (ip == 0 || (frame[ip + 9] != PROTOCOL_TCP && frame[ip + 9] != PROTOCOL_UDP))
		return header;
	header.flags = NET_NEEDS_CSUM;
	header.csum_start = (uint16_t)l4;
	header.csum_offset = frame[ip + 9] == PROTOCOL_TCP ? TCP_SUM_AT : UDP_SUM_AT;
	if (frame[ip + 9] == PROTOCOL_TCP && bytes > l4 + TCP_HEADER + FRAME_TSO_MSS) {
		header.gso_type = NET_GSO_TCPV4;
		header.gso_size = FRAME_TSO_MSS;
		header.hdr_len = (uint16_t)(l4 + TCP_HEADER);
	}
	return header;
}

/** @return offset of the mark, 0 if this program did not build the frame */
static uint32_t
frame_mark_at(const uint8_t *frame, uint32_t bytes)
{
	uint32_t ip = frame_ip_at(frame, bytes), at;

	if (ip == 0 || frame_get16(frame + ip + IP_HEADER + 2) != PORT)
		return 0;
	at = ip + IP_HEADER + (frame[ip + 9] == PROTOCOL_TCP ? TCP_HEADER : UDP_HEADER);
	return at + FRAME_MARK <= bytes ? at : 0;
}

/** @return CRC-32C of flow, mark and what follows the mark, up to end */
static uint32_t
frame_sum(const uint8_t *frame, uint32_t ip, uint32_t mark, uint32_t end)
{
	const uint32_t sum_at = mark + (uint32_t)offsetof(struct frame_mark, sum);
	uint32_t crc = checksum_crc32c(0, frame + ip + IP_HEADER, 2); /* the flow */

	crc = checksum_crc32c(crc, frame + mark, sum_at - mark);
	return checksum_crc32c(crc, frame + mark + FRAME_MARK, end - mark - FRAME_MARK);
}

void
frame_seal(uint8_t *frame, uint32_t bytes, enum frame_magic magic, uint32_t number, uint32_t stamp,
	bool fresh)
{
	uint32_t at = frame_mark_at(frame, bytes);
	struct frame_mark mark = {.magic = (uint16_t)magic, .number = number, .stamp = stamp};

	memcpy(frame + at, &mark, sizeof(mark));
	if (fresh)
		for (uint32_t i = 2 * FRAME_LINE; i + sizeof(number) <= bytes; i += FRAME_LINE)
			memcpy(frame + i, &number, sizeof(number));
	mark.sum = frame_sum(frame, frame_ip_at(frame, bytes), at, bytes);
	memcpy(frame + at, &mark, sizeof(mark));
}

/** Verify the UDP checksum, if there is one and the virtio-net header does not cover it. */
static bool
frame_udp_good(const uint8_t *ip, uint32_t total, const struct net_header *header)
{
	const uint8_t *udp = ip + IP_HEADER;
	uint32_t length = total - IP_HEADER;

	if (ip[9] != PROTOCOL_UDP || frame_get16(udp + UDP_SUM_AT) == 0 ||
		header->flags & (NET_NEEDS_CSUM | NET_DATA_VALID))
		return true;
	return checksum_fold(
		       checksum_add(frame_pseudo_sum(ip, PROTOCOL_UDP, length), udp, length)) == 0;
}

enum frame_verdict
frame_check(const uint8_t *frame, uint32_t bytes, const struct net_header *header,
	struct frame_seen *seen)
{
	uint32_t at = frame_mark_at(frame, bytes), ip = frame_ip_at(frame, bytes), end;

	if (at == 0)
		return FRAME_FOREIGN;
	end = ip + frame_get16(frame + ip + 2);
	memcpy(&seen->mark, frame + at, sizeof(seen->mark));
	seen->flow = (uint16_t)frame_get16(frame + ip + IP_HEADER);
	if (end > bytes || end < at + FRAME_MARK)
		return FRAME_CORRUPT;
	if ((seen->mark.magic != FRAME_LIVE && seen->mark.magic != FRAME_STILL) ||
		seen->mark.sum != frame_sum(frame, ip, at, end) ||
		!frame_udp_good(frame + ip, end - ip, header))
		return FRAME_CORRUPT;
	return FRAME_GOOD;
}
