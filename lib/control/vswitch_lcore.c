/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adds, deletes and balances polling lcores and their queues, while frames flow. A queue changes
 * its lcore in two steps, with a snapshot between them in which no lcore polls it: two lcores never
 * poll one queue, and no frame overtakes another.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/vswitch.h"
#include "lcore/placement.h"
#include "lcore/topology.h"

LOG_MODULE(control);

/** Lcores and queues of the switch, as lib/lcore/placement.h takes them. */
struct lcore_view {
	struct placement_lcore lcore[LCORE_MAX];
	struct placement_queue queue[DATAPATH_SLOT_MAX];
};

/** @return index of an lcore in the switch; PLACEMENT_NONE if there is none */
static int
lcore_index(const struct vswitch *vswitch, int lcore_id)
{
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		if (vswitch->lcore[i].lcore_id == lcore_id)
			return (int)i;
	return PLACEMENT_NONE;
}

/** Describe lcores and queues for placement. */
static void
lcore_view_set(const struct vswitch *vswitch, struct lcore_view *view)
{
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		view->lcore[i] = (struct placement_lcore){.node = vswitch->lcore[i].node};
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		view->queue[i] = (struct placement_queue){
			.node = vswitch->queue[i].port->numa_node,
			.load = vswitch->slot_load[vswitch->queue[i].slot],
			.lcore = lcore_index(vswitch, vswitch->queue[i].lcore_id),
		};
}

const struct vswitch_lcore *
vswitch_lcore_of(const struct vswitch *vswitch, int lcore_id)
{
	int index = lcore_index(vswitch, lcore_id);

	return index == PLACEMENT_NONE ? NULL : &vswitch->lcore[index];
}

void
vswitch_lcore_assign(struct vswitch *vswitch)
{
	struct lcore_view view;

	if (vswitch->n_lcores == 0)
		return;
	lcore_view_set(vswitch, &view);
	placement_fill(view.lcore, vswitch->n_lcores, view.queue, vswitch->n_queues);
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		vswitch->queue[i].lcore_id = vswitch->lcore[view.queue[i].lcore].lcore_id;
}

void
vswitch_lcore_release(struct vswitch *vswitch,
	bool (*choose)(const struct snapshot_queue *, const void *), const void *arg)
{
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		if (choose(&vswitch->queue[i], arg))
			vswitch->queue[i].lcore_id = -1;
	vswitch_publish(vswitch);
}

unsigned
vswitch_lcore_balance(struct vswitch *vswitch)
{
	struct lcore_view view;
	unsigned moved;

	lcore_view_set(vswitch, &view);
	moved = placement_balance(view.lcore, vswitch->n_lcores, view.queue, vswitch->n_queues);
	if (moved == 0)
		return 0;
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		if (lcore_index(vswitch, vswitch->queue[i].lcore_id) != view.queue[i].lcore)
			vswitch->queue[i].lcore_id = -1;
	vswitch_publish(vswitch);
	for (unsigned i = 0; i < vswitch->n_queues; i++)
		vswitch->queue[i].lcore_id = vswitch->lcore[view.queue[i].lcore].lcore_id;
	vswitch_publish(vswitch);
	event_balanced(vswitch->hub, moved);
	return moved;
}

/** Get the CPUs of polling lcores. */
static void
lcore_get_polling(const struct vswitch *vswitch, cpu_set_t *polling)
{
	CPU_ZERO(polling);
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		CPU_SET(vswitch->lcore[i].cpu, polling);
}

/** Confine threads that do not poll to allowed CPUs other than these. */
static void
lcore_confine_except(struct vswitch *vswitch, const cpu_set_t *polling)
{
	cpu_set_t others;

	CPU_ZERO(&others);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &vswitch->allowed) && !CPU_ISSET(cpu, polling))
			CPU_SET(cpu, &others);
	topology_confine(&others, datapath_owns_thread, vswitch->datapath);
}

void
vswitch_lcore_confine(struct vswitch *vswitch)
{
	cpu_set_t polling;

	lcore_get_polling(vswitch, &polling);
	lcore_confine_except(vswitch, &polling);
}

/** @return index of the lcore of a CPU; -ENOENT */
static int
lcore_find(const struct vswitch *vswitch, unsigned cpu)
{
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		if (vswitch->lcore[i].cpu == cpu)
			return (int)i;
	return -ENOENT;
}

