/* SPDX-License-Identifier: BSD-3-Clause */
/* Add, change and delete ports of a running switch, and follow their links. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/vswitch.h"
#include "features/state.h"
#include "features/table.h"

LOG_MODULE(control);

/** Check a configuration, alone and with those of other ports. */
static int
port_check(struct vswitch *vswitch, const struct port_config *config, struct err *err)
{
	int rc = port_config_check(config, err);

	if (rc == 0)
		rc = features_check(config, err);
	/* Relations within a configuration file were checked for the file as a whole. */
	if (rc == 0 && !vswitch->publish_deferred)
		rc = vswitch_check_relations(vswitch, config->name, config, err);
	return rc;
}

/** @return id that no port has; -ENOSPC with the reason */
static int
port_find_free_id(const struct vswitch *vswitch, struct err *err)
{
	for (int id = 0; id < PORT_MAX; id++)
		if (vswitch->by_id[id] == NULL)
			return id;
	return err_set(err, ENOSPC, "all %d ports are in use", PORT_MAX);
}

/** @return slot that no queue has; port_add_queues() checks that there is one */
static int
port_find_free_slot(const struct vswitch *vswitch)
{
	bool used[DATAPATH_SLOT_MAX] = {false};
	int slot = 0;

	for (unsigned i = 0; i < vswitch->n_queues; i++)
		used[vswitch->queue[i].slot] = true;
	while (slot < DATAPATH_SLOT_MAX && used[slot])
		slot++;
	return slot;
}

/** Give each receive queue of a port a slot, and an lcore if any polls. */
static int
port_add_queues(struct vswitch *vswitch, struct port *port, struct err *err)
{
	if (vswitch->n_queues + port->rx_queues > DATAPATH_SLOT_MAX)
		return err_set(err, ENOSPC, "more than %d receive queues", DATAPATH_SLOT_MAX);
	for (uint16_t q = 0; q < port->rx_queues; q++) {
		uint16_t slot = (uint16_t)port_find_free_slot(vswitch);
		struct datapath_load *base = &vswitch->slot_base[slot];
		datapath_slot_load(vswitch->datapath, slot, base);
		vswitch->slot_seen[slot] = base->busy_cycles;
		vswitch->slot_load[slot] = 0;
		vswitch->queue[vswitch->n_queues++] = (struct snapshot_queue){
			.port = port, .queue = q, .slot = slot, .lcore_id = -1};
	}
	vswitch_lcore_assign(vswitch);
	return 0;
}

void
vswitch_queue_load(const struct vswitch *vswitch, const struct vswitch_port *port,
	const struct snapshot_queue *queue, struct datapath_load *load)
{
	const struct datapath_load *before = &port->queue_before[queue->queue];
	const struct datapath_load *base = &vswitch->slot_base[queue->slot];

	datapath_slot_load(vswitch->datapath, queue->slot, load);
	load->packets += before->packets - base->packets;
	load->busy_cycles += before->busy_cycles - base->busy_cycles;
}

/** Free the slots of a port and keep their load. No lcore polls its queues any more. */
static void
port_remove_queues(struct vswitch *vswitch, struct vswitch_port *port)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < vswitch->n_queues; i++) {
		const struct snapshot_queue *queue = &vswitch->queue[i];
		struct datapath_load load;

		if (queue->port != &port->port) {
			vswitch->queue[kept++] = *queue;
			continue;
		}
		vswitch_queue_load(vswitch, port, queue, &load);
		port->queue_before[queue->queue] = load;
	}
	vswitch->n_queues = kept;
}

/** Read the link of a port from its driver, and whether the port is up. */
static void
port_read_link(struct vswitch *vswitch, struct vswitch_port *port)
{
	port->port.config.driver->link(&port->port, &port->link);
	vswitch->up[port->port.id] = port->port.config.enabled && port->link.up;
}

/** Open a port and publish it, unless publication is deferred. */
static int
port_attach(struct vswitch *vswitch, struct vswitch_port *port, struct err *err)
{
	uint16_t id = port->port.id;
	struct features_state state;
	int rc = port->port.config.driver->open(&port->port, err);

	if (rc < 0)
		return rc;
	rc = features_open(&port->port, &port->port.config, &state, err);
	if (rc == 0) {
		rc = port_add_queues(vswitch, &port->port, err);
		if (rc < 0)
			features_close(&port->port, &state);
	}
	if (rc < 0) {
		port->port.config.driver->close(&port->port);
		return rc;
	}
	features_swap(&port->port, &state);
	/* No lcore uses the state of the port before it was closed. */
	features_close(&port->port, &state);
	vswitch->by_id[id] = &port->port;
	features_apply(&port->port, vswitch->fdb);
	port_read_link(vswitch, port);
	if (!vswitch->publish_deferred)
		vswitch_publish(vswitch);
	return 0;
}

