/* SPDX-License-Identifier: BSD-3-Clause */
/* Records changes of the table for the control thread. */
#include "fdb/fdb_changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spsc.h"
#include "fdb/fdb_internal.h"

/** Produced by the writer, consumed by the control thread. */
struct fdb_changes {
	struct spsc spsc;
	uint64_t seen; /**< control thread: losses that fdb_changes_lost() has returned */
	struct fdb_change change[FDB_CHANGES_MAX];
};

void
fdb_changes_push(struct fdb_changes *changes, const struct fdb_change *change)
{
	uint32_t head = spsc_head(&changes->spsc);

	if (head - spsc_tail(&changes->spsc) == FDB_CHANGES_MAX) {
		spsc_lose(&changes->spsc);
		return;
	}
	changes->change[head % FDB_CHANGES_MAX] = *change;
	spsc_push(&changes->spsc);
}

/** Allocate the record of changes, unless it exists. @return 0 or -ENOMEM */
static int
fdb_changes_alloc(struct fdb *fdb)
{
	if (fdb->changes)
		return 0;
	fdb->changes = aligned_alloc(_Alignof(struct fdb_changes), sizeof(*fdb->changes));
	if (!fdb->changes)
		return -ENOMEM;
	memset(fdb->changes, 0, sizeof(*fdb->changes));
	return 0;
}

int
fdb_changes_record(struct fdb *fdb, bool on)
{
	struct fdb_change discarded;
	int rc = fdb_changes_alloc(fdb);

	if (rc < 0)
		return rc;
	fdb_lock(fdb);
	fdb->recorder = NULL;
	fdb_unlock(fdb);
	while (fdb_changes_take(fdb, &discarded))
		;
	fdb_changes_lost(fdb);
	fdb_lock(fdb);
	fdb->recorder = on ? fdb->changes : NULL;
	fdb_unlock(fdb);
	return 0;
}

bool
fdb_changes_take(struct fdb *fdb, struct fdb_change *change)
{
	struct fdb_changes *changes = fdb->changes;
	uint32_t tail;

	if (!changes || !spsc_front(&changes->spsc, &tail))
		return false;
	*change = changes->change[tail % FDB_CHANGES_MAX];
	spsc_pop(&changes->spsc);
	return true;
}

uint64_t
fdb_changes_lost(struct fdb *fdb)
{
	struct fdb_changes *changes = fdb->changes;
	uint64_t lost, before;

	if (!changes)
		return 0;
	lost = spsc_lost(&changes->spsc);
	before = changes->seen;
	changes->seen = lost;
	return lost - before;
}
