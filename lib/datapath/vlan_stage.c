/* SPDX-License-Identifier: BSD-3-Clause */
/* VLAN rewrite of the frames that leave by a port (IEEE 802.1Q clause 6.9.2). */
#include "datapath/feature_table.h"
#include "vlan/rewrite.h"

static void
vlan_egress(struct output *output, const void *state)
{
	const struct vlan_rules *rules = state;
	struct vlan_rewrite *rewrite = &output->context->rewrite;
	uint16_t ready = 0;

	for (uint16_t i = 0; i < output->n; i++) {
		struct frame *frame = output->frame[i];
		if (!vlan_rewrite_is_needless(rules, frame))
			frame = vlan_rewrite_frame(rewrite, rules, frame);
		if (likely(frame != NULL)) {
			output->frame[ready++] = frame;
		} else if (ready > 0) {
			/* No space beside the frames before it. */
			output->taken = i;
			break;
		} else { /* It has more segments than any driver takes. */
			output_drop(output, DROP_NO_MEMORY, output->frame[i]);
		}
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
