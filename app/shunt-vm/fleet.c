/* SPDX-License-Identifier: BSD-3-Clause */
/* Creates the VMs and stations of a run, connects them, and assigns them to workers. */
#include "fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mode.h"

atomic_bool fleet_interrupted;

/** @return sizes of the frames of a run, for the buffers of its VMs */
static struct vm_frames
fleet_frame_sizes(const struct settings *settings)
{
	uint32_t max = settings->shape.max;

	if (settings->mode->flags & MODE_ANY_FRAME)
		max = FRAME_SIZE_MAX;
	for (unsigned i = 0; i < settings->n_vms; i++)
		if (settings->vms[i].tso)
			max = FRAME_BUFFER_MAX;
	return (struct vm_frames){
		.receive = max < 1518 ? 1518 : max,
		.send = max,
		.unsealed = settings->mode->flags & MODE_UNSEALED,
	};
}

/** Set the load of all stations from the settings. */
static void
fleet_set_traffic(struct fleet *fleet)
{
	const struct settings *settings = fleet->settings;
	const struct settings_options *options = &settings->options;
	unsigned macs = (unsigned)options->macs / (settings->n_vms != 0 ? settings->n_vms : 1);

	fleet->traffic = (struct traffic){
		.shape = settings->shape,
		.sample = settings->sample,
		.burst = (unsigned)options->burst,
		.touch = options->touch,
		.random = options->mac_order == 1,
		.vlan = (uint16_t)options->vlan,
		.macs = macs != 0 ? macs : 1,
		.copies = 1,
	};
}

/** Create the VMs, without connections. */
static int
fleet_open_vms(struct fleet *fleet, struct err *err)
{
	const struct settings *settings = fleet->settings;
	struct vm_frames frames = fleet_frame_sizes(settings);

	for (unsigned i = 0; i < fleet->n_vms; i++) {
		struct vm *vm = calloc(1, sizeof(*vm));

		if (vm == NULL)
			return err_set(err, ENOMEM, "no memory for VM %u", i);
		fleet->vms[i] = vm;
		int code = vm_open(vm, &settings->vms[i], &frames, i, settings->timeout, err);
		if (code != 0)
			return code;
		fleet->n_stations += vm->pairs;
	}
	return 0;
}

/**
 * Create a station for each queue pair, which sends to the next VM; a single VM sends to --peer.
 */
static int
fleet_open_stations(struct fleet *fleet)
{
	unsigned n = 0;

	fleet->stations = calloc(fleet->n_stations + 1, sizeof(*fleet->stations));
	for (unsigned i = 0; fleet->stations != NULL && i < fleet->n_vms; i++) {
		fleet->flows[i] = calloc(fleet->n_stations, sizeof(**fleet->flows));
		if (fleet->flows[i] == NULL)
			return -ENOMEM;
		for (unsigned pair = 0; pair < fleet->vms[i]->pairs; pair++, n++) {
			struct station *station = &fleet->stations[n];

			if (station_open(station, fleet->vms[i], pair, n, fleet->n_stations,
				    &fleet->traffic) != 0)
				return -ENOMEM;
			station->flows = fleet->flows[i];
			if (fleet->n_vms > 1)
				station_aim(station, fleet->vms[(i + 1) % fleet->n_vms], NULL);
			else
				station_aim_address(station, fleet->settings->peer);
		}
	}
	for (unsigned i = 0; fleet->stations != NULL && i < fleet->n_vms; i++)
		for (unsigned f = 0; f < fleet->n_stations; f++)
			fleet->flows[i][f].mac = fleet->stations[f].vm->mac;
	return fleet->stations != NULL ? 0 : -ENOMEM;
}

/** Create the workers, and assign the stations of each VM to one of them. */
static int
fleet_open_workers(struct fleet *fleet)
{
	const struct settings *settings = fleet->settings;
	bool single = settings->mode->flags & MODE_SINGLE;
	unsigned n = single ? 1 : (unsigned)settings->options.threads;

	fleet->n_workers = n < fleet->n_vms ? n : fleet->n_vms != 0 ? fleet->n_vms : 1;
	fleet->workers = calloc(fleet->n_workers, sizeof(*fleet->workers));
	for (unsigned i = 0; fleet->workers != NULL && i < fleet->n_workers; i++) {
		struct worker *worker = &fleet->workers[i];

		worker->fleet = fleet;
		worker->cpu = settings->n_cpus > 0 ? settings->cpus[i % settings->n_cpus] : -1;
		worker->stations = calloc(fleet->n_stations + 1, sizeof(*worker->stations));
		if (worker->stations == NULL)
			return -ENOMEM;
		for (unsigned s = 0; s < fleet->n_stations; s++)
			if (fleet->stations[s].vm->index % fleet->n_workers == i)
				worker->stations[worker->n_stations++] = &fleet->stations[s];
	}
	return fleet->workers != NULL ? 0 : -ENOMEM;
}

