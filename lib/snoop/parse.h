/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of IGMP (v1 RFC 1112 appendix I, v2 RFC 2236, v3 RFC 3376), MLD (v1 RFC 2710, v2 RFC
 * 3810) and hellos of PIM (RFC 7761 section 4.9), checked to the last byte before any of it is
 * used: lengths, checksums, and of IPv6 the hop limit, the Router Alert option and the source.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_SNOOP_PARSE_H
#define SHUNT_SNOOP_PARSE_H

#include "snoop/address.h"

enum snoop_kind {
	SNOOP_REPORT, /**< of a host: what it listens to, in records */
	SNOOP_QUERY,
	SNOOP_HELLO, /**< of a router */
};

/** What a record says of a group (RFC 3376 section 4.2.12); older messages in the same words. */
enum snoop_change {
	SNOOP_EXCLUDE,    /**< listens to all sources, but maybe some */
	SNOOP_INCLUDE,    /**< listens to these sources, and maybe others */
	SNOOP_TO_INCLUDE, /**< listens to these sources alone; without sources: no more */
	SNOOP_BLOCK,      /**< does not listen to these sources any more */
};

struct snoop_record {
	enum snoop_change change;
	struct snoop_ip group;
	const uint8_t *sources; /**< addresses one after the other */
	uint16_t n_sources;
	uint8_t width; /**< bytes of an address */
};

struct snoop_message {
	enum snoop_kind kind;
	uint8_t version; /**< of IGMP or MLD; 0 for hellos */
	bool ipv6;
	struct snoop_ip source;
	struct snoop_ip group;     /**< of a query; unspecified = a general one */
	struct snoop_record first; /**< of a report of an old version, which has one record */
	const uint8_t *records;    /**< of a report of IGMPv3 or MLDv2, still to be read */
	uint16_t n_records;
};

/**
 * Parse a packet.
 *
 * @param packet from the IP header on; @param len bytes, what follows the packet is ignored
 * @param message refers to the packet
 * @return 0; -ENOMSG: none of these messages; -EBADMSG: one that is not as it must be
 */
int snoop_parse(const uint8_t *packet, uint32_t len, bool ipv6, struct snoop_message *message);

/** Read the next record of a report. @return false when there is none left */
bool snoop_next_record(struct snoop_message *message, struct snoop_record *record);

/** A source of a record. @param i below n_sources */
struct snoop_ip snoop_record_source(const struct snoop_record *record, unsigned i);

#endif
