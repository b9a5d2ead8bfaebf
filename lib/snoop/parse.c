/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and checks messages of IGMP, MLD and PIM. */
#include "snoop/parse.h"

#include <errno.h>

#include "frame/frame.h"
#include "snoop/packet.h"

enum {
	IGMP_LEN = 8,
	IGMP_QUERY_3_LEN = 12,
	MLD_LEN = 24,
	MLD_QUERY_2_LEN = 28,
	REPORT_LEN = 8, /**< of IGMPv3 and MLDv2, before the records */
	RECORD_LEN = 4, /**< before the group */
	PIM_LEN = 4,
	OPTION_PAD1 = 0,
	OPTION_ROUTER_ALERT = 5, /**< RFC 2711 */
};

/** @return folded one's complement sum (RFC 1071); 0xffff if it includes a correct checksum */
static uint16_t
parse_sum(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (; len >= 2; bytes += 2, len -= 2)
		sum += frame_be16(bytes);
	if (len > 0)
		sum += (uint32_t)bytes[0] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** Read an address in network byte order. */
static struct snoop_ip
parse_ip(const uint8_t *bytes, bool ipv6)
{
	return ipv6 ? snoop_ip6(bytes) : snoop_ip4(bytes);
}

/** Parse a report or leave of IGMPv1, IGMPv2 or MLDv1, which has one group. */
static int
parse_one_group(struct snoop_message *message, const uint8_t *group, enum snoop_change change)
{
	struct snoop_record *record = &message->first;

	*record = (struct snoop_record){.change = change, .group = parse_ip(group, message->ipv6)};
	message->kind = SNOOP_REPORT;
	message->n_records = 1;
	return snoop_ip_is_group(&record->group) ? 0 : -EBADMSG;
}

/**
 * Convert the type of a record (RFC 3376 section 4.2.12, RFC 3810 section 5.2.12).
 *
 * @return enum snoop_change; -1: unknown
 */
static int
parse_change(uint8_t type)
{
	static const int changes[] = {-1, SNOOP_INCLUDE, SNOOP_EXCLUDE, SNOOP_TO_INCLUDE,
		SNOOP_EXCLUDE, SNOOP_INCLUDE, SNOOP_BLOCK};

	return type < sizeof(changes) / sizeof(changes[0]) ? changes[type] : -1;
}

/** @return bytes of a record, its sources and auxiliary data included */
static uint32_t
parse_record_len(const uint8_t *bytes, uint32_t width)
{
	return RECORD_LEN + width + frame_be16(bytes + 2) * width + bytes[1] * 4u;
}

/** Parse an IGMPv3 or MLDv2 report, whose records must all lie within the message. */
static int
parse_records(struct snoop_message *message, const uint8_t *bytes, uint32_t len)
{
	uint32_t width = message->ipv6 ? 16 : 4;
	uint32_t at = REPORT_LEN;

	message->kind = SNOOP_REPORT;
	message->records = bytes + REPORT_LEN;
	message->n_records = frame_be16(bytes + 6);
	for (unsigned i = 0; i < message->n_records; i++) {
		if (len - at < RECORD_LEN + width)
			return -EBADMSG;
		uint32_t record = parse_record_len(bytes + at, width);
		if (record > len - at)
			return -EBADMSG;
		at += record;
	}
	return 0;
}

bool
snoop_next_record(struct snoop_message *message, struct snoop_record *record)
{
	uint8_t width = message->ipv6 ? 16 : 4;

	while (message->n_records > 0) {
		const uint8_t *bytes = message->records;
		message->n_records--;
		if (bytes == NULL) {
			*record = message->first;
			return true;
		}
		int change = parse_change(bytes[0]);
		*record = (struct snoop_record){
			.change = (enum snoop_change)change,
			.group = parse_ip(bytes + RECORD_LEN, message->ipv6),
			.sources = bytes + RECORD_LEN + width,
			.n_sources = frame_be16(bytes + 2),
			.width = width,
		};
		message->records = bytes + parse_record_len(bytes, width);
		/* RFC 3376 section 4.2.12: unknown types are ignored. */
		if (change >= 0 && snoop_ip_is_group(&record->group))
			return true;
	}
	return false;
}

struct snoop_ip
snoop_record_source(const struct snoop_record *record, unsigned i)
{
	return parse_ip(record->sources + (size_t)i * record->width, record->width == 16);
}

/**
 * Parse a query.
 *
 * @param group offset of its group
 * @param sources offset of the number of its sources in IGMPv3 and MLDv2; 0 in older versions
 */
static int
parse_query(struct snoop_message *message, const uint8_t *bytes, uint32_t len, uint32_t group,
	uint32_t sources)
{
	uint32_t width = message->ipv6 ? 16 : 4;

	message->kind = SNOOP_QUERY;
	message->group = parse_ip(bytes + group, message->ipv6);
	if (!snoop_ip_is_unspecified(&message->group) && !snoop_ip_is_group(&message->group))
		return -EBADMSG;
	if (sources == 0)
		return 0;
	return sources + 2 + frame_be16(bytes + sources) * width <= len ? 0 : -EBADMSG;
}

/** Parse an IGMP query, whose length and Max Resp Code give the version (RFC 3376 section 7.1). */
static int
parse_igmp_query(struct snoop_message *message, const uint8_t *bytes, uint32_t len)
{
	if (len > IGMP_LEN && len < IGMP_QUERY_3_LEN)
		return -EBADMSG;
	if (len >= IGMP_QUERY_3_LEN)
		message->version = 3;
	else
		message->version = bytes[1] == 0 ? 1 : 2;
	return parse_query(message, bytes, len, 4, message->version == 3 ? 10 : 0);
}

static int
parse_igmp(struct snoop_message *message, const uint8_t *bytes, uint32_t len)
{
	if (len < IGMP_LEN || parse_sum(bytes, len, 0) != 0xffff)
		return -EBADMSG;
	switch (bytes[0]) {
	case IGMP_QUERY:
		return parse_igmp_query(message, bytes, len);
	case IGMP_REPORT_1:
		message->version = 1;
		return parse_one_group(message, bytes + 4, SNOOP_EXCLUDE);
	case IGMP_REPORT_2:
		message->version = 2;
		return parse_one_group(message, bytes + 4, SNOOP_EXCLUDE);
	case IGMP_LEAVE:
		message->version = 2;
		return parse_one_group(message, bytes + 4, SNOOP_TO_INCLUDE);
	case IGMP_REPORT_3:
		message->version = 3;
		return parse_records(message, bytes, len);
	default:
		return -ENOMSG;
	}
}

/** Parse an MLD query, whose length gives the version (RFC 3810 section 8.1). */
static int
parse_mld_query(struct snoop_message *message, const uint8_t *bytes, uint32_t len)
{
	if (len > MLD_LEN && len < MLD_QUERY_2_LEN)
		return -EBADMSG;
	message->version = len == MLD_LEN ? 1 : 2;
	return parse_query(message, bytes, len, 8, message->version == 2 ? 26 : 0);
}

static int
parse_mld(struct snoop_message *message, const uint8_t *bytes, uint32_t len)
{
	bool is_short = len < MLD_LEN;

	message->version = 1;
	switch (len > 0 ? bytes[0] : 0) {
	case MLD_QUERY:
		return is_short ? -EBADMSG : parse_mld_query(message, bytes, len);
	case MLD_REPORT_1:
		return is_short ? -EBADMSG : parse_one_group(message, bytes + 8, SNOOP_EXCLUDE);
	case MLD_DONE:
		return is_short ? -EBADMSG : parse_one_group(message, bytes + 8, SNOOP_TO_INCLUDE);
	case MLD_REPORT_2:
		message->version = 2;
		return len < REPORT_LEN ? -EBADMSG : parse_records(message, bytes, len);
	default:
		return -ENOMSG;
	}
}

/** Parse a PIM hello. @param sum of the IPv6 pseudo-header; 0 for IPv4 */
static int
parse_pim(struct snoop_message *message, const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	if (len < 1 || bytes[0] != PIM_HELLO)
		return -ENOMSG;
	message->kind = SNOOP_HELLO;
	return len >= PIM_LEN && parse_sum(bytes, len, sum) == 0xffff ? 0 : -EBADMSG;
}

/** Parse an IPv4 packet with an IGMP message or a PIM hello. */
static int
parse_ip4(const uint8_t *packet, uint32_t len, struct snoop_message *message)
{
	if (len < IP4_LEN || packet[0] >> 4 != 4)
		return -ENOMSG;
	uint32_t header = (packet[0] & 0xfu) * 4, total = frame_be16(packet + IP4_TOTAL);
	uint8_t protocol = packet[IP4_PROTOCOL];

	if (protocol != PROTOCOL_IGMP && protocol != PROTOCOL_PIM)
		return -ENOMSG;
	if (header < IP4_LEN || total < header || total > len ||
		parse_sum(packet, header, 0) != 0xffff)
		return -EBADMSG;
	/* Messages fit in one frame: fragments are not accepted. */
	if ((frame_be16(packet + IP4_FRAGMENT) & (IP4_OFFSET_MASK | IP4_MORE_MASK)) != 0)
		return -EBADMSG;
	message->source = snoop_ip4(packet + IP4_SOURCE);
	return protocol == PROTOCOL_IGMP ? parse_igmp(message, packet + header, total - header)
					 : parse_pim(message, packet + header, total - header, 0);
}

/** Whether hop-by-hop options contain a Router Alert for MLD (RFC 2711 section 2.1). */
static bool
parse_router_alert(const uint8_t *options, uint32_t len)
{
	bool found = false;

	for (uint32_t at = 2; at < len;) {
		if (options[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (len - at < 2 || len - at < 2u + options[at + 1])
			return false;
		if (options[at] == OPTION_ROUTER_ALERT)
			found = options[at + 1] == 2 && frame_be16(options + at + 2) == 0;
		at += 2u + options[at + 1];
	}
	return found;
}

/** @return sum of the IPv6 pseudo-header (RFC 8200 section 8.1), to be continued */
static uint32_t
parse_pseudo_sum(const uint8_t *packet, uint32_t len, uint8_t protocol)
{
	return parse_sum(packet + IP6_SOURCE, 32, 0) + len + protocol;
}

/** Whether the source is valid: link-local, or :: in a report of a new host (RFC 3590). */
static bool
parse_source_is_good(const struct snoop_message *message)
{
	const uint8_t *ip = message->source.bytes;

	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
		return true;
	return message->kind == SNOOP_REPORT && snoop_ip_is_unspecified(&message->source);
}

/** Parse the MLD message after hop-by-hop options. @param len bytes of the payload with options */
static int
parse_after_options(const uint8_t *packet, uint32_t len, struct snoop_message *message)
{
	const uint8_t *options = packet + IP6_LEN;

	if (len < 8)
		return -EBADMSG;
	uint32_t skip = (options[1] + 1u) * 8;
	if (options[0] != PROTOCOL_ICMP6)
		return -ENOMSG;
	if (skip > len)
		return -EBADMSG;
	int rc = parse_mld(message, options + skip, len - skip);
	if (rc < 0)
		return rc;
	uint32_t sum = parse_pseudo_sum(packet, len - skip, PROTOCOL_ICMP6);
	if (!parse_router_alert(options, skip) ||
		parse_sum(options + skip, len - skip, sum) != 0xffff)
		return -EBADMSG;
	return 0;
}

/** Parse an IPv6 packet with an MLD message or a PIM hello. */
static int
parse_ip6(const uint8_t *packet, uint32_t len, struct snoop_message *message)
{
	if (len < IP6_LEN || packet[0] >> 4 != 6)
		return -ENOMSG;
	uint32_t payload = frame_be16(packet + IP6_PAYLOAD);
	uint8_t next = packet[IP6_NEXT];
	int rc = -ENOMSG;

	if (next != PROTOCOL_HOP_OPTIONS && next != PROTOCOL_PIM)
		return -ENOMSG;
	if (payload > len - IP6_LEN)
		return -EBADMSG;
	message->source = snoop_ip6(packet + IP6_SOURCE);
	if (next == PROTOCOL_HOP_OPTIONS)
		rc = parse_after_options(packet, payload, message);
	else
		rc = parse_pim(message, packet + IP6_LEN, payload,
			parse_pseudo_sum(packet, payload, PROTOCOL_PIM));
	if (rc < 0)
		return rc;
	return packet[IP6_HOPS] == 1 && parse_source_is_good(message) ? 0 : -EBADMSG;
}

int
snoop_parse(const uint8_t *packet, uint32_t len, bool ipv6, struct snoop_message *message)
{
	*message = (struct snoop_message){.ipv6 = ipv6};
	return ipv6 ? parse_ip6(packet, len, message) : parse_ip4(packet, len, message);
}