/** Set the number of lcores that transmit; on return no lcore uses the old number. */
static void
lcore_set_senders(struct vswitch *vswitch, unsigned senders)
{
	atomic_store(&vswitch->services.senders, senders);
	datapath_quiesce(vswitch->datapath);
}

/** Start a polling lcore, without a queue. @return 0; negative errno with the reason */
static int
lcore_start(struct vswitch *vswitch, unsigned cpu, struct err *err)
{
	cpu_set_t polling;

	lcore_get_polling(vswitch, &polling);
	CPU_SET(cpu, &polling);
	lcore_confine_except(vswitch, &polling);
	lcore_set_senders(vswitch, vswitch->n_lcores + 1);
	int lcore_id = datapath_start(vswitch->datapath, cpu, err);
	if (lcore_id < 0) {
		lcore_set_senders(vswitch, vswitch->n_lcores);
		vswitch_lcore_confine(vswitch);
		return lcore_id;
	}
	vswitch->lcore[vswitch->n_lcores++] = (struct vswitch_lcore){
		.cpu = cpu, .node = topology_node_of(cpu), .lcore_id = lcore_id};
	event_lcore(vswitch->hub, EVENT_ADDED, cpu);
	return 0;
}

int
vswitch_lcore_add(struct vswitch *vswitch, unsigned cpu, struct err *err)
{
	char text[TOPOLOGY_LIST_MAX];

	if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &vswitch->allowed))
		return err_set(err, EINVAL, "no CPU %u here; this process may use %s", cpu,
			topology_format(&vswitch->allowed, text));
	if (lcore_find(vswitch, cpu) >= 0)
		return err_set(err, EEXIST, "lcore %u polls already", cpu);
	if (vswitch->n_lcores + 1 >= (unsigned)CPU_COUNT(&vswitch->allowed))
		return err_set(err, EBUSY,
			"lcore %u is the last CPU that does not poll; the control thread needs it",
			cpu);
	int rc = lcore_start(vswitch, cpu, err);
	if (rc < 0)
		return rc;
	log_info("lcore %u: added", cpu);
	vswitch_lcore_balance(vswitch);
	return 0;
}

/** vswitch_lcore_release() selector: whether an lcore polls a queue. */
static bool
lcore_polls_queue(const struct snapshot_queue *queue, const void *lcore)
{
	return queue->lcore_id == ((const struct vswitch_lcore *)lcore)->lcore_id;
}

int
vswitch_lcore_del(struct vswitch *vswitch, unsigned cpu, struct err *err)
{
	int index = lcore_find(vswitch, cpu);

	if (index < 0)
		return err_set(err, ENOENT, "lcore %u does not poll", cpu);
	if (vswitch->n_lcores == 1)
		return err_set(err, EBUSY, "lcore %u is the last one that polls", cpu);
	struct vswitch_lcore lcore = vswitch->lcore[index];
	vswitch_lcore_release(vswitch, lcore_polls_queue, &lcore);
	datapath_stop(vswitch->datapath, lcore.lcore_id);
	vswitch->n_lcores--;
	memmove(&vswitch->lcore[index], &vswitch->lcore[index + 1],
		(vswitch->n_lcores - (unsigned)index) * sizeof(lcore));
	lcore_set_senders(vswitch, vswitch->n_lcores);
	vswitch_lcore_assign(vswitch);
	vswitch_publish(vswitch);
	vswitch_lcore_confine(vswitch);
	log_info("lcore %u: deleted", cpu);
	event_lcore(vswitch->hub, EVENT_DELETED, cpu);
	return 0;
}

int
vswitch_lcore_set(struct vswitch *vswitch, const cpu_set_t *polling, struct err *err)
{
	int rc = 0;

	if (vswitch->n_lcores == 0)
		lcore_confine_except(vswitch, polling);
	for (unsigned cpu = 0; rc == 0 && cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, polling) && lcore_find(vswitch, cpu) < 0)
			rc = lcore_start(vswitch, cpu, err);
	for (unsigned i = vswitch->n_lcores; rc == 0 && i-- > 0;)
		if (!CPU_ISSET(vswitch->lcore[i].cpu, polling))
			rc = vswitch_lcore_del(vswitch, vswitch->lcore[i].cpu, err);
	if (rc == 0)
		vswitch_lcore_balance(vswitch);
	vswitch_lcore_confine(vswitch);
	return rc;
}
