/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trial: some VMs send at a rate for a given time, all VMs receive, then the frames are counted.
 * Frames that the back end did not take in time count as offered and lost.
 *
 * Thread safety: main thread only.
 */
#ifndef SHUNT_VM_TRIAL_H
#define SHUNT_VM_TRIAL_H

#include "fleet.h"

/** Parameters of a trial. */
struct trial {
	bool sends[SETTINGS_VMS_MAX];  /**< VM sends */
	bool stalls[SETTINGS_VMS_MAX]; /**< VM does not receive during the trial */
	double pps;                    /**< per sender, 0: unlimited */
	uint64_t frames;               /**< per sender, 0: unlimited */
	double seconds;
};

/** Result of a trial. */
struct trial_result {
	uint64_t offered, sent;
	uint64_t due, received; /**< at all receivers, of the frames offered */
	double seconds;
	double sent_pps, received_pps;
};

/** Make --from send to --to, and with --both also --to to --from. */
void trial_aim(struct trial *trial, struct fleet *fleet);

/** Make --from send to the broadcast address. */
void trial_aim_all(struct trial *trial, struct fleet *fleet);

/** @return number of VMs that send */
unsigned trial_senders(const struct trial *trial, const struct fleet *fleet);

/** Run a trial; resets the counters of the fleet. @return 0; negative errno, reason in err */
int trial_run(const struct trial *trial, struct fleet *fleet, struct trial_result *result,
	struct err *err);

/** @return frames due and not received; a shortfall caused by scheduling delays is not due */
uint64_t trial_lost(const struct trial_result *result);

/** @return share of the frames due that were not received, 0 to 1 */
double trial_loss(const struct trial_result *result);

#endif
