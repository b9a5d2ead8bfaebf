/* SPDX-License-Identifier: BSD-3-Clause */
#include "snoop_help.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static uint16_t
checksum(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct snoop_ip
ip_of(const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return snoop_ip4(bytes);
	if (inet_pton(AF_INET6, text, bytes) != 1)
		abort();
	return snoop_ip6(bytes);
}

void
message_add(struct message *message, const char *hex)
{
	for (; *hex != '\0'; hex++) {
		unsigned byte;
		if (isspace((unsigned char)*hex))
			continue;
		if (sscanf(hex++, "%2x", &byte) != 1)
			abort();
		message->bytes[message->len++] = (uint8_t)byte;
	}
}

void
message_add_ip(struct message *message, const char *text)
{
	struct snoop_ip ip = ip_of(text);
	uint32_t from = message->ipv6 ? 0 : 12;

	memcpy(message->bytes + message->len, ip.bytes + from, 16 - from);
	message->len += 16 - from;
}

void
message_begin(struct message *message, const char *source, const char *dest)
{
	memset(message, 0, sizeof(*message));
	message->ipv6 = strchr(dest, ':') != NULL;
	message_add(
		message, message->ipv6 ? "60000000 0000 00 01" : "46c0 0000 0000 0000 01 02 0000");
	message_add_ip(message, source);
	message_add_ip(message, dest);
	message_add(message, message->ipv6 ? "3a00 0502 0000 0100" : "94040000");
	message->body = message->len;
}

void
message_close(struct message *message)
{
	uint8_t *bytes = message->bytes, *body = bytes + message->body;
	uint32_t len = message->len - message->body;

	put16(body + 2, 0);
	if (message->ipv6) {
		put16(bytes + 4, message->len - 40);
		uint32_t pseudo = (uint16_t)~checksum(bytes + 8, 32, 0);
		put16(body + 2, checksum(body, len, pseudo + len + 58));
		return;
	}
	put16(bytes + 2, message->len);
	put16(bytes + 10, 0);
	put16(bytes + 10, checksum(bytes, message->body, 0));
	put16(body + 2, checksum(body, len, 0));
}

void
message_simple(
	struct message *message, uint8_t type, uint8_t code, const char *source, const char *group)
{
	bool ipv6 = strchr(group, ':') != NULL;
	bool general = strcmp(group, "::") == 0 || strcmp(group, "0.0.0.0") == 0;
	char hex[16];

	message_begin(message, source, !general ? group : ipv6 ? "ff02::1" : "224.0.0.1");
	snprintf(hex, sizeof(hex), "%02x%02x0000", type, ipv6 ? 0 : code);
	message_add(message, hex);
	if (ipv6)
		message_add(message, "00000000");
	message_add_ip(message, group);
	message_close(message);
}

void
message_record(struct message *message, uint8_t change, const char *group, const char *from)
{
	bool ipv6 = strchr(group, ':') != NULL;
	char hex[16];

	message_begin(message, ipv6 ? "fe80::9" : "10.9.0.9", ipv6 ? "ff02::16" : "224.0.0.22");
	message_add(message, ipv6 ? "8f00 0000 0000 0001" : "2200 0000 0000 0001");
	snprintf(hex, sizeof(hex), "%02x0000%02x", change, from != NULL);
	message_add(message, hex);
	message_add_ip(message, group);
	if (from != NULL)
		message_add_ip(message, from);
	message_close(message);
}
