/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ARP and neighbour discovery with arbitrary bytes, any part of them in the head, any checksum
 * request: the only address that an unchecking receiver would learn from a frame that passes is the
 * port's.
 */
#include "fuzz.h"

#include <string.h>

#include "base/mac.h"
#include "features/neighbours/neighbour.h"

/** The beginning of an input; the bytes of the frame follow. */
struct input {
	uint16_t head;     /**< bytes of the frame's head */
	uint8_t requested; /**< whether there is a checksum request */
	uint16_t field;    /**< its offset */
	uint16_t stored;   /**< the value that a receiver would write there */
} __attribute__((packed));

enum { PACKET_MAX = 4096 };

static const uint8_t own[MAC_BYTES] = {2, 0, 0, 0, 0, 1};

/** A receiver that checks nothing but the length. */
struct receiver {
	const uint8_t *bytes;
	size_t n;
	bool learned_other;
};

static uint16_t
get16(const struct receiver *receiver, size_t at)
{
	return at + 2 <= receiver->n
		       ? (uint16_t)(receiver->bytes[at] << 8 | receiver->bytes[at + 1])
		       : 0;
}

static uint8_t
get8(const struct receiver *receiver, size_t at)
{
	return at < receiver->n ? receiver->bytes[at] : 0;
}

static void
learn_address(struct receiver *receiver, size_t at)
{
	if (at + sizeof(own) <= receiver->n && memcmp(receiver->bytes + at, own, sizeof(own)) != 0)
		receiver->learned_other = true;
}

static void
receive_options(struct receiver *receiver, size_t at, size_t end)
{
	while (at + 2 <= end && get8(receiver, at + 1) != 0) {
		uint8_t kind = get8(receiver, at);
		if ((kind == 1 || kind == 2) && at + 8 <= end)
			learn_address(receiver, at + 2);
		at += (size_t)8 * get8(receiver, at + 1);
	}
}

static void
receive_ipv6(struct receiver *receiver, size_t at)
{
	static const uint8_t fixed[] = {8, 16, 24, 24, 40};
	size_t end = at + 40 + get16(receiver, at + 4);
	uint8_t next = get8(receiver, at + 6);

	if (end > receiver->n)
		return;
	for (at += 40; at < end; at += 8) {
		size_t more = get8(receiver, at + 1);
		if (next == 58) {
			uint8_t type = get8(receiver, at);
			if (type >= 133 && type <= 137)
				receive_options(receiver, at + fixed[type - 133], end);
			return;
		}
		if (next == 44 && (get16(receiver, at + 2) & 0xfff9) != 0)
			return;
		if (next != 0 && next != 43 && next != 60 && next != 44 && next != 51)
			return;
		uint8_t kind = next;
		next = get8(receiver, at);
		if (kind == 51)
			at += more * 4;
		else if (kind != 44)
			at += more * 8;
	}
}

static void
receive(struct receiver *receiver)
{
	size_t at = 12;

	for (;;) {
		uint16_t type = get16(receiver, at);
		if (type == 0x8100 || type == 0x88a8)
			at += 4;
		else if (type < 1536 && at + 10 <= receiver->n &&
			 memcmp(receiver->bytes + at + 2, "\xaa\xaa\3\0\0", 6) == 0)
			at += 8;
		else
			break;
	}
	if (get16(receiver, at) == 0x0806 && get8(receiver, at + 6) == MAC_BYTES)
		learn_address(receiver, at + 10);
	else if (get16(receiver, at) == 0x86dd)
		receive_ipv6(receiver, at + 2);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct macs macs = {.mac = {mac_load(own)}, .n = 1};
	uint8_t bytes[PACKET_MAX];
	struct input input;

	if (size < sizeof(input) + FRAME_ETH_LEN || size > PACKET_MAX)
		return 0;
	memcpy(&input, data, sizeof(input));
	size -= sizeof(input);
	memcpy(bytes, data + sizeof(input), size);
	size_t head_len = FRAME_ETH_LEN + input.head % (size - FRAME_ETH_LEN + 1);
	uint8_t *head = malloc(head_len);
	memcpy(head, bytes, head_len);
	struct frame frame = {.head = head, .head_len = (uint16_t)head_len, .len = (uint32_t)size};
	struct receiver receiver = {.bytes = bytes, .n = size};
	if (input.requested % 2 != 0) {
		uint16_t field = (uint16_t)(input.field % (size - 1));
		frame.offload = (struct frame_offload){.flags = FRAME_CSUM,
			.csum_start = field / 3,
			.csum_offset = field - field / 3};
		memcpy(bytes + field, &input.stored, sizeof(input.stored));
	}
	receive(&receiver);
	fuzz_check(!neighbour_may_pass(&frame, &macs) || !receiver.learned_other);
	free(head);
	return 0;
}
