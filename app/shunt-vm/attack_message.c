/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on the vhost-user protocol: messages that a hostile front end sends or omits. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "connection.h"

/** Count a request if the back end refused it. @param code result of the request */
static void
attack_message_count(struct attack *attack, int code)
{
	attack->refused += code != 0;
}

/** Send the first bytes of a message, which need not be valid. */
static void
attack_message_raw(struct attack *attack, const struct message *message, size_t length)
{
	message_send_raw(attack->vm->sock, message, length);
}

/* The attacks; the table at the end describes each. */

static void
attack_half_message(struct attack *attack)
{
	struct message message = {
		.request = SET_MEM_TABLE, .flags = MESSAGE_VERSION, .size = 40, .memory.n = 1};
	const size_t lengths[] = {1, MESSAGE_HEADER - 1, MESSAGE_HEADER, MESSAGE_HEADER + 5};
	struct timespec pause = {.tv_nsec = 20000000};

	attack_message_raw(attack, &message, lengths[attack->rounds % 4]);
	nanosleep(&pause, NULL);
	vm_disconnect(attack->vm);
}

static void
attack_bad_size(struct attack *attack)
{
	const uint32_t requests[] = {SET_FEATURES, SET_VRING_NUM, SET_VRING_ADDR, SET_MEM_TABLE,
		GET_FEATURES, SET_VRING_KICK, SET_LOG_BASE, SET_VRING_ENABLE};
	const uint32_t sizes[] = {0, 1, 7, 9, 100, 264, 300, UINT32_MAX, 0x80000000};
	struct message message = {
		.request = requests[attack->rounds % 8],
		.flags = MESSAGE_VERSION,
		.size = sizes[attack->rounds / 8 % 9],
	};
	uint32_t body = message.size < 300 ? message.size : 300;

	attack_message_raw(attack, &message, MESSAGE_HEADER + body);
}

static void
attack_bad_request(struct attack *attack)
{
	const uint32_t requests[] = {0, 38, 41, 100, 255, 0x7fffffff, UINT32_MAX};
	struct message message = {
		.request = requests[attack->rounds % 7],
		.flags = attack->rounds % 2 ? MESSAGE_VERSION : 7,
		.size = 8,
	};

	attack_message_raw(attack, &message, MESSAGE_HEADER + message.size);
}

/** Send SET_MEM_TABLE with any regions, each with the file descriptor of the VM's memory. */
static void
attack_message_memory(struct attack *attack, uint32_t n, const struct message_region *region)
{
	struct message message = {.request = SET_MEM_TABLE, .flags = MESSAGE_VERSION};
	int fds[MESSAGE_FDS_MAX];
	struct err err;

	message.memory.n = n;
	for (uint32_t i = 0; i < n && i < MESSAGE_REGIONS_MAX; i++) {
		message.memory.regions[i] = *region;
		message.memory.regions[i].gpa += i * region->size;
		fds[i] = attack->vm->memory.fd;
	}
	message.size = (uint32_t)(offsetof(struct message_memory, regions) +
				  n * sizeof(struct message_region));
	attack_message_count(attack, message_send(attack->vm->sock, &message, fds, n, 1, &err));
}

static void
attack_many_regions(struct attack *attack)
{
	struct message_region region = {
		.gpa = MEMORY_BASE, .size = MEMORY_HUGE, .uva = (uintptr_t)attack->vm->memory.base};

	attack_message_memory(attack, 8 + attack->rounds % 8, &region);
}

static void
attack_bad_region(struct attack *attack)
{
	struct message_region region = {.gpa = MEMORY_BASE,
		.size = attack->vm->memory.size,
		.uva = (uintptr_t)attack->vm->memory.base};

	switch (attack->rounds % 6) {
	case 0:
		region.size = 0;
		break;
	case 1:
		region.size = UINT64_MAX;
		break;
	case 2:
		region.offset = UINT64_MAX - 4096;
		break;
	case 3:
		region.offset = attack->vm->memory.size;
		break;
	case 4:
		region.gpa = UINT64_MAX - 4096;
		break;
	default:
		region.size *= 16; /* beyond the end of the file */
		break;
	}
	attack_message_memory(attack, 1, &region);
}

