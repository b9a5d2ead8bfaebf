/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures: rings with an untrusted consumer, filters, and the recorded part of a frame. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/capture.h"
#include "eal_fixture.h"
#include "packets.h"

enum { SIZE = CAPTURE_RING_MIN, LEN = 1000 };

static uint8_t *memory;
static struct capture_ring ring;
static struct capture_reader reader;

static int
setup_ring(void **state)
{
	(void)state;
	memory = calloc(1, capture_ring_bytes(SIZE));
	assert_non_null(memory);
	capture_ring_init(&ring, memory, SIZE);
	capture_reader_init(&reader, memory, SIZE);
	return 0;
}

static int
teardown_ring(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/** Write a record whose bytes all are `number`. @return false if the ring is full */
static bool
put(uint8_t number, uint32_t len)
{
	uint8_t *space = capture_ring_space(&ring, len);
	struct capture_record record = {
		.tsc = number, .len = len, .caplen = len, .direction = CAPTURE_RX};

	if (space == NULL)
		return false;
	assert_uint_in_range(space - ring.data, 0, SIZE - (long)(sizeof(record) + len));
	memset(space + sizeof(record), number, len);
	capture_ring_take(&ring, space, &record);
	capture_ring_publish(&ring);
	return true;
}

static void
get(uint8_t number, uint32_t len)
{
	struct capture_record record;

	assert_true(capture_reader_look(&reader));
	const uint8_t *bytes = capture_reader_next(&reader, &record);
	assert_non_null(bytes);
	assert_int_equal(record.tsc, number);
	assert_int_equal(record.caplen, len);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], number);
	capture_reader_done(&reader, &record);
}

static void
get_nothing(void)
{
	struct capture_record record;

	assert_true(capture_reader_look(&reader));
	assert_null(capture_reader_next(&reader, &record));
	assert_int_not_equal(record.size, 0);
}

static void
test_many_rounds(void **state)
{
	(void)state;
	get_nothing();
	/* Lengths that end at any offset: fillers of all sizes, several times around the ring. */
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t len = i * 37 % 1600;
		assert_true(put((uint8_t)i, len));
		get((uint8_t)i, len);
	}
	get_nothing();
}

static void
test_full(void **state)
{
	unsigned n = 0;

	(void)state;
	while (put((uint8_t)n, LEN))
		n++;
	assert_uint_in_range(n, SIZE / (LEN + 64), SIZE / LEN);
	for (int i = 0; i < 3; i++)
		capture_ring_lose(&ring);
	assert_int_equal(capture_reader_lost(&reader), 3);
	for (unsigned i = 0; i < n; i++)
		get((uint8_t)i, LEN);
	get_nothing();
	assert_true(put(7, LEN));
	get(7, LEN);
}

static void
test_unused_space(void **state)
{
	(void)state;
	assert_ptr_equal(capture_ring_space(&ring, LEN), capture_ring_space(&ring, 10));
	capture_ring_publish(&ring);
	get_nothing();
}

static void
test_longest(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		assert_true(put(1, CAPTURE_SNAPLEN_MAX));
		get(1, CAPTURE_SNAPLEN_MAX);
	}
}

/** With any tail from the consumer, records stay inside the ring and only free space is written. */
static void
test_bad_tails(void **state)
{
	static const uint64_t tails[] = {0, 1, 31, SIZE - 1, SIZE, SIZE + 1, UINT64_MAX,
		UINT64_MAX - SIZE, UINT64_C(1) << 63, UINT32_MAX};

	(void)state;
	for (unsigned round = 0; round < 5000; round++) {
		uint64_t tail = tails[round % COUNT(tails)];
		atomic_store(&ring.words->tail, tail);
		atomic_store(&ring.words->head, tail * 3);
		memset(ring.data + round * 64 % SIZE, 0xff, 64);
		put((uint8_t)round, round % 3000);
		assert_true(ring.head - ring.tail <= SIZE);
		assert_true(ring.tail <= ring.head);
	}
}

/** A reader checks the records as well. */
static void
test_bad_records(void **state)
{
	static const struct capture_record bad[] = {
		{.size = 0, .direction = CAPTURE_RX},
		{.size = 33, .direction = CAPTURE_RX},
		{.size = 64, .len = 40, .caplen = 33, .direction = CAPTURE_RX},
		{.size = 64, .len = 4, .caplen = 20, .direction = CAPTURE_TX},
		{.size = 2 * SIZE, .direction = CAPTURE_RX},
		{.size = 1 << 12, .direction = CAPTURE_RX},
		{.size = 64, .direction = 0},
		{.size = UINT32_MAX - 31, .len = UINT32_MAX, .caplen = UINT32_MAX, .direction = 1},
	};
	struct capture_record record;

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++) {
		capture_reader_init(&reader, memory, SIZE);
		memcpy(memory + CAPTURE_WORDS_SPACE, &bad[i], sizeof(bad[i]));
		atomic_store(&reader.words->head, 128);
		assert_true(capture_reader_look(&reader));
		assert_null(capture_reader_next(&reader, &record));
		assert_int_equal(record.size, 0);
	}
	atomic_store(&reader.words->head, 2 * SIZE);
	assert_false(capture_reader_look(&reader));
	atomic_store(&reader.words->head, 33);
	assert_false(capture_reader_look(&reader));
}

