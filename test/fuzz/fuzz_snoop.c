/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arbitrary packets: classified as polling lcores do, parsed, and processed by a database of
 * groups. Before each packet are three bytes: family, port and VLAN; time that passes; the length.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "snoop/groups.h"
#include "snoop/classify.h"
#include "snoop/packet.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/** Messages that the control thread processes are copied to it by polling lcores. */
static void
check_class(const uint8_t *packet, uint32_t len, bool ipv6, const struct snoop_message *message)
{
	struct snoop_ip group;
	uint16_t type = ipv6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4;
	enum snoop_class class = snoop_classify(packet, len, type, &group);

	/* Unicast messages are not copied. */
	bool to_group = ipv6 ? packet[24] == 0xff : packet[16] >> 4 == 0xe;
	if (!to_group)
		fuzz_check(class == SNOOP_CLASS_FLOOD);
	else if (message->kind == SNOOP_REPORT)
		fuzz_check(class == SNOOP_CLASS_REPORT);
	else if (message->kind == SNOOP_QUERY)
		fuzz_check(class == SNOOP_CLASS_ROUTER);
}

static void
check_records(struct snoop_message message, uint32_t len)
{
	struct snoop_record record;
	unsigned n = 0;

	while (snoop_next_record(&message, &record)) {
		fuzz_check(snoop_ip_is_group(&record.group));
		for (unsigned i = 0; i < record.n_sources; i++) {
			struct snoop_ip source = snoop_record_source(&record, i);
			n += snoop_ip_is_v4(&source);
		}
		fuzz_check(n++ <= len);
	}
}

static void
receive(struct groups *groups, uint64_t now, const uint8_t *data, uint32_t len, uint8_t flags)
{
	bool ipv6 = (flags & 1) != 0;
	struct snoop_message message;
	struct snoop_ip group;
	/* In memory where sanitizers detect reads beyond the packet. */
	uint8_t *packet = malloc(len);

	memcpy(packet, data, len);
	int rc = snoop_parse(packet, len, ipv6, &message);
	fuzz_check(rc == 0 || rc == -ENOMSG || rc == -EBADMSG);
	snoop_classify(packet, len, ipv6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4, &group);
	if (rc == 0) {
		check_class(packet, len, ipv6, &message);
		check_records(message, len);
	}
	groups_receive(groups, now, flags >> 1 & 7, flags >> 4, packet, len, ipv6);
	free(packet);
}

static void
count_member(const struct groups_row *row, void *arg)
{
	fuzz_check(row->port < 8 && row->vlan < 16);
	*(uint32_t *)arg += row->kind == GROUPS_MEMBER;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct groups *groups = groups_create(0);
	struct groups_stats stats;
	uint32_t members = 0;
	uint64_t now = 1;

	groups_set_port(groups, 1, true, SNOOP_ROUTER_AUTO);
	while (size > 3) {
		uint32_t len = (uint32_t)(data[1] & 7) << 8 | data[2];
		len = len < size - 3 ? len : (uint32_t)size - 3;
		if (len > 0)
			receive(groups, now, data + 3, len, data[0]);
		now += data[1] >> 3;
		groups_expire(groups, now);
		data += 3 + len;
		size -= 3 + len;
	}
	struct snoop_table *table = groups_table(groups);
	fuzz_check(table != NULL);
	snoop_table_free(table);
	groups_walk(groups, now, count_member, &members);
	groups_get_stats(groups, &stats);
	fuzz_check(members == stats.members && stats.groups <= stats.members);
	groups_expire(groups, now + GROUPS_MEMBER_MS + 1);
	groups_get_stats(groups, &stats);
	fuzz_check(stats.members == 0 && stats.groups == 0);
	groups_destroy(groups);
	return 0;
}