static void
attack_same_memory(struct attack *attack)
{
	struct err err;

	attack_message_count(attack, negotiate_memory(attack->vm, &err));
}

static void
attack_stop_start(struct attack *attack)
{
	struct err err;
	int code = negotiate_stop(attack->vm, &err);

	while (station_receive(attack->station, attack->rx->slots) > 0)
		continue;
	station_space(attack->station, UINT16_MAX);
	if (code == 0)
		code = negotiate_start(attack->vm, &err);
	attack_message_count(attack, code);
}

static void
attack_truncate(struct attack *attack)
{
	struct timespec pause = {.tv_nsec = 10000000};
	struct vm *vm = attack->vm;

	queue_post(attack->tx, 32);
	queue_kick(attack->tx);
	/* While the file is truncated, this program must not access its memory either. */
	if (ftruncate(vm->memory.fd, 0) != 0)
		attack->refused++;
	nanosleep(&pause, NULL);
	if (ftruncate(vm->memory.fd, (off_t)vm->memory.size) != 0)
		attack->refused++;
	attack->stuck++; /* the rings' pages are zero now */
}

static void
attack_second_connection(struct attack *attack)
{
	struct err err;
	int sock = attack->vm->config.server
			   ? -1
			   : connection_connect(attack->vm->config.socket, 0, &err);
	struct message message = {.request = GET_FEATURES, .flags = MESSAGE_VERSION}, answer;

	if (sock < 0) {
		attack->refused++;
		return;
	}
	if (message_send(sock, &message, NULL, 0, 0.1, &err) != 0 ||
		message_answer(sock, GET_FEATURES, &answer, 8, 0.1, &err) != 0)
		attack->refused++;
	close(sock);
}

static void
attack_bad_index(struct attack *attack)
{
	const unsigned rings[] = {
		2 * attack->vm->pairs, 255, 256, 257, 65535, 0x7fffffff, UINT32_MAX};
	unsigned ring = rings[attack->rounds % 7];
	uint32_t base;
	struct err err;
	int code;

	switch (attack->rounds / 7 % 4) {
	case 0:
		code = negotiate_state(attack->vm, SET_VRING_NUM, ring, 256, &err);
		break;
	case 1:
		code = negotiate_state(attack->vm, SET_VRING_ENABLE, ring, 1, &err);
		break;
	case 2:
		code = negotiate_fd(
			attack->vm, SET_VRING_KICK, ring & 0xff, attack->tx->kickfd, &err);
		break;
	default:
		code = negotiate_get_base(attack->vm, ring, &base, &err);
		break;
	}
	attack_message_count(attack, code);
}

static void
attack_bad_ring_size(struct attack *attack)
{
	const uint32_t sizes[] = {0, 1, 3, 1000, 32769, 65535, UINT32_MAX};
	struct err err;

	attack_message_count(attack,
		negotiate_state(attack->vm, SET_VRING_NUM, 1, sizes[attack->rounds % 7], &err));
}

static void
attack_bad_ring_address(struct attack *attack)
{
	const uint64_t base = (uintptr_t)attack->vm->memory.base;
	const uint64_t addresses[] = {0, 1, base + 1, base + attack->vm->memory.size - 8,
		base + attack->vm->memory.size, UINT64_MAX};
	uint64_t bad = addresses[attack->rounds % 6];
	struct message message = {
		.request = SET_VRING_ADDR,
		.flags = MESSAGE_VERSION,
		.size = sizeof(message.addr),
		.addr = {.index = 1, .desc = bad, .used = bad, .avail = bad},
	};
	struct err err;

	attack_message_count(attack, message_send(attack->vm->sock, &message, NULL, 0, 1, &err));
}

static void
attack_bad_base(struct attack *attack)
{
	const uint32_t bases[] = {1, attack->tx->config.size, 0x8000, 65535, UINT32_MAX};
	struct err err;

	attack_message_count(attack,
		negotiate_state(attack->vm, SET_VRING_BASE, 1, bases[attack->rounds % 5], &err));
}