/** Publish the events of a port whose device is closed: the link, the front end, addresses. */
static void
port_publish_closed(struct vswitch *vswitch, struct vswitch_port *port)
{
	const struct port_link old = port->link;

	port->link = (struct port_link){
		.generation = old.generation, .front_ends = old.front_ends + old.front_ends % 2};
	vswitch_events_link(vswitch, port, &old);
	vswitch_events_port_closed(vswitch, port);
	port->link = (struct port_link){.up = false};
}

/** Publish the events of a port that was opened, added or changed. */
static void
port_publish_open(struct vswitch *vswitch, struct vswitch_port *port, enum event_action action)
{
	const struct port_config *config = &port->port.config;
	const struct port_link none = {.up = false, .generation = port->link.generation};

	event_port(vswitch->hub, action, config->name, config->driver->type->name);
	vswitch_events_link(vswitch, port, &none);
}

/**
 * Unpublish a port and close it; its id, its counters and the state of its features are kept, but
 * for frames that wait.
 */
static void
port_detach(struct vswitch *vswitch, struct vswitch_port *port)
{
	uint16_t id = port->port.id;

	vswitch->by_id[id] = NULL;
	vswitch->up[id] = false;
	vswitch_publish(vswitch);
	port_remove_queues(vswitch, port);
	port->port.config.driver->close(&port->port);
	/* Now that no lcore polls the port, no address is learnt there any more. */
	fdb_forget_port(vswitch->fdb, id);
	vswitch_features_forget(vswitch, id);
	port_publish_closed(vswitch, port);
}

/** Free a port that is closed, with the state of its features. */
static void
port_free(struct vswitch *vswitch, struct vswitch_port *port)
{
	features_close_all(&port->port);
	TAILQ_REMOVE(&vswitch->ports, port, next);
	vswitch->n_ports--;
	free(port);
}

int
vswitch_port_add(struct vswitch *vswitch, const struct port_config *config, struct err *err)
{
	if (vswitch_port_find(vswitch, config->name, NULL) != NULL)
		return err_set(err, EEXIST, "there is a port '%s' already", config->name);
	int rc = port_check(vswitch, config, err);
	int id = rc < 0 ? rc : port_find_free_id(vswitch, err);
	if (id < 0)
		return id;
	/* Not calloc(): struct counters is aligned to cache lines. */
	struct vswitch_port *port = aligned_alloc(_Alignof(struct vswitch_port), sizeof(*port));
	if (port == NULL)
		return err_set(err, ENOMEM, "no memory for the port");
	memset(port, 0, sizeof(*port));
	port->port.config = *config;
	port->port.id = (uint16_t)id;
	port->port.services = &vswitch->services;
	datapath_counters(vswitch->datapath, (uint16_t)id, &port->base);
	TAILQ_INSERT_TAIL(&vswitch->ports, port, next);
	vswitch->n_ports++;
	rc = port_attach(vswitch, port, err);
	if (rc < 0) {
		port_free(vswitch, port);
		return rc;
	}
	vswitch_lcore_confine(vswitch);
	log_info("port %s: added, %s", config->name, config->driver->type->name);
	port_publish_open(vswitch, port, EVENT_ADDED);
	return 0;
}

int
vswitch_port_del(struct vswitch *vswitch, const char *name, struct err *err)
{
	struct vswitch_port *port = vswitch_port_find(vswitch, name, err);

	if (port == NULL)
		return -ENOENT;
	log_info("port %s: removed", name);
	port_detach(vswitch, port);
	event_port(vswitch->hub, EVENT_DELETED, name, port->port.config.driver->type->name);
	port_free(vswitch, port);
	return 0;
}

/** Flush addresses and group memberships of a port, whose stations may have changed. */
static void
port_flush(struct vswitch *vswitch, const struct vswitch_port *port)
{
	fdb_flush_port(vswitch->fdb, port->port.id);
	vswitch_features_forget(vswitch, port->port.id);
}

