/* SPDX-License-Identifier: BSD-3-Clause */
/* Modes replay, which sends a capture file, and record, which writes received frames into one. */
#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

#include "mode.h"
#include "report.h"
#include "base/tsc.h"

static const double NS = 1e-9, RECORD_SECONDS_PER_FLUSH = 0.1;

struct replay {
	pcap_t *file;
	bool max;     /**< send at once, ignore timestamps */
	bool offload; /**< offload checksums and segmentation */
	bool pending; /**< a packet is read and not sent yet */
	bool done;
	struct pcap_pkthdr *packet;
	const uint8_t *bytes;
	double first;  /**< timestamp of the first packet in seconds */
	uint64_t from; /**< TSC when it was sent */
	uint64_t number;
};

struct record {
	pcap_t *pcap;
	pcap_dumper_t *file;
	uint64_t left; /**< frames still to record */
	uint64_t recorded;
	uint64_t flush_at;
};

/** @return timestamp of the pending packet in seconds */
static double
mode_replay_time(const struct replay *replay)
{
	return (double)replay->packet->ts.tv_sec + (double)replay->packet->ts.tv_usec * NS;
}

/** Read the next packet. @return 1 with a packet pending, 0 at the end, -EINVAL */
static int
mode_replay_read(struct replay *replay, struct worker *worker)
{
	int n;

	if (replay->pending)
		return 1;
	n = pcap_next_ex(replay->file, &replay->packet, &replay->bytes);
	if (n == PCAP_ERROR)
		return err_set(&worker->err, EINVAL, "%s: %s", worker->fleet->settings->argument,
			pcap_geterr(replay->file));
	if (n != 1)
		return 0;
	if (replay->number++ == 0) {
		replay->first = mode_replay_time(replay);
		replay->from = worker->now;
	}
	replay->pending = true;
	return 1;
}

/** Check whether the pending packet is due by its time in the capture. */
static bool
mode_replay_is_due(const struct replay *replay, const struct worker *worker)
{
	return replay->max ||
	       tsc_seconds(worker->now - replay->from) >= mode_replay_time(replay) - replay->first;
}

/** Stage the pending packet. @return 1; 0: no free buffer; negative errno, reason in worker->err */
static int
mode_replay_send(struct replay *replay, struct worker *worker, struct station *station)
{
	struct net_header header = {0};

	if (replay->packet->caplen + station->vm->header > station->tx->config.slot_bytes)
		return err_set(&worker->err, EMSGSIZE,
			"%s: frame %llu has %u bytes, more than a buffer (tso=on takes 64 KB)",
			worker->fleet->settings->argument, (unsigned long long)replay->number,
			replay->packet->caplen);
	if (replay->offload)
		header = frame_offload(replay->bytes, replay->packet->caplen);
	if (!station_stage(station, replay->bytes, replay->packet->caplen, &header))
		return 0;
	replay->pending = false;
	return 1;
}

/** Step: send the packets that are due, and ignore received frames. */
static unsigned
mode_replay_step(struct worker *worker, void *context)
{
	struct replay *replay = context;
	struct station *station = worker->stations[0];
	unsigned n = 0;
	int code = 0;

	while (!replay->done && n < station->traffic->burst) {
		code = mode_replay_read(replay, worker);
		if (code <= 0 || !mode_replay_is_due(replay, worker))
			break;
		code = mode_replay_send(replay, worker, station);
		if (code <= 0)
			break;
		n++;
	}
	station_flush(station, n);
	n += station_receive(station, station->rx->slots);
	station_space(station, station->tx->slots);
	replay->done |= code < 0 || (code == 0 && !replay->pending);
	/* The replay ends when the back end has taken all frames. */
	if (code < 0 || (replay->done && queue_flight(station->tx) == 0))
		worker->fleet->deadline = 0;
	return n;
}

int
mode_replay(struct fleet *fleet, json_t *result, struct err *err)
{
	const double for_ever = 3.2e7;
	char reason[PCAP_ERRBUF_SIZE];
	struct replay replay = {
		.max = fleet->settings->options.max,
		.offload = fleet->settings->options.offload,
	};
	struct outcome outcome;
	int code;

	replay.file = pcap_open_offline_with_tstamp_precision(
		fleet->settings->argument, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (replay.file == NULL)
		return err_set(err, EINVAL, "%s", reason);
	if (pcap_datalink(replay.file) != DLT_EN10MB) {
		pcap_close(replay.file);
		return err_set(err, EINVAL, "%s: not a capture of Ethernet frames",
			fleet->settings->argument);
	}
	fleet->traffic.sample = 0;
	station_tune(&fleet->stations[0]);
	code = fleet_run(fleet, mode_replay_step, &replay, for_ever, err);
	pcap_close(replay.file);
	outcome = report_outcome(fleet, fleet_count(fleet).tx_frames);
	outcome.lost = 0; /* no VM of this process receives them */
	report_traffic(fleet, &outcome, result);
	return code;
}

/** station_take: write a frame to the file. */
static void
mode_record_take(void *context, struct station *station, const struct received *received)
{
	struct record *record = context;
	struct pcap_pkthdr header = {.caplen = received->bytes, .len = received->bytes};
	struct timespec now;

	(void)station;
	if (record->left == 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	header.ts.tv_sec = now.tv_sec;
	header.ts.tv_usec = now.tv_nsec; /* the file has nanosecond resolution */
	pcap_dump((u_char *)record->file, &header, received->frame);
	record->left--;
	record->recorded++;
}

/** Step: record the frames received, and flush the file regularly. */
static unsigned
mode_record_step(struct worker *worker, void *context)
{
	struct record *record = context;
	unsigned moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++)
		moved += station_walk(worker->stations[i], worker->stations[i]->traffic->burst,
			mode_record_take, record);
	if (worker->now >= record->flush_at) {
		record->flush_at = worker->now + tsc_of(RECORD_SECONDS_PER_FLUSH);
		pcap_dump_flush(record->file);
	}
	if (record->left == 0)
		worker->fleet->deadline = 0;
	return moved;
}

int
mode_record(struct fleet *fleet, json_t *result, struct err *err)
{
	int64_t count = fleet->settings->options.count;
	struct record record = {.left = count != 0 ? (uint64_t)count : UINT64_MAX};
	struct outcome outcome;
	int code;

	record.pcap = pcap_open_dead_with_tstamp_precision(
		DLT_EN10MB, FRAME_BUFFER_MAX, PCAP_TSTAMP_PRECISION_NANO);
	record.file = pcap_dump_open(record.pcap, fleet->settings->argument);
	if (record.file == NULL) {
		code = err_set(err, EIO, "%s", pcap_geterr(record.pcap));
		pcap_close(record.pcap);
		return code;
	}
	pcap_dump_flush(record.file); /* the file header is readable at once */
	fleet->traffic.sample = 0;
	code = fleet_run(fleet, mode_record_step, &record, fleet->settings->seconds, err);
	if (pcap_dump_flush(record.file) != 0 && code == 0)
		code = err_set(err, EIO, "%s: %s", fleet->settings->argument, strerror(errno));
	pcap_dump_close(record.file);
	pcap_close(record.pcap);
	outcome = report_outcome(fleet, fleet_count(fleet).rx_frames);
	report_traffic(fleet, &outcome, result);
	json_object_set_new(result, "recorded", json_integer((json_int_t)record.recorded));
	return code;
}
