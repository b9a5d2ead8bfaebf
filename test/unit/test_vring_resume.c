/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The positions at which rings continue after the end of their back end: every kind of state,
 * ambiguous ones too.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "ring_help.h"

enum { W = 1 << 15, SIZE = 4, BAD = 0x7fff, ROUNDS = 400, OWNER = 0x8080, BUFFER = 0x1000 };

/** The contents of the journal, if there is one. */
enum journal_kind { NONE, KNOWN, ELSEWHERE, RESIZED, SPLIT, COARSE };

/**
 * A packed ring of four descriptors. Each is, by its flags AVAIL and USED: '.' neither, 'a' AVAIL
 * alone, 'u' both, 'b' USED alone; '_' is '.' without an address, as drivers clear rings; 'n' is 'a'
 * with NEXT.
 */
struct packed_case {
	const char *what;
	const char *ring;
	uint16_t given; /**< by the front end */
	enum journal_kind journal;
	uint16_t done, taken;
	bool pushed;
	uint16_t listed[2]; /**< descriptors of chains; 0 = none */
	uint16_t idx_wrap;  /**< expected, or BAD */
	const char *after;  /**< the ring then; NULL = as before */
};

static const struct packed_case cases[] = {
	/* No journal: only the ring itself. */
	{"fresh, nothing available", "____", W, NONE, .idx_wrap = W},
	{"fresh, some available", "aa__", W, NONE, .idx_wrap = W},
	{"fresh, all available", "aaaa", W, NONE, .idx_wrap = W},
	{"used before, addresses left", "aa..", W, NONE, .idx_wrap = W},
	{"first round, in use", "uaa_", W, NONE, .idx_wrap = BAD},
	{"first round, all used", "uuuu", W, NONE, .idx_wrap = BAD},
	{"second round, all available", "bbbb", W, NONE, .idx_wrap = BAD},
	{"available of two rounds", "aabb", W, NONE, .idx_wrap = BAD},
	{"second round, all used", "....", W, NONE, .idx_wrap = W},
	{"available, but not from the start", "_a__", W, NONE, .idx_wrap = BAD},
	{"given correctly, first round", "uaa_", W | 1, NONE, .idx_wrap = W | 1},
	{"given correctly, all used", "uuuu", 0, NONE, .idx_wrap = 0},
	{"given correctly, second round", ".bbu", 1, NONE, .idx_wrap = 1},
	{"given correctly, nothing new", ".uuu", 1, NONE, .idx_wrap = 1},
	{"given correctly, inside of old chains", "uab_", W | 1, NONE, .idx_wrap = W | 1},
	{"given, but used since", "uua_", W | 1, NONE, .idx_wrap = BAD},
	{"given, another round follows", "uaba", W | 1, NONE, .idx_wrap = BAD},
	{"given beyond a hole", ".u.b", 1, NONE, .idx_wrap = BAD},

	/* A journal of this ring, started at position 0. */
	{"at rest", "uuaa", W, KNOWN, W | 2, W | 2, .idx_wrap = W | 2},
	{"at rest, nothing new", "uu__", W, KNOWN, W | 2, W | 2, .idx_wrap = W | 2},
	{"all used", "uuuu", W, KNOWN, 0, 0, .idx_wrap = 0},
	{"all used in the second round", "....", W, KNOWN, W, W, .idx_wrap = W},
	{"all available", "bbbb", W, KNOWN, 0, 0, .idx_wrap = 0},
	{"all available, across the end", "aabb", W, KNOWN, 2, 2, .idx_wrap = 2},
	{"skipped descriptors look available", "uaua", W, KNOWN, 0, 0, .idx_wrap = 0},
	{"skipped, then available", "uaa_", W, KNOWN, W | 2, W | 2, .idx_wrap = W | 2},
	{"chain across the end, the rest used", "a...", W, KNOWN, W | 1, W | 1, .idx_wrap = W | 1},
	{"the same in a ring that was cleared", "a___", W, KNOWN, W | 1, W | 1, .idx_wrap = W},
	{"longer chain across the end", "na..", W, KNOWN, W | 2, W | 2, .idx_wrap = W | 2},
	{"cleared but for addresses, some available", "aa..", W, KNOWN, W | 2, W | 2,
		.idx_wrap = W},
	{"the same, a chain and more", "na..", W, KNOWN, W | 1, W | 1, .idx_wrap = W},
	{"the same, all but one", "aaa.", W, KNOWN, W | 2, W | 2, .idx_wrap = W},
	{"given as by the last back end", "uuaa", W | 2, KNOWN, W | 2, W | 2, .idx_wrap = W | 2},
	{"cleared but for addresses", "....", W, KNOWN, W | 1, W | 1, .idx_wrap = W},
	{"driver reloaded, nothing available", "____", W, KNOWN, 3, 3, .idx_wrap = W},
	{"driver reloaded, some available", "aa__", W, KNOWN, W | 2, W | 2, .idx_wrap = W},
	{"driver reloaded, all available", "aaaa", W, KNOWN, 2, 2, .idx_wrap = W},
	{"used by another back end since", "uuua", W, KNOWN, W | 2, W | 2, .idx_wrap = BAD},
	{"given by another back end", "..uu", 2, KNOWN, W | 1, W | 1, true, .idx_wrap = 2},
	{"given wrongly by another back end", "..uu", 3, KNOWN, W | 1, W | 1, true,
		.idx_wrap = BAD},
	{"another back end, or QEMU's drops", "..uu", 2, KNOWN, W | 1, W | 1, .idx_wrap = BAD},
	{"another guest's", "uuaa", W, ELSEWHERE, W | 2, W | 2, .idx_wrap = BAD},
	{"another ring's at this place", "uuaa", W, RESIZED, W | 2, W | 2, .idx_wrap = BAD},
	{"of a split ring", "uuaa", W, SPLIT, W | 2, W | 2, .idx_wrap = BAD},
	{"a broken journal", "uuaa", W, KNOWN, W | 9, W | 2, .idx_wrap = BAD},
	{"another broken journal", "uuaa", W, KNOWN, W | 2, 5, .idx_wrap = BAD},

	/* During a burst that was popped. */
	{"popped", "aaaa", W, KNOWN, W, W | 2, .idx_wrap = W | 2, .after = "uuaa"},
	{"popped, alone", "aaaa", W, KNOWN, W, W | 1, .idx_wrap = W | 1, .after = "uaaa"},
	{"popped, all of the ring", "aaaa", W, KNOWN, W, 0, .idx_wrap = 0, .after = "uuuu"},
	{"popped, across the end", "aabb", W, KNOWN, 2, W | 1, .idx_wrap = W | 1, .after = "ua.."},
	{"popped, some used", "auaa", W, KNOWN, W, W | 3, .idx_wrap = W | 3, .after = "uuua"},
	{"popped, and given back", "uuaa", W, KNOWN, W, W | 2, .idx_wrap = W | 2},
	{"popped, given back, available again", "bbaa", W, KNOWN, W, W | 2, .idx_wrap = W | 2},
	{"popped first, then the driver reloaded", "____", W, KNOWN, W, W | 2, .idx_wrap = W},
	{"popped, chains", "aaaa", W, KNOWN, W, W | 3, .listed = {2, 1}, .idx_wrap = W | 3,
		.after = "uaua"},
	{"popped, chains, the second used", "aaua", W, KNOWN, W, W | 3, .listed = {2, 1},
		.idx_wrap = W | 3, .after = "uaua"},
	{"listed, but not taken yet", "aaaa", W, KNOWN, W, W, .listed = {2, 1}, .idx_wrap = W | 3,
		.after = "uaua"},
	{"a list longer than the ring", "aaaa", W, KNOWN, W, W, .listed = {4, 1}, .idx_wrap = W},

	/* QEMU drops frames to be sent meanwhile, from the position that it gave last. */
	{"dropped", "uubb", W | 2, KNOWN, 2, 2, .idx_wrap = W | 2, .after = "uu.."},
	{"dropped, one", "u.bb", W | 1, KNOWN, 2, 2, .idx_wrap = W | 1, .after = "u..."},
	{"dropped, all that was sent", "uu__", W | 2, KNOWN, W, W, .idx_wrap = W | 2},
	{"dropped, what was taken too", "uuu_", W | 3, KNOWN, W, W | 2, .idx_wrap = W | 3},
	{"dropped, some of what was taken", "uu.b", W | 2, KNOWN, 3, W | 1, .idx_wrap = W | 2,
		.after = "uu.."},
	{"dropped, and sent since", "uabb", W | 1, KNOWN, 2, 2, .idx_wrap = W | 1, .after = "ua.."},
	{"dropped, but not there", "aabb", W | 2, KNOWN, 2, 2, .idx_wrap = BAD},
	{"dropped behind a hole", "u..b", W | 1, KNOWN, 2, 2, .idx_wrap = BAD},
	{"dropped, library", "uubb", W | 2, COARSE, 2, 2, .idx_wrap = W | 2, .after = "uu.."},

	/* During a burst that was pushed. */
	{"pushed, nothing used yet", "aaaa", W, KNOWN, W, W, true, .idx_wrap = W},
	{"pushed, taken but not used", "aaaa", W, KNOWN, W, W | 1, true, .idx_wrap = W},
	{"pushed, all but the first used", "auua", W, KNOWN, W, W, true, .idx_wrap = W | 3,
		.after = "uuua"},
	{"pushed, across the end", "uabb", W, KNOWN, 3, 3, true, .idx_wrap = W | 1,
		.after = "uab."},
	{"pushed, all of the ring", "auuu", W, KNOWN, W, W, true, .idx_wrap = 0, .after = "uuuu"},
	{"pushed, complete", "uuua", W, KNOWN, W, W | 3, true, .idx_wrap = W | 3},
	{"pushed, chains", "aaua", W, KNOWN, W, W, true, .listed = {2, 1}, .idx_wrap = W | 3,
		.after = "uaua"},

	/* The journal has no record of bursts of librte_vhost. */
	{"library, at rest", "uuaa", W, COARSE, W | 2, W | 2, true, .idx_wrap = W | 2},
	{"library, used since", "uuaa", W, COARSE, W | 1, W | 1, true, .idx_wrap = BAD},
	{"library, half way", "auua", W, COARSE, W, W, true, .idx_wrap = BAD},
};

