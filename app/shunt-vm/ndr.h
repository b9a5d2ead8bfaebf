/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 2544 throughput: the highest rate of which no frame (NDR), or a share of frames at most (PDR),
 * is lost, and what arrives of all that can be offered (MRR).
 *
 * Thread safety: on the main thread.
 */
#ifndef SHUNT_VM_NDR_H
#define SHUNT_VM_NDR_H

#include "fleet.h"
#include "trial.h"

struct ndr {
	double ndr, pdr, mrr; /**< frames a second of each sender; MRR of all */
	double mrr_loss;      /**< share */
	unsigned trials;
};

/** Measure all three; trial says who sends. */
int ndr_measure(struct ndr *ndr, const struct trial *trial, struct fleet *fleet, struct err *err);

#endif