static void
attack_no_fd(struct attack *attack)
{
	const uint32_t requests[] = {SET_MEM_TABLE, SET_VRING_KICK, SET_VRING_CALL, SET_LOG_BASE};
	struct message message = {
		.request = requests[attack->rounds % 4], .flags = MESSAGE_VERSION, .size = 8};
	struct err err;

	if (message.request == SET_MEM_TABLE) {
		message.memory.n = 1;
		message.size = 40;
	}
	attack_message_count(attack, message_send(attack->vm->sock, &message, NULL, 0, 1, &err));
}

static void
attack_log_toggle(struct attack *attack)
{
	struct err err;

	attack_message_count(attack, negotiate_log(attack->vm, attack->rounds % 2 == 0, &err));
}

static void
attack_enable_toggle(struct attack *attack)
{
	struct err err;

	attack_message_count(
		attack, negotiate_state(attack->vm, SET_VRING_ENABLE,
				(unsigned)(attack->rounds / 2 % 2), attack->rounds & 1, &err));
}

static void
attack_call_storm(struct attack *attack)
{
	struct err err;
	int code = 0;

	for (unsigned i = 0; code == 0 && i < 20; i++)
		code = negotiate_fd(attack->vm, SET_VRING_CALL, i % 2,
			i % 3 == 0 ? -1 : attack->tx->callfd, &err);
	attack_message_count(attack, code);
}

static void
attack_features(struct attack *attack)
{
	const uint64_t features[] = {0, UINT64_MAX, attack->vm->features ^ UINT64_C(1) << 34,
		attack->vm->features & ~(UINT64_C(1) << 32)};
	struct err err;

	attack_message_count(attack,
		negotiate_number(attack->vm, SET_FEATURES, features[attack->rounds % 4], &err));
}

static void
attack_hang_up(struct attack *attack)
{
	vm_disconnect(attack->vm);
}

static void
attack_rarp(struct attack *attack)
{
	struct err err;

	attack_message_count(attack, negotiate_rarp(attack->vm, &err));
}

const struct attack_kind attack_message_kinds[] = {
	{"half-message", "an incomplete message, then disconnection", 0, attack_half_message},
	{"bad-size", "messages of wrong sizes", 0, attack_bad_size},
	{"bad-request", "unknown requests, wrong versions", 0, attack_bad_request},
	{"many-regions", "8 to 15 memory regions", 0, attack_many_regions},
	{"bad-region", "regions of size 0, beyond the file, wrapping around", 0, attack_bad_region},
	{"mem-table", "SET_MEM_TABLE with the same memory under load", ATTACK_LOAD,
		attack_same_memory},
	{"stop-start", "GET_VRING_BASE and start again, under load", ATTACK_LOAD,
		attack_stop_start},
	{"truncate", "guest memory that is truncated under load", 0, attack_truncate},
	{"second-connection", "a second connection to the same socket", ATTACK_LOAD,
		attack_second_connection},
	{"bad-index", "ring indexes that do not exist", 0, attack_bad_index},
	{"bad-ring-size", "SET_VRING_NUM 0, 3, 65535 on a running ring", 0, attack_bad_ring_size},
	{"bad-ring-address", "SET_VRING_ADDR with invalid addresses", 0, attack_bad_ring_address},
	{"bad-base", "SET_VRING_BASE on a running ring", 0, attack_bad_base},
	{"no-fd", "requests without the file descriptor that they need", 0, attack_no_fd},
	{"log-toggle", "dirty log on and off under load", ATTACK_LOAD, attack_log_toggle},
	{"enable-toggle", "SET_VRING_ENABLE 0 and 1 under load", ATTACK_LOAD, attack_enable_toggle},
	{"call-storm", "SET_VRING_CALL in quick succession", ATTACK_LOAD, attack_call_storm},
	{"features", "SET_FEATURES with other features on a running device", 0, attack_features},
	{"hang-up", "connect, disconnect, connect", ATTACK_LOAD, attack_hang_up},
	{"rarp", "SEND_RARP under load (legal)", ATTACK_LOAD, attack_rarp},
	{NULL, NULL, 0, NULL},
};
