/* SPDX-License-Identifier: BSD-3-Clause */
/* Pop and push functions, compiled for the instruction set VIRTQ_ISA of the build. */
#include <errno.h>

#include "vring/logged.h"
#include "vring/packed_pop.h"
#include "vring/packed_push.h"
#include "vring/split_pop.h"
#include "vring/split_push.h"

#define ISA_JOIN_(a, b) a##b
#define ISA_JOIN(a, b)  ISA_JOIN_(a, b)
#define ISA_TEXT_(a)    #a
#define ISA_TEXT(a)     ISA_TEXT_(a)

extern const struct virtq_ops ISA_JOIN(virtq_ops_, VIRTQ_ISA);

static const struct virtq_ops packed_logged_ops = {
	.name = ISA_TEXT(VIRTQ_ISA),
	.pop = packed_pop_burst,
	.push = virtq_logged_push,
	.pop_done = virtq_logged_pop_done,
};

static const struct virtq_ops packed_ops = {
	.name = ISA_TEXT(VIRTQ_ISA),
	.logged = &packed_logged_ops,
	.pop = packed_pop_burst,
	.push = packed_push_burst,
	.pop_done = virtq_packed_pop_done,
};

static const struct virtq_ops split_logged_ops = {
	.name = ISA_TEXT(VIRTQ_ISA),
	.pop = split_pop_burst,
	.push = virtq_logged_push,
	.pop_done = virtq_logged_pop_done,
};

const struct virtq_ops ISA_JOIN(virtq_ops_, VIRTQ_ISA) = {
	.name = ISA_TEXT(VIRTQ_ISA),
	.packed = &packed_ops,
	.logged = &split_logged_ops,
	.pop = split_pop_burst,
	.push = split_push_burst,
	.pop_done = virtq_split_pop_done,
};