static void
refuse(const struct bpf_insn *program, unsigned n)
{
	struct err err = {0};

	assert_null(capture_filter_make(program, n, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_contains(err.text, "filter");
}

static void
test_programs(void **state)
{
	static const struct bpf_insn end = {BPF_RET | BPF_K, 0, 0, 1};
	const struct bpf_insn bad[][2] = {
		{{BPF_LD | BPF_H | BPF_IMM, 0, 0, 0}, end}, /* libpcap would abort here */
		{{BPF_LD | BPF_B | BPF_MEM, 0, 0, 0}, end},
		{{BPF_LD | BPF_MEM, 0, 0, BPF_MEMWORDS}, end},
		{{BPF_ST, 0, 0, BPF_MEMWORDS}, end},
		{{BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0}, end},
		{{BPF_ALU | BPF_LSH | BPF_K, 0, 0, 32}, end},
		{{BPF_JMP | BPF_JA, 0, 0, UINT32_MAX}, end}, /* jumps to itself */
		{{BPF_JMP | BPF_JA, 0, 0, 1}, end},
		{{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0}, end},
		{{BPF_JMP | 0x50, 0, 0, 0}, end},
		{end, {BPF_LD | BPF_IMM, 0, 0, 0}}, /* no return at the end */
		{{0xffff, 0, 0, 0}, end},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(bad); i++)
		refuse(bad[i], 2);
	refuse(&end, CAPTURE_FILTER_MAX + 1);
	refuse(&end, 0);
}

/** Scratch memory that was never written is 0, and jump targets stay the same. */
static void
test_memory(void **state)
{
	static const struct bpf_insn program[] = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 7}, {BPF_ST, 0, 0, 3},
		{BPF_LD | BPF_MEM, 0, 0, 3}, {BPF_RET | BPF_A, 0, 0, 0}};
	struct bpf_program *made = capture_filter_make(program, COUNT(program), NULL);
	const uint8_t seven = 7, eight = 8;

	(void)state;
	assert_non_null(made);
	assert_true(capture_filter_passes(made, &seven, 1, 1));
	assert_false(capture_filter_passes(made, &eight, 1, 1));
	free(made);
}

/** Programs compiled by libpcap are accepted. */
static void
test_expressions(void **state)
{
	static const char *const expressions[] = {"", "ip", "tcp port 80", "vlan 10 and ip6",
		"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "host 192.0.2.1 or net 10.0.0.0/8",
		"ip6 host 2001:db8::1 and not udp portrange 1000-2000", "ether[0] & 1 = 1",
		"len > 100 and ether broadcast", "ip[2:2] - ((ip[0] & 0xf) << 2) / 4 % 7 > 3",
		"mpls 1024 and host 1.2.3.4", "pppoes and tcp", "geneve or port 4789"};
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, CAPTURE_SNAPLEN_MAX);
	struct bpf_program program;

	(void)state;
	for (unsigned i = 0; i < COUNT(expressions); i++) {
		assert_int_equal(pcap_compile(dead, &program, expressions[i], 1, 0), 0);
		struct bpf_program *made =
			capture_filter_make(program.bf_insns, program.bf_len, NULL);
		assert_non_null(made);
		free(made);
		pcap_freecode(&program);
	}
	pcap_close(dead);
}