static struct ring_guest guest;
static struct ring_driver driver;
static struct virtq_journal journal;
static struct virtq_batch *batch;
static uint32_t seed;

static int
setup(void **state)
{
	(void)state;
	seed = 1;
	memset(&journal, 0, sizeof(journal));
	batch = aligned_alloc(64, sizeof(*batch));
	ring_guest_start(&guest);
	ring_start(&driver, &guest, 0,
		&(struct ring_options){.packed = true, .size = SIZE, .journal = &journal});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ring_stop(&driver);
	ring_guest_stop(&guest);
	free(batch);
	return 0;
}

static uint16_t
owner_of(char letter)
{
	return letter == 'a' || letter == 'n' ? 1 << VRING_PACKED_DESC_F_AVAIL
	       : letter == 'b'                ? 1 << VRING_PACKED_DESC_F_USED
	       : letter == 'u'                ? OWNER
					      : 0;
}

static void
case_ring(const struct packed_case *one)
{
	for (unsigned i = 0; i < SIZE; i++)
		driver.packed_desc[i] = (struct virtq_packed_desc){
			.addr = one->ring[i] == '_' ? 0 : BUFFER * (i + 1),
			.id = (uint16_t)(i + 10),
			.flags = (uint16_t)(owner_of(one->ring[i]) |
					    (one->ring[i] == 'n' ? VRING_DESC_F_NEXT : 0))};
}

