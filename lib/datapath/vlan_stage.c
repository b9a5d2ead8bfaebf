/* SPDX-License-Identifier: BSD-3-Clause */
/* VLAN rewrite of the frames that leave by a port (IEEE 802.1Q clause 6.9.2). */
#include "datapath/feature_table.h"
#include "vlan/rewrite.h"

static void
vlan_egress(struct output *output, const void *state)
{
	uint16_t ready =
		vlan_rewrite_burst(&output->context->rewrite, state, output->frame, output->n);

	if (likely(ready == output->n))
		return;
	output->taken = ready;
	if (ready == 0) { /* It has more segments than any driver takes. */
		output_drop(output, DROP_NO_MEMORY, output->frame[0]);
		output->taken = 1;
	}
	output->n = ready;
}

static void
vlan_egress_done(struct output *output, const void *state)
{
	(void)state;
	vlan_rewrite_done(&output->context->rewrite);
}

int
vlan_compile(const struct feature_input *input, struct feature_stages *stages)
{
	if (input->rules == NULL || !rules_change_tags(input->ports))
		return 0;
	stages->egress = (struct egress_stage){vlan_egress, vlan_egress_done, &input->rules->vlan};
	stages->rewrites = true;
	return 0;
}
