/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC methods `status` and `stop`. */
#include <unistd.h>

#include <event2/event.h>
#include <rte_version.h>

#include "control/methods.h"
#include "features/state.h"

enum { STOP_DELAY_US = 20000 }; /* lets the answer to `stop` be sent */

/** Build the counters of all ports since the start, deleted ports included. */
static json_t *
status_totals(const struct vswitch *vswitch)
{
	const struct vswitch_port *port;
	struct counters c;
	json_int_t backlog = 0;

	TAILQ_FOREACH(port, &vswitch->ports, next)
		backlog += features_backlog(&port->port);
	datapath_totals(vswitch->datapath, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
		(json_int_t)c.rx_packets, "rx_forwarded", (json_int_t)c.rx_forwarded, "rx_copies",
		(json_int_t)c.rx_copies, "rx_drops", (json_int_t)counters_drops(c.rx_drops),
		"tx_packets", (json_int_t)c.tx_packets, "tx_drops",
		(json_int_t)counters_drops(c.tx_drops), "tx_held", backlog);
}

/** Add the features that are on. */
static void
status_add_features(const struct vswitch *vswitch, json_t *status)
{
	for (unsigned i = 0; vswitch_features[i] != NULL; i++) {
		const struct vswitch_feature *part = vswitch_features[i];
		const void *state = vswitch_feature_state(vswitch, part->feature);
		if (state != NULL)
			json_object_set_new(status, part->feature->name, part->status(state));
	}
}

/** RPC method status. */
static json_t *
status_call(void *arg, json_t *params, struct err *err)
{
	static const char *const none[] = {NULL};
	const struct vswitch *vswitch = arg;
	struct fdb_stats fdb;
	json_t *lcores = json_array();

	if (rpc_only(params, none, err) < 0) {
		json_decref(lcores);
		return NULL;
	}
	fdb_get_stats(vswitch->fdb, &fdb);
	for (unsigned i = 0; i < vswitch->n_lcores; i++)
		json_array_append_new(lcores, json_integer(vswitch->lcore[i].cpu));
	json_t *status = json_pack(
		"{s:s, s:s, s:i, s:I, s:i, s:o, s:{s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I}, s:o}",
		"version", SHUNT_VERSION, "dpdk", rte_version() + sizeof("DPDK"), "pid",
		(int)getpid(), "uptime_s", (json_int_t)(vswitch_now() - vswitch->started), "ports",
		(int)vswitch->n_ports, "lcores", lcores, "fdb", "entries", (int)fdb.entries,
		"capacity", (int)fdb.capacity, "ageing", (int)fdb_ageing(vswitch->fdb), "moves",
		(int)fdb_moves(vswitch->fdb), "learned", (json_int_t)fdb.learned, "moved",
		(json_int_t)fdb.moved, "aged", (json_int_t)fdb.aged, "refused",
		(json_int_t)fdb.refused, "stuck", (json_int_t)fdb.stuck, "damped",
		(json_int_t)fdb.damped, "replaced", (json_int_t)fdb.replaced, "totals",
		status_totals(vswitch));
	status_add_features(vswitch, status);
	return status;
}

/** RPC method stop: end the event loop once the answer is sent. */
static json_t *
status_stop_call(void *arg, json_t *params, struct err *err)
{
	const struct timeval delay = {.tv_usec = STOP_DELAY_US};
	struct vswitch *vswitch = arg;

	(void)params;
	(void)err;
	event_base_loopexit(vswitch->events, &delay);
	return json_object();
}

const struct rpc_method methods_status[] = {
	{"status", status_call},
	{"stop", status_stop_call},
	{NULL, NULL},
};