static void
case_journal(const struct packed_case *one)
{
	journal = (struct virtq_journal){.used = one->done,
		.burst_end = one->taken,
		.location = driver.setup.location,
		.size = SIZE,
		.base = W,
		.packed = one->journal != SPLIT,
		.coarse = one->journal == COARSE,
		.word = (uint64_t)((one->done & W ? OWNER : 0) | VRING_DESC_F_WRITE) << 48 |
			UINT64_C(10) << 32 | 100,
		.listed_from = one->done};
	while (journal.listed < COUNT(one->listed) && one->listed[journal.listed] > 0) {
		journal.chain[journal.listed] =
			(struct virtq_journal_chain){(uint16_t)(50 + journal.listed),
				one->listed[journal.listed], one->pushed ? 77 : 0};
		journal.listed++;
	}
	if (one->journal == NONE)
		virtq_journal_end(&journal);
	if (one->journal == ELSEWHERE)
		journal.location.file++;
	if (one->journal == RESIZED)
		journal.size = SIZE - 1;
}

static void
case_expect_ring(const struct packed_case *one)
{
	for (unsigned i = 0; i < SIZE; i++) {
		char letter = one->after != NULL ? one->after[i] : one->ring[i];
		struct virtq_packed_desc desc = driver.packed_desc[i];
		if ((desc.flags & OWNER) != owner_of(letter))
			fail_msg("%s: descriptor %u has flags %x", one->what, i, desc.flags);
		if (letter == one->ring[i])
			continue;
		assert_int_equal(desc.addr, BUFFER * (i + 1));
		assert_int_equal(
			desc.flags & VRING_DESC_F_WRITE, one->pushed ? VRING_DESC_F_WRITE : 0);
		if (one->listed[0] > 0)
			assert_int_equal(desc.id, i == 0 ? 50 : 51);
		else if (one->pushed)
			assert_int_equal(desc.id, 10);
		else
			assert_int_equal(desc.id, i + 10);
		assert_int_equal(desc.len > 0, one->pushed);
	}
}