/** Change a port that stays open. On failure it keeps its configuration. */
static int
port_change_live(struct vswitch *vswitch, struct vswitch_port *port,
	const struct port_config *config, struct err *err)
{
	struct port_config old = port->port.config;
	struct features_state state;
	int rc = features_open(&port->port, config, &state, err);

	if (rc < 0)
		return rc;
	port->port.config = *config;
	if (config->driver->change != NULL)
		rc = config->driver->change(&port->port, err);
	if (rc < 0) {
		port->port.config = old;
		features_close(&port->port, &state);
		return rc;
	}
	vswitch_features_swap(vswitch, port, &state);
	features_apply(&port->port, vswitch->fdb);
	/* The link as last read: vswitch_links() alone may notice that it has changed since. */
	vswitch->up[port->port.id] = config->enabled && port->link.up;
	vswitch_publish(vswitch);
	vswitch_features_close(vswitch, port, &state);
	event_port(vswitch->hub, EVENT_CHANGED, config->name, config->driver->type->name);
	if (!config->enabled || features_need_flush(&old, config))
		port_flush(vswitch, port);
	return 0;
}

/** Close a port and open it with its new configuration; on failure with the old one. */
static int
port_change_reopen(struct vswitch *vswitch, struct vswitch_port *port,
	const struct port_config *config, struct err *err)
{
	struct port_config old = port->port.config;
	struct err again = {0};

	port_detach(vswitch, port);
	port->port.config = *config;
	int rc = port_attach(vswitch, port, err);
	if (rc == 0) {
		port_publish_open(vswitch, port, EVENT_CHANGED);
		return 0;
	}
	port->port.config = old;
	if (port_attach(vswitch, port, &again) < 0) {
		log_error("port %s: cannot restore its configuration: %s; removed", old.name,
			again.text);
		event_port(vswitch->hub, EVENT_DELETED, old.name, old.driver->type->name);
		port_free(vswitch, port);
	} else {
		port_publish_open(vswitch, port, EVENT_CHANGED);
	}
	return rc;
}

int
vswitch_port_change(struct vswitch *vswitch, const struct port_config *config, struct err *err)
{
	struct vswitch_port *port = vswitch_port_find(vswitch, config->name, err);
	int rc;

	if (port == NULL)
		return -ENOENT;
	rc = port_check(vswitch, config, err);
	if (rc < 0)
		return rc;
	if (port_config_is_live(&port->port.config, config))
		rc = port_change_live(vswitch, port, config, err);
	else
		rc = port_change_reopen(vswitch, port, config, err);
	if (rc == 0)
		log_info("port %s: changed", config->name);
	return rc;
}

/** vswitch_lcore_release() selector: whether a queue belongs to a port. */
static bool
port_has_queue(const struct snapshot_queue *queue, const void *port)
{
	return queue->port == port;
}

/** Reassign queues if the NUMA node changed: that of a VM is known once its memory is mapped. */
static void
port_follow_node(struct vswitch *vswitch, struct vswitch_port *port, int old_node)
{
	if (port->port.numa_node == old_node || vswitch->n_lcores < 2)
		return;
	vswitch_lcore_release(vswitch, port_has_queue, &port->port);
	vswitch_lcore_assign(vswitch);
	vswitch_publish(vswitch);
}

/** Flush and publish after a change of the link. @param was_up whether the port was up before */
static void
port_change_link(struct vswitch *vswitch, struct vswitch_port *port, bool was_up)
{
	bool up = vswitch->up[port->port.id];

	/*
	 * Down, or down and up again: the stations of this port may have changed. Flush while no
	 * lcore polls the port, so that nothing learnt since is lost.
	 */
	if (!up && was_up)
		vswitch_publish(vswitch);
	port_flush(vswitch, port);
	if (up && !was_up)
		vswitch_publish(vswitch);
	log_info("port %s: link %s", port->port.config.name, port->link.up ? "up" : "down");
}

void
vswitch_links(struct vswitch *vswitch)
{
	struct vswitch_port *port;

	TAILQ_FOREACH(port, &vswitch->ports, next) {
		struct port_link old = port->link;
		bool was_up = vswitch->up[port->port.id];
		int old_node = port->port.numa_node;

		port_read_link(vswitch, port);
		vswitch_events_link(vswitch, port, &old);
		if (port->link.up != old.up || port->link.generation != old.generation)
			port_change_link(vswitch, port, was_up);
		port_follow_node(vswitch, port, old_node);
	}
}

void
vswitch_port_counters(
	const struct vswitch *vswitch, const struct vswitch_port *port, struct counters *counters)
{
	datapath_counters(vswitch->datapath, port->port.id, counters);
	counters_subtract(counters, &port->base);
}
