/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of IGMP (v1 RFC 1112 appendix I, v2 RFC 2236, v3 RFC 3376), MLD (v1 RFC 2710, v2 RFC
 * 3810) and hellos of PIM (RFC 7761 section 4.9). A message is checked completely before any of it
 * is used: lengths, checksums, and of IPv6 the hop limit, the Router Alert option (MLD) and the
 * source.
 *
 * Thread safety: pure.
 */
#ifndef SHUNT_SNOOP_PARSE_H
#define SHUNT_SNOOP_PARSE_H

#include "snoop/address.h"

/** Kinds of messages. */
enum snoop_kind {
	SNOOP_REPORT, /**< of a host: its memberships, in records */
	SNOOP_QUERY,
	SNOOP_HELLO, /**< of a router */
};

/** Change of a membership (RFC 3376 section 4.2.12); messages of old versions are converted. */
enum snoop_change {
	SNOOP_EXCLUDE,    /**< joins all sources; exclusions are ignored */
	SNOOP_INCLUDE,    /**< joins these sources, and keeps the present ones */
	SNOOP_TO_INCLUDE, /**< joins these sources only; without sources: leaves */
	SNOOP_BLOCK,      /**< leaves these sources */
};

/** A record of a report: a change of one membership. */
struct snoop_record {
	enum snoop_change change;
	struct snoop_ip group;
	const uint8_t *sources; /**< addresses, contiguous */
	uint16_t n_sources;
	uint8_t width; /**< bytes of an address */
};

/** A parsed message. */
struct snoop_message {
	enum snoop_kind kind;
	uint8_t version; /**< of IGMP or MLD; 0 for hellos */
	bool ipv6;
	struct snoop_ip source;
	struct snoop_ip group;     /**< of a query; unspecified = general query */
	struct snoop_record first; /**< the record of a report of an old version */
	const uint8_t *records;    /**< remaining records of an IGMPv3 or MLDv2 report */
	uint16_t n_records;
};

/**
 * Parse a packet.
 *
 * @param packet from the IP header on; untrusted
 * @param len bytes; those after the end of the packet are ignored
 * @param ipv6 the packet is IPv6, not IPv4
 * @param message refers to memory of the packet
 * @return 0; -ENOMSG if the packet is none of these messages; -EBADMSG if the message is invalid
 */
int snoop_parse(const uint8_t *packet, uint32_t len, bool ipv6, struct snoop_message *message);

/** Read the next record of a report. @return false if none is left */
bool snoop_next_record(struct snoop_message *message, struct snoop_record *record);

/** Get a source of a record. @param i below n_sources @return its address */
struct snoop_ip snoop_record_source(const struct snoop_record *record, unsigned i);

#endif
