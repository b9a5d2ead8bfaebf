/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 2544 throughput: the highest rate at which no frame is lost (NDR), or at most a given share
 * of frames (PDR), and the rate received at the highest rate offered (MRR).
 *
 * Thread safety: main thread only.
 */
#ifndef SHUNT_VM_NDR_H
#define SHUNT_VM_NDR_H

#include "fleet.h"
#include "trial.h"

struct ndr {
	double ndr, pdr, mrr; /**< frames/s per sender; mrr: of all receivers together */
	double mrr_loss;      /**< share of frames lost at the MRR, 0 to 1 */
	unsigned trials;
};

/**
 * Measure all three rates.
 *
 * @param trial holds the senders, see trial_aim()
 * @return 0; negative errno with the reason in err
 */
int ndr_measure(struct ndr *ndr, const struct trial *trial, struct fleet *fleet, struct err *err);

#endif
