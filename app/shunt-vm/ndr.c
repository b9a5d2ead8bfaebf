/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 2544 throughput: binary search for NDR and PDR, and the MRR. */
#include "ndr.h"

/** The search ends when the rate is known to 0.5%. */
static const double NDR_PRECISION = 0.005, NDR_HEADROOM = 1.05;

enum { NDR_TRIES = 2, NDR_ROUNDS_MAX = 20 };

/**
 * Try a rate; twice, since other load on the machine may cause losses.
 *
 * @param sent receives the frames per second that each sender has sent, 0 if the loss is too high
 * @param pps of each sender
 * @return 0; negative errno with the reason in err
 */
static int
ndr_try(double *sent, const struct trial *base, double pps, double tolerated, struct ndr *ndr,
	struct fleet *fleet, struct err *err)
{
	struct trial trial = *base;
	struct trial_result result;
	int code = 0;

	*sent = 0;
	trial.pps = pps;
	for (int i = 0; code == 0 && *sent == 0 && i < NDR_TRIES && !fleet_interrupted; i++) {
		code = trial_run(&trial, fleet, &result, err);
		if (code == 0 && trial_loss(&result) <= tolerated)
			*sent = result.sent_pps / trial_senders(base, fleet);
		ndr->trials++;
	}
	return code;
}

/** Find the highest rate up to `high` with at most the tolerated loss. */
static int
ndr_search(double *rate, double high, double tolerated, const struct trial *trial, struct ndr *ndr,
	struct fleet *fleet, struct err *err)
{
	double low = 0, next = high, sent;
	int code = 0;

	for (int i = 0; code == 0 && i < NDR_ROUNDS_MAX && high - low > high * NDR_PRECISION &&
			!fleet_interrupted;
		i++) {
		code = ndr_try(&sent, trial, next, tolerated, ndr, fleet, err);
		if (sent > 0) {
			low = next;
			/* Less than `next` is sent where the back end cannot take as much. */
			*rate = sent < next ? sent : next;
		} else {
			high = next;
		}
		next = (low + high) / 2;
	}
	return code;
}

int
ndr_measure(struct ndr *ndr, const struct trial *trial, struct fleet *fleet, struct err *err)
{
	struct trial all = *trial;
	struct trial_result result;
	double most;
	int code;

	*ndr = (struct ndr){0};
	all.pps = 0;
	code = trial_run(&all, fleet, &result, err);
	ndr->trials++;
	ndr->mrr = result.received_pps;
	ndr->mrr_loss = trial_loss(&result);
	/* Bound by the rate that the back end takes: overloaded it may deliver less than that. */
	most = result.sent_pps / trial_senders(trial, fleet) * NDR_HEADROOM;
	if (code == 0)
		code = ndr_search(&ndr->pdr, most, fleet->settings->loss, trial, ndr, fleet, err);
	if (code == 0)
		code = ndr_search(&ndr->ndr, ndr->pdr, 0, trial, ndr, fleet, err);
	return code;
}
