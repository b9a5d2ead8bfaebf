/* SPDX-License-Identifier: BSD-3-Clause */
/* Creates and destroys an FDB; its settings and statistics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/random.h>

#include "fdb/fdb_internal.h"

enum { HUGE_PAGE = 2 << 20 };

/** Buckets for a power of two of slots, at least twice the capacity. */
static uint32_t
fdb_bucket_count(uint32_t capacity)
{
	uint32_t slots = 2 * FDB_CAPACITY_MIN;

	while (slots < 2 * capacity)
		slots *= 2;
	return slots / FDB_WAYS;
}

/** Large tables use huge pages if available; otherwise every lookup would miss the TLB too. */
static struct fdb_bucket *
fdb_alloc_buckets(uint32_t n)
{
	size_t size = n * sizeof(struct fdb_bucket);
	bool huge = size >= HUGE_PAGE;
	struct fdb_bucket *buckets = aligned_alloc(huge ? HUGE_PAGE : FDB_LINE, size);

	if (!buckets)
		return NULL;
	if (huge)
		(void)madvise(buckets, size, MADV_HUGEPAGE);
	memset(buckets, 0, size);
	return buckets;
}

/** Factors are odd, so that the multiplication loses no bit of the key. */
static int
fdb_draw_secrets(struct fdb *fdb)
{
	if (getrandom(fdb->secret, sizeof(fdb->secret), 0) != sizeof(fdb->secret))
		return -1;
	fdb->secret[1] |= 1;
	fdb->secret[2] |= 1;
	return 0;
}

static bool
fdb_config_is_valid(uint32_t capacity, uint32_t ageing, uint32_t moves)
{
	return moves <= FDB_MOVES_MAX && capacity >= FDB_CAPACITY_MIN &&
	       capacity <= FDB_CAPACITY_MAX && ageing >= FDB_AGEING_MIN && ageing <= FDB_AGEING_MAX;
}

struct fdb *
fdb_create(const struct fdb_config *config)
{
	uint32_t capacity = config->capacity ? config->capacity : FDB_CAPACITY_DEFAULT;
	uint32_t ageing = config->ageing ? config->ageing : FDB_AGEING_DEFAULT;
	uint32_t moves = config->moves ? config->moves : FDB_MOVES_DEFAULT;
	struct fdb *fdb;

	if (!fdb_config_is_valid(capacity, ageing, moves)) {
		errno = EINVAL;
		return NULL;
	}
	fdb = aligned_alloc(FDB_LINE, sizeof(*fdb));
	if (!fdb)
		return NULL;
	memset(fdb, 0, sizeof(*fdb));
	fdb->capacity = capacity;
	fdb->mask = fdb_bucket_count(capacity) - 1;
	fdb->buckets = fdb_alloc_buckets(fdb->mask + 1);
	if (!fdb->buckets || fdb_draw_secrets(fdb) < 0) {
		fdb_destroy(fdb);
		errno = ENOMEM;
		return NULL;
	}
	fdb->moves = moves;
	fdb->ageing = ageing;
	fdb->tick = fdb_tick(ageing);
	return fdb;
}

void
fdb_destroy(struct fdb *fdb)
{
	if (!fdb)
		return;
	free(fdb->changes);
	free(fdb->buckets);
	free(fdb);
}

void
fdb_set_limit(struct fdb *fdb, uint16_t port, uint32_t limit)
{
	if (port < FDB_PORT_MAX)
		FDB_WRITE(fdb->port_limit[port], limit);
}

void
fdb_set_sticky(struct fdb *fdb, uint16_t port, bool sticky)
{
	if (port < FDB_PORT_MAX)
		FDB_WRITE(fdb->port_sticky[port], sticky);
}

int
fdb_set_moves(struct fdb *fdb, uint32_t moves)
{
	if (moves < 1 || moves > FDB_MOVES_MAX)
		return -EINVAL;
	FDB_WRITE(fdb->moves, moves);
	return 0;
}

uint32_t
fdb_moves(const struct fdb *fdb)
{
	return fdb->moves;
}

void
fdb_statistics_add(struct fdb_statistics *sum, const struct fdb_statistics *part)
{
	sum->refused += FDB_READ(part->refused);
	sum->stuck += FDB_READ(part->stuck);
	sum->damped += FDB_READ(part->damped);
}

/** Count live entries by a walk: dynamic ones of a port, or all for FDB_MISS. */
static uint32_t
fdb_count_live(const struct fdb *fdb, uint16_t port)
{
	uint32_t n = 0;

	for (uint32_t slot = 0; slot < (fdb->mask + 1) * FDB_WAYS; slot++) {
		uint64_t key;
		uint64_t value = fdb_slot_snapshot(fdb, slot, &key);
		bool of_port = fdb_value_port(value) == port && !(value & FDB_STATIC);

		n += (port == FDB_MISS || of_port) && fdb_is_live(fdb, key, value);
	}
	return n;
}

void
fdb_get_stats(const struct fdb *fdb, struct fdb_stats *stats)
{
	struct fdb_statistics statistics = fdb->forgotten;

	for (uint16_t port = 0; port < FDB_PORT_MAX; port++)
		fdb_statistics_add(&statistics, &fdb->port_statistics[port]);
	*stats = (struct fdb_stats){
		.capacity = fdb->capacity,
		.learned = FDB_READ(fdb->learned),
		.moved = FDB_READ(fdb->moved),
		.aged = FDB_READ(fdb->aged),
		.refused = statistics.refused,
		.stuck = statistics.stuck,
		.damped = statistics.damped,
		.replaced = FDB_READ(fdb->replaced),
	};
	/* The counts include entries of a flushed VLAN until the next sweep. */
	if (fdb->unswept)
		stats->entries = fdb_count_live(fdb, FDB_MISS);
	else
		stats->entries = FDB_READ(fdb->dynamics) + FDB_READ(fdb->statics);
}

uint32_t
fdb_port_entries(const struct fdb *fdb, uint16_t port)
{
	if (port >= FDB_PORT_MAX)
		return 0;
	return fdb->unswept ? fdb_count_live(fdb, port) : FDB_READ(fdb->port_count[port]);
}

void
fdb_get_port_stats(const struct fdb *fdb, uint16_t port, struct fdb_port_stats *stats)
{
	struct fdb_statistics statistics = {0};

	fdb_statistics_add(&statistics, &fdb->port_statistics[port]);
	*stats = (struct fdb_port_stats){
		.entries = fdb_port_entries(fdb, port),
		.refused = statistics.refused,
		.stuck = statistics.stuck,
		.damped = statistics.damped,
	};
}