static void
case_run(const struct packed_case *one)
{
	struct virtq_setup with = driver.setup;
	bool coarse = one->journal == COARSE;

	case_ring(one);
	case_journal(one);
	with.last_avail = with.last_used = one->given;
	enum virtq_fault fault = virtq_resume(&with, !one->pushed, coarse);
	if (fault != (one->idx_wrap == BAD ? VIRTQ_BAD_BASE : VIRTQ_GOOD))
		fail_msg("%s: %s, at %x", one->what, virtq_fault_text(fault), with.last_avail);
	case_expect_ring(one);
	if (one->idx_wrap == BAD)
		return;
	if (with.last_avail != one->idx_wrap || with.last_used != one->idx_wrap)
		fail_msg("%s: goes on at %x", one->what, with.last_avail);
	/* The journal is valid afterwards, whatever it was before. */
	assert_true(virtq_journal_matches(&with));
	assert_int_equal(journal.used, one->idx_wrap);
	assert_int_equal(journal.burst_end, one->idx_wrap);
	assert_int_equal(journal.base, one->given);
	assert_int_equal(journal.listed, 0);
	assert_int_equal(journal.coarse, coarse);
	/* Another process that resumes gets the same position, except for a burst in progress. */
	with.last_avail = with.last_used = one->given;
	assert_int_equal(virtq_resume(&with, !one->pushed, coarse), VIRTQ_GOOD);
	assert_int_equal(with.last_avail, one->idx_wrap);
}

static void
test_states(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++)
		case_run(&cases[i]);
}

/** A frame in 1 to 3 descriptors, or a buffer to receive one. */
static void
add_random(bool popped, uint32_t number)
{
	uint32_t n = 1 + unit_random(&seed, 3),
		 space = driver.size - (driver.descs_avail - driver.descs_used);
	struct ring_part parts[3];

	n = n < space ? n : space;
	for (uint32_t i = 0; i < n; i++)
		parts[i] = (struct ring_part){RING_LOW + number % 512 * 4096 + i * 1024, 600,
			popped ? 0 : VRING_DESC_F_WRITE};
	if (n > 0)
		ring_add(&driver, parts, n);
}

static void
work_random(bool popped)
{
	struct frame frame[FRAME_BURST], *list[FRAME_BURST];
	static const uint8_t bytes[64];
	static const struct frame_segment segment = {bytes, sizeof(bytes)};
	struct virtq_result result;
	uint64_t bad = 0;
	uint16_t n = (uint16_t)(1 + unit_random(&seed, 5));

	for (uint16_t i = 0; i < n; i++) {
		frame[i] = (struct frame){.segment = &segment,
			.segments = 1,
			.head = bytes,
			.len = sizeof(bytes),
			.head_len = sizeof(bytes)};
		list[i] = &frame[i];
	}
	if (popped) {
		virtq_pop(&driver.ring, batch, frame, n, &bad);
		virtq_pop_done(&driver.ring, batch);
	} else {
		virtq_push(&driver.ring, list, n, &result);
	}
}