static struct capture *
begin(uint32_t snaplen, uint8_t directions, const struct bpf_insn *program, unsigned insns)
{
	const struct capture_config config = {
		.snaplen = snaplen,
		.directions = directions,
		.lcores = 2,
		.program = program,
		.insns = insns,
	};
	struct capture *capture = capture_create(&config, NULL);

	assert_non_null(capture);
	memory = mmap(NULL, 2 * capture_ring_bytes(capture_ring_size(capture)),
		PROT_READ | PROT_WRITE, MAP_SHARED, capture_fd(capture), 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	capture_reader_init(&reader, memory + capture_ring_bytes(capture_ring_size(capture)),
		capture_ring_size(capture));
	return capture;
}

static void
end(struct capture *capture)
{
	munmap(memory, 2 * capture_ring_bytes(capture_ring_size(capture)));
	capture_destroy(capture);
}

static const struct capture_record received = {
	.tsc = 42, .direction = CAPTURE_RX, .reason = CAPTURE_KEPT};

static void
check_bytes(const uint8_t *bytes, uint32_t len, uint32_t caplen)
{
	struct capture_record record;

	assert_true(capture_reader_look(&reader));
	const uint8_t *got = capture_reader_next(&reader, &record);
	assert_non_null(got);
	assert_int_equal(record.len, len);
	assert_int_equal(record.caplen, caplen);
	assert_int_equal(record.tsc, 42);
	assert_memory_equal(got, bytes, caplen);
	capture_reader_done(&reader, &record);
}

static void
test_frames(void **state)
{
	static const uint32_t snaplens[] = {1, 14, 100, 117, 500, LEN, CAPTURE_SNAPLEN_MAX};
	const struct packet packet = {.payload = LEN - 54, .payload_first = 3};
	uint8_t bytes[LEN], head[116];
	struct frame chain = {0}, guest = {.head = head, .head_len = sizeof(head), .len = LEN};

	(void)state;
	packet_write(&packet, bytes);
	memcpy(head, bytes, sizeof(head));
	frame_from_mbuf(&chain, packet_chain(eal_fixture_pool(), bytes, LEN, 200, 70));
	/* The guest has changed the classified head: the copy is recorded. */
	uint8_t scribbled[LEN];
	memcpy(scribbled, bytes, LEN);
	memset(scribbled, 0xee, sizeof(head));
	const struct frame_segment pieces[] = {
		{scribbled, 30}, {scribbled + 30, 300}, {scribbled + 330, LEN - 330}};
	guest.segment = pieces;
	guest.segments = COUNT(pieces);
	for (unsigned i = 0; i < COUNT(snaplens); i++) {
		struct capture *capture = begin(snaplens[i], CAPTURE_BOTH, NULL, 0);
		uint32_t caplen = RTE_MIN(snaplens[i], (uint32_t)LEN);
		assert_non_null(capture_frame(capture, 1, &chain, received));
		assert_non_null(capture_frame(capture, 1, &guest, received));
		get_nothing();
		capture_publish(capture, 1);
		check_bytes(bytes, LEN, caplen);
		check_bytes(bytes, LEN, caplen);
		get_nothing();
		end(capture);
	}
	rte_pktmbuf_free(chain.mbuf);
}

static void
test_direction_and_filter(void **state)
{
	const struct bpf_insn program[] = {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 20},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 7}, {BPF_RET | BPF_K, 0, 0, 1},
		{BPF_RET | BPF_K, 0, 0, 0}};
	uint8_t bytes[60] = {[20] = 7};
	struct frame frame = {.head = bytes, .head_len = 60, .len = 60};
	struct capture *capture = begin(100, CAPTURE_RX, program, COUNT(program));
	struct capture_record sent = received;

	(void)state;
	sent.direction = CAPTURE_TX;
	assert_null(capture_frame(capture, 1, &frame, sent));
	assert_null(capture_frame(capture, 2, &frame, received)); /* no such lcore */
	assert_non_null(capture_frame(capture, 1, &frame, received));
	bytes[20] = 8;
	assert_null(capture_frame(capture, 1, &frame, received));
	bytes[20] = 7;
	capture_publish(capture, 1);
	check_bytes(bytes, 60, 60);
	get_nothing();
	/* Full: only frames that pass the filter count as lost. */
	while (capture_frame(capture, 1, &frame, received) != NULL)
		;
	bytes[20] = 8;
	assert_null(capture_frame(capture, 1, &frame, received));
	assert_int_equal(capture_reader_lost(&reader), 1);
	end(capture);
}

static void
test_fate_is_set_later(void **state)
{
	uint8_t bytes[60] = {0};
	struct frame frame = {.head = bytes, .head_len = 60, .len = 60};
	struct capture *capture = begin(100, CAPTURE_BOTH, NULL, 0);
	struct capture_record record;

	(void)state;
	capture_defer(capture, 1, true);
	struct capture_record *written = capture_frame(capture, 1, &frame, received);
	assert_non_null(written);
	capture_publish(capture, 1);
	get_nothing();
	written->reason = 5;
	capture_defer(capture, 1, false);
	assert_true(capture_reader_look(&reader));
	assert_non_null(capture_reader_next(&reader, &record));
	assert_int_equal(record.reason, 5);
	end(capture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many_rounds, setup_ring, teardown_ring),
		cmocka_unit_test_setup_teardown(test_full, setup_ring, teardown_ring),
		cmocka_unit_test_setup_teardown(test_unused_space, setup_ring, teardown_ring),
		cmocka_unit_test_setup_teardown(test_longest, setup_ring, teardown_ring),
		cmocka_unit_test_setup_teardown(test_bad_tails, setup_ring, teardown_ring),
		cmocka_unit_test_setup_teardown(test_bad_records, setup_ring, teardown_ring),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_expressions),
		eal_unit_test(test_frames),
		cmocka_unit_test(test_direction_and_filter),
		cmocka_unit_test(test_fate_is_set_later),
	};

	return cmocka_run_group_tests(tests, eal_group_setup, eal_group_teardown);
}
