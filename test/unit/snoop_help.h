/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of IGMP and MLD for tests, written byte by byte from the RFCs.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_TEST_SNOOP_HELP_H
#define SHUNT_TEST_SNOOP_HELP_H

#include <stdbool.h>
#include <stdint.h>

#include "snoop/address.h"

enum { MESSAGE_MAX = 2048 };

/** A packet, from the IP header on. */
struct message {
	uint8_t bytes[MESSAGE_MAX];
	uint32_t len;
	bool ipv6;
	uint32_t body; /**< where the message begins */
};

/** An address from its text. */
struct snoop_ip ip_of(const char *text);

/** Begin a packet: IPv4 with Router Alert and TTL 1, or IPv6 with hop-by-hop options. */
void message_begin(struct message *message, const char *source, const char *dest);

/** Append bytes given as hexadecimal digits; spaces are ignored. */
void message_add(struct message *message, const char *hex);

/** Append an address of the message's family. */
void message_add_ip(struct message *message, const char *text);

/** Fill in lengths and checksums. */
void message_close(struct message *message);

/** A report, leave or query with one group: type, code, group; of IGMP or MLD. */
void message_simple(
	struct message *message, uint8_t type, uint8_t code, const char *source, const char *group);

/** A report of IGMPv3 or MLDv2 with one record. @param from a source; NULL = none */
void message_record(struct message *message, uint8_t change, const char *group, const char *from);

#endif