int
fleet_open_unconnected(struct fleet *fleet, const struct settings *settings, struct err *err)
{
	int code;

	*fleet = (struct fleet){.settings = settings, .n_vms = settings->n_vms};
	fleet_set_traffic(fleet);
	fleet->vms = calloc(fleet->n_vms + 1, sizeof(*fleet->vms));
	fleet->flows = calloc(fleet->n_vms + 1, sizeof(*fleet->flows));
	if (fleet->vms == NULL || fleet->flows == NULL)
		return err_set(err, ENOMEM, "no memory");
	code = fleet_open_vms(fleet, err);
	if (code != 0)
		return code;
	if (fleet_open_stations(fleet) != 0 || fleet_open_workers(fleet) != 0)
		return err_set(err, ENOMEM, "no memory for the stations");
	for (unsigned i = 0; i < fleet->n_stations; i++)
		station_start(&fleet->stations[i]);
	return 0;
}

int
fleet_open(struct fleet *fleet, const struct settings *settings, struct err *err)
{
	int code = fleet_open_unconnected(fleet, settings, err);

	for (unsigned i = 0; code == 0 && i < fleet->n_vms; i++)
		code = fleet_interrupted ? err_set(err, EINTR, "interrupted")
					 : vm_connect(fleet->vms[i], err);
	/* Receive buffers were posted before the back end was connected. */
	for (unsigned i = 0; code == 0 && i < fleet->n_stations; i++)
		queue_kick(fleet->stations[i].rx);
	for (unsigned i = 0; code == 0 && i < fleet->n_stations; i++)
		queue_kick(fleet->stations[i].tx);
	return code;
}

void
fleet_close(struct fleet *fleet)
{
	for (unsigned i = 0; fleet->stations != NULL && i < fleet->n_stations; i++)
		station_close(&fleet->stations[i]);
	for (unsigned i = 0; i < fleet->n_vms; i++) {
		if (fleet->vms != NULL && fleet->vms[i] != NULL)
			vm_close(fleet->vms[i]);
		if (fleet->vms != NULL)
			free(fleet->vms[i]);
		if (fleet->flows != NULL)
			free(fleet->flows[i]);
	}
	for (unsigned i = 0; fleet->workers != NULL && i < fleet->n_workers; i++)
		free(fleet->workers[i].stations);
	free(fleet->stations);
	free(fleet->vms);
	free(fleet->flows);
	free(fleet->workers);
	*fleet = (struct fleet){0};
}

struct station_counters
fleet_count(const struct fleet *fleet)
{
	struct station_counters sum = {0};

	for (unsigned i = 0; i < fleet->n_stations; i++) {
		const struct station_counters *count = &fleet->stations[i].count;

		sum.tx_frames += count->tx_frames;
		sum.tx_bytes += count->tx_bytes;
		sum.rx_frames += count->rx_frames;
		sum.rx_bytes += count->rx_bytes;
		sum.checked += count->checked;
		sum.corrupted += count->corrupted;
		sum.foreign += count->foreign;
		sum.stray += count->stray;
		sum.late += count->late;
		sum.missing += count->missing;
		sum.unexpected += count->unexpected;
	}
	return sum;
}

void
fleet_effort(const struct fleet *fleet, double *share, double *cycles_per_frame)
{
	uint64_t busy = 0, idle = 0, frames = fleet_count(fleet).rx_frames;

	for (unsigned i = 0; i < fleet->n_workers; i++) {
		busy += fleet->workers[i].busy;
		idle += fleet->workers[i].idle;
	}
	*share = busy + idle == 0 ? 0 : (double)busy / (double)(busy + idle);
	*cycles_per_frame = frames == 0 ? 0 : (double)busy / (double)frames;
}

struct station *
fleet_station(const struct fleet *fleet, unsigned vm)
{
	unsigned i = 0;

	while (fleet->stations[i].vm->index != vm)
		i++;
	return &fleet->stations[i];
}