/**
 * Resume a ring at rest: by its journal, by a front end that gives the position, and by neither.
 */
static void
expect_found(bool popped, uint16_t first)
{
	struct virtq_setup with = driver.setup;
	struct virtq_journal kept = journal, none = {0};
	uint16_t idx_wrap = ring_idx_wrap(&driver, driver.descs_used);

	with.last_avail = with.last_used = first;
	assert_int_equal(virtq_resume(&with, popped, false), VIRTQ_GOOD);
	assert_int_equal(with.last_avail, idx_wrap);
	journal = kept;
	with.journal = &none;
	with.last_avail = with.last_used = idx_wrap;
	/* A ring in use at the initial position looks like a new one. */
	if (idx_wrap == W && driver.descs_used > 0)
		return;
	assert_int_equal(virtq_resume(&with, popped, false), VIRTQ_GOOD);
	assert_int_equal(with.last_avail, idx_wrap);
}

/* Chains of any length in rings of any size over many rounds; the switch ends after each burst. */
static void
test_rounds(void **state)
{
	static const uint16_t sizes[] = {1, 2, 3, 5, 17, 32, 100};

	(void)state;
	for (unsigned i = 0; i < 2 * COUNT(sizes); i++) {
		bool popped = i % 2 == 0;
		uint16_t first = (uint16_t)unit_random(&seed, 2 * sizes[i / 2]);
		ring_restart(&driver, NULL, true,
			&(struct ring_options){
				.size = sizes[i / 2], .first = first, .journal = &journal});
		for (uint32_t round = 0; round < ROUNDS; round++) {
			for (uint32_t chains = unit_random(&seed, 6); chains > 0; chains--)
				add_random(popped, round + chains);
			work_random(popped);
			if (unit_random(&seed, 2) == 0)
				ring_reclaim(&driver);
			struct ring_driver kept = driver;
			ring_reclaim(&driver);
			expect_found(popped, ring_idx_wrap(&driver, first));
			driver = kept;
		}
	}
}

/* A split ring: the used index is known; frames popped behind it are not sent again. */
static void
test_split(void **state)
{
	static const struct {
		uint16_t used, done, taken, avail, expected;
		bool pushed, elsewhere;
	} splits[] = {
		{7, 7, 7, 9, 7, false, false},
		{7, 7, 9, 9, 9, false, false},
		{7, 5, 9, 12, 9, false, false}, /* some returned since */
		{9, 7, 9, 12, 9, false, false}, /* all of them */
		{7, 7, 9, 8, 7, false, false},  /* more than there are */
		{3, 7, 9, 12, 3, false, false}, /* the ring was set up anew */
		{0, 7, 9, 2, 0, false, false},
		{7, 7, 9, 9, 7, true, false},
		{7, 7, 9, 9, 7, false, true},
		{65535, 65535, 2, 3, 2, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(splits); i++) {
		ring_restart(&driver, NULL, false,
			&(struct ring_options){
				.size = 16, .first = splits[i].used, .journal = &journal});
		for (unsigned entry = 0; entry < 16; entry++)
			driver.avail->ring[entry] = (uint16_t)(entry + 20);
		driver.avail->idx = splits[i].avail;
		journal.used = splits[i].done;
		journal.burst_end = splits[i].taken;
		journal.location.file += splits[i].elsewhere;
		struct virtq_setup with = driver.setup;
		assert_int_equal(virtq_resume(&with, !splits[i].pushed, false), VIRTQ_GOOD);
		assert_int_equal(with.last_avail, splits[i].expected);
		assert_int_equal(with.last_used, splits[i].expected);
		assert_int_equal(driver.used->idx, splits[i].expected);
		for (uint16_t at = splits[i].used; at != splits[i].expected; at++)
			assert_int_equal(driver.used->ring[at % 16].id, at % 16 + 20);
		assert_true(virtq_journal_matches(&with));
		assert_int_equal(journal.burst_end, splits[i].expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
