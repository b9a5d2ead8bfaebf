/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints captured frames as lines of text. */
#include "capture_print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
	PRINT_MACS = 12,
	PRINT_TYPE_IPV4 = 0x0800,
	PRINT_TYPE_ARP = 0x0806,
	PRINT_TYPE_IPV6 = 0x86dd,
	PRINT_TYPE_CTAG = 0x8100,
	PRINT_TYPE_STAG = 0x88a8,
	PRINT_TYPE_MIN = 0x0600, /* lower values are a length (IEEE 802.3 clause 3.2.6) */
	PRINT_TAGS_MAX = 4,
	PRINT_NS_PER_SECOND = 1000000000,
};

/** The bytes of a frame not parsed yet. */
struct print_rest {
	const uint8_t *at;
	uint32_t left;
};

/** @return 16-bit number in network byte order */
static uint16_t
capture_print_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/** Skip bytes, of which at least as many are left. */
static void
capture_print_skip(struct print_rest *rest, uint32_t bytes)
{
	rest->at += bytes;
	rest->left -= bytes;
}

/** Print the local time with nanoseconds. */
static void
capture_print_time(FILE *file, uint64_t ns)
{
	time_t seconds = (time_t)(ns / PRINT_NS_PER_SECOND);
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(file, "%s.%09" PRIu64, text, ns % PRINT_NS_PER_SECOND);
}

static void
capture_print_mac(FILE *file, const uint8_t *mac)
{
	fprintf(file, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

/** Print the VLAN tags, outer ones first. @return the EtherType after them; 0: truncated */
static uint16_t
capture_print_tags(FILE *file, struct print_rest *rest)
{
	for (int i = 0; i < PRINT_TAGS_MAX && rest->left >= 4; i++) {
		uint16_t type = capture_print_be16(rest->at);
		if (type != PRINT_TYPE_CTAG && type != PRINT_TYPE_STAG)
			break;
		unsigned tag = capture_print_be16(rest->at + 2);
		fprintf(file, " %s %u", type == PRINT_TYPE_STAG ? "s-vlan" : "vlan", tag & 0xfff);
		if (tag >> 13 != 0)
			fprintf(file, " p %u", tag >> 13);
		capture_print_skip(rest, 4);
	}
	if (rest->left < 2)
		return 0;
	uint16_t type = capture_print_be16(rest->at);
	capture_print_skip(rest, 2);
	return type;
}

/** Print the name of an EtherType, or its number. */
static void
capture_print_type(FILE *file, uint16_t type)
{
	switch (type) {
	case PRINT_TYPE_IPV4:
		fputs(" IPv4", file);
		break;
	case PRINT_TYPE_IPV6:
		fputs(" IPv6", file);
		break;
	case PRINT_TYPE_ARP:
		fputs(" ARP", file);
		break;
	default:
		if (type >= PRINT_TYPE_MIN)
			fprintf(file, " 0x%04x", type);
		else
			fputs(" 802.3", file);
	}
}

/** Print "192.0.2.1.80 > 192.0.2.2.4242 TCP", or without ports. */
static void
capture_print_flow(FILE *file, int family, const uint8_t *source, const uint8_t *destination,
	uint8_t protocol, const struct print_rest *behind)
{
	char from[INET6_ADDRSTRLEN] = "", to[INET6_ADDRSTRLEN] = "";
	bool ports = (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) && behind->left >= 4;

	inet_ntop(family, source, from, sizeof(from));
	inet_ntop(family, destination, to, sizeof(to));
	if (ports)
		fprintf(file, ": %s.%u > %s.%u", from, capture_print_be16(behind->at), to,
			capture_print_be16(behind->at + 2));
	else
		fprintf(file, ": %s > %s", from, to);
	if (protocol == IPPROTO_TCP)
		fputs(" TCP", file);
	else if (protocol == IPPROTO_UDP)
		fputs(" UDP", file);
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		fputs(" ICMP", file);
	else
		fprintf(file, " protocol %u", protocol);
}

/** Print the flow of an IPv4 packet; nothing if its header is invalid or truncated. */
static void
capture_print_ipv4(FILE *file, struct print_rest rest)
{
	const uint8_t *ip = rest.at;
	uint32_t length = rest.left >= 20 ? (uint32_t)(ip[0] & 0xf) * 4 : 0;

	if (length < 20 || ip[0] >> 4 != 4)
		return;
	bool first = (capture_print_be16(ip + 6) & 0x1fff) == 0;
	/* Fragments but the first have no ports, and options may be truncated. */
	capture_print_skip(&rest, length < rest.left ? length : rest.left);
	if (!first)
		rest.left = 0;
	capture_print_flow(file, AF_INET, ip + 12, ip + 16, ip[9], &rest);
}

/** Print the flow of an IPv6 packet; nothing if its header is invalid or truncated. */
static void
capture_print_ipv6(FILE *file, struct print_rest rest)
{
	const uint8_t *ip = rest.at;

	if (rest.left < 40 || ip[0] >> 4 != 6)
		return;
	capture_print_skip(&rest, 40);
	capture_print_flow(file, AF_INET6, ip + 8, ip + 24, ip[6], &rest);
}

/** Print an ARP packet; nothing if it is truncated or not of IPv4 on Ethernet. */
static void
capture_print_arp(FILE *file, const struct print_rest *rest)
{
	static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};
	char sender[INET_ADDRSTRLEN] = "", target[INET_ADDRSTRLEN] = "";

	if (rest->left < 28 || memcmp(rest->at, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
		return;
	inet_ntop(AF_INET, rest->at + 14, sender, sizeof(sender));
	inet_ntop(AF_INET, rest->at + 24, target, sizeof(target));
	if (capture_print_be16(rest->at + 6) == 1)
		fprintf(file, ": who has %s? tell %s", target, sender);
	else
		fprintf(file, ": %s answers %s", sender, target);
}

void
capture_print(FILE *file, const struct pcapng_frame *frame, const char *reason, bool color)
{
	struct print_rest rest = {frame->bytes, frame->caplen};
	uint16_t type = 0;

	capture_print_time(file, frame->ns);
	fprintf(file, " %s ", frame->outbound ? "tx" : "rx");
	if (rest.left >= PRINT_MACS) {
		capture_print_mac(file, rest.at + 6);
		fputs(" > ", file);
		capture_print_mac(file, rest.at);
		capture_print_skip(&rest, PRINT_MACS);
		type = capture_print_tags(file, &rest);
		capture_print_type(file, type);
	}
	fprintf(file, ", length %u", frame->len);
	if (type == PRINT_TYPE_IPV4)
		capture_print_ipv4(file, rest);
	else if (type == PRINT_TYPE_IPV6)
		capture_print_ipv6(file, rest);
	else if (type == PRINT_TYPE_ARP)
		capture_print_arp(file, &rest);
	if (reason != NULL)
		fprintf(file, "%s, dropped: %s%s", color ? "\033[33m" : "", reason,
			color ? "\033[0m" : "");
	putc('\n', file);
}
