/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mode migrate: the back end's part of a live migration. While frames circulate, VM 0 turns on the
 * dirty log, copies its memory, and later stops its rings by GET_VRING_BASE. Every page of receive
 * buffers and used rings that has changed must be in the log. Then VM 0 restarts its rings at the
 * same bases, and no frame may be duplicated or reordered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "mode.h"
#include "negotiate.h"
#include "report.h"

/** Check of pages that only the back end writes. */
struct migrate {
	uint8_t *before;   /**< copy of VM 0's memory from the start of logging */
	uint64_t changed;  /**< pages changed since */
	uint64_t unlogged; /**< changed pages that are not in the log */
	uint64_t logged;   /**< pages in the log */
};

/** Check the bit of a page of the VM's memory in the dirty log. */
static bool
mode_migrate_is_logged(const struct vm *vm, uint64_t page)
{
	page += MEMORY_BASE / MEMORY_PAGE;
	return vm->log.map[page / 8] >> page % 8 & 1;
}

/** Compare the pages that lie completely within a range. */
static void
mode_migrate_compare(struct migrate *migrate, const struct vm *vm, const void *from, uint64_t bytes)
{
	uint64_t begin = (uint64_t)((const uint8_t *)from - vm->memory.base);
	uint64_t first = (begin + MEMORY_PAGE - 1) / MEMORY_PAGE;
	uint64_t end = (begin + bytes) / MEMORY_PAGE;

	for (uint64_t page = first; page < end; page++) {
		uint64_t at = page * MEMORY_PAGE;

		if (memcmp(migrate->before + at, vm->memory.base + at, MEMORY_PAGE) == 0)
			continue;
		migrate->changed++;
		migrate->unlogged += !mode_migrate_is_logged(vm, page);
	}
}

/** Check all pages that only the back end writes, and count the pages in the dirty log. */
static void
mode_migrate_check(struct migrate *migrate, struct vm *vm)
{
	for (unsigned pair = 0; pair < vm->pairs; pair++) {
		const struct queue *rx = vm_rx(vm, pair);
		uint64_t used = sizeof(struct split_used) +
				rx->config.size * sizeof(struct split_used_elem);

		mode_migrate_compare(migrate, vm, rx->data, (uint64_t)rx->slots * rx->stride);
		/* Each used ring begins on its own page. A packed ring is written by both sides. */
		if (!rx->config.packed) {
			mode_migrate_compare(migrate, vm, rx->used_ring, used);
			mode_migrate_compare(migrate, vm, vm_tx(vm, pair)->used_ring, used);
		}
	}
	for (uint64_t page = 0; page < vm->memory.size / MEMORY_PAGE; page++)
		migrate->logged += mode_migrate_is_logged(vm, page);
}

/** Consume all completions after the rings have stopped. */
static void
mode_migrate_drain(struct fleet *fleet, const struct vm *vm)
{
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *station = &fleet->stations[i];

		if (station->vm != vm)
			continue;
		while (station_receive(station, station->rx->slots) > 0)
			station->credit = 0;
		station_space(station, UINT16_MAX);
	}
}

/** Circulate frames without, then with the log, stop the rings and check the log. */
static int
mode_migrate_away(struct migrate *migrate, struct fleet *fleet, struct loop *loop, struct err *err)
{
	struct vm *vm = fleet->vms[0];
	int code = fleet_run(fleet, loop_step, loop, fleet->settings->seconds / 4, err);

	if (code == 0)
		code = negotiate_log(vm, true, err);
	if (code != 0)
		return code;
	memcpy(migrate->before, vm->memory.base, vm->memory.size);
	code = fleet_run(fleet, loop_step, loop, fleet->settings->seconds / 4, err);
	if (code == 0)
		code = negotiate_stop(vm, err);
	if (code == 0)
		mode_migrate_check(migrate, vm);
	mode_migrate_drain(fleet, vm);
	return code;
}

int
mode_migrate(struct fleet *fleet, json_t *result, struct err *err)
{
	struct migrate migrate = {.before = malloc(fleet->vms[0]->memory.size)};
	struct outcome outcome;
	struct loop loop;
	int code;

	if (migrate.before == NULL)
		return err_set(err, ENOMEM, "no memory for a copy of the VM");
	code = fleet_prime(fleet, err);
	loop_start(&loop, fleet);
	if (code == 0)
		code = mode_migrate_away(&migrate, fleet, &loop, err);
	fleet->vms[0]->features &= ~(UINT64_C(1) << VHOST_F_LOG_ALL);
	if (code == 0)
		code = negotiate_start(fleet->vms[0], err);
	if (code == 0)
		code = fleet_run(fleet, loop_step, &loop, fleet->settings->seconds / 2, err);
	if (code == 0)
		code = fleet_drain(fleet, LOOP_QUIET, err);
	outcome = report_outcome(fleet, fleet_count(fleet).rx_frames);
	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "pages_changed", json_integer((json_int_t)migrate.changed));
	json_object_set_new(result, "pages_logged", json_integer((json_int_t)migrate.logged));
	json_object_set_new(result, "pages_unlogged", json_integer((json_int_t)migrate.unlogged));
	free(migrate.before);
	if (code == 0 && migrate.unlogged > 0)
		return err_set(err, EPROTO, "%s: %llu pages changed without being in the dirty log",
			fleet->vms[0]->config.socket, (unsigned long long)migrate.unlogged);
	return code;
}
