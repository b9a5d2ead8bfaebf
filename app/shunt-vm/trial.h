/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trial: some VMs send at a rate for a while, all receive, then the frames are counted. What the
 * back end did not take in time was offered and is lost.
 *
 * Thread safety: on the main thread.
 */
#ifndef SHUNT_VM_TRIAL_H
#define SHUNT_VM_TRIAL_H

#include "fleet.h"

/** What to try. */
struct trial {
	bool sends[SETTINGS_VMS_MAX];  /**< which VMs send */
	bool stalls[SETTINGS_VMS_MAX]; /**< which VMs do not even receive */
	double pps;                    /**< of each sender, 0: as many as possible */
	uint64_t frames;               /**< of each sender, 0: as many as the time allows */
	double seconds;
};

/** What came of it. */
struct trial_result {
	uint64_t offered, sent;
	uint64_t due, received; /**< at all receivers of the frames offered */
	double seconds;
	double sent_pps, received_pps;
};

/** Let --from send to --to, with --both also back. */
void trial_aim(struct trial *trial, struct fleet *fleet);

/** Let --from send to all others at once. */
void trial_aim_all(struct trial *trial, struct fleet *fleet);

/** VMs that send. */
unsigned trial_senders(const struct trial *trial, const struct fleet *fleet);

/** Run one. Counters of the fleet start anew. */
int trial_run(const struct trial *trial, struct fleet *fleet, struct trial_result *result,
	struct err *err);

/** Frames that were due and did not arrive; what a scheduler's hiccup explains was never due. */
uint64_t trial_lost(const struct trial_result *result);

/** Share of the frames due that did not arrive. */
double trial_loss(const struct trial_result *result);

#endif
