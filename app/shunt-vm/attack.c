/* SPDX-License-Identifier: BSD-3-Clause */
/* Mode attack: runs an attack on one VM, restores its connection and checks the other VMs. */
#include "attack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "connection.h"
#include "mode.h"
#include "report.h"
#include "base/tsc.h"

enum { ROUNDS_PER_SECOND = 500, UNREACHABLE_MAX = 2 };

static const double RECONNECT_SECONDS = 4;

/** Find an attack by its name. @return NULL = none */
static const struct attack_kind *
attack_find(const char *name)
{
	const struct attack_kind *const lists[] = {attack_ring_kinds, attack_message_kinds};

	for (unsigned i = 0; i < 2; i++)
		for (const struct attack_kind *kind = lists[i]; kind->name != NULL; kind++)
			if (strcmp(kind->name, name) == 0)
				return kind;
	return NULL;
}

/** Add the names of all attacks to the result, each with its help. */
static void
attack_list(json_t *result)
{
	const struct attack_kind *const lists[] = {attack_ring_kinds, attack_message_kinds};

	for (unsigned i = 0; i < 2; i++)
		for (const struct attack_kind *kind = lists[i]; kind->name != NULL; kind++)
			json_object_set_new(result, kind->name, json_string(kind->help));
}

/** Reset the rings and reconnect. @return true on success */
static bool
attack_reconnect(struct attack *attack)
{
	double timeout = attack->vm->timeout;
	uint64_t until = tsc_now() + tsc_of(RECONNECT_SECONDS);
	bool done = false;

	attack->vm->timeout = RECONNECT_SECONDS / 4;
	/* A back end may refuse a connection until it has processed the end of the previous one. */
	while (!done && tsc_now() < until) {
		struct timespec pause = {.tv_nsec = 5000000};

		vm_disconnect(attack->vm);
		nanosleep(&pause, NULL);
		station_fill(attack->station);
		queue_post(attack->rx, queue_space(attack->rx));
		done = vm_connect(attack->vm, &attack->err) == 0;
	}
	attack->vm->timeout = timeout;
	if (!done)
		attack->unreachable++;
	attack->station->credit = attack->station->tx->slots / 2;
	queue_kick(attack->rx);
	return done;
}

/** Evaluate the last round, reconnect if needed. @return true if the next round can run */
static bool
attack_ready(struct attack *attack)
{
	bool closed = attack->vm->sock >= 0 && connection_closed(attack->vm->sock);
	unsigned done = queue_poll(attack->tx, attack->tx->slots);

	queue_consume(attack->tx, done);
	station_fill(attack->station);
	if (attack->vm->sock >= 0 && !closed && !attack->tx->broken && !attack->rx->broken &&
		queue_space(attack->tx) > 0 && !attack->stuck)
		return true;
	attack->closed += closed;
	attack->stuck = 0;
	return attack_reconnect(attack);
}

/** Run a round of the attack if one is due. @return 1 if one was due, else 0 */
static unsigned
attack_round(struct attack *attack, struct worker *worker)
{
	if (worker->now < attack->next_at)
		return 0;
	attack->next_at = worker->now + tsc_hz() / ROUNDS_PER_SECOND;
	if (attack->unreachable >= UNREACHABLE_MAX) {
		worker->fleet->deadline = 0;
		return 0;
	}
	if (attack_ready(attack)) {
		attack->kind->act(attack);
		attack->rounds++;
	}
	return 1;
}

/** Run a round of the attack if due, and the load of the other VMs. */
static unsigned
attack_step(struct worker *worker, void *context)
{
	struct attack *attack = context;
	unsigned moved = 0;

	for (unsigned i = 0; i < worker->n_stations; i++) {
		struct station *station = worker->stations[i];

		station->now = worker->now;
		if (station->vm != attack->vm)
			moved += loop_station(station);
		else if (station->pair == 0)
			moved += attack_round(attack, worker);
		if (station == attack->station && attack->kind->flags & ATTACK_LOAD &&
			station->vm->sock >= 0)
			moved += loop_station(station);
	}
	return moved;
}

/** Let the other VMs send to each other; with ATTACK_LOAD, VM 0 sends to the first of them. */
static void
attack_aim(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->n_stations; i++) {
		struct station *station = &fleet->stations[i];
		unsigned v = station->vm->index, others = fleet->n_vms - 1;

		for (unsigned f = 0; f < fleet->n_stations; f++)
			station->flows[f].hostile = fleet->stations[f].vm->index == 0;
		if (others > 1 && v > 0)
			station_aim(station, fleet->vms[1 + v % others], NULL);
		station_fill(station);
	}
}

/** Check that there is such an attack, and that it fits the configuration of VM 0. */
static int
attack_check(const struct attack *attack, const struct vm *vm, const char *name, struct err *err)
{
	if (attack->kind == NULL)
		return err_set(err, EINVAL, "'%.40s' is no attack (see: attack list)", name);
	if (attack->kind->flags & ATTACK_SPLIT && vm->config.packed)
		return err_set(err, EINVAL, "%s: needs split rings (packed=off)", name);
	if (attack->kind->flags & ATTACK_INDIRECT && !vm->config.indirect)
		return err_set(err, EINVAL, "%s: needs indirect=on", name);
	if (vm->config.chain > 1 ||
		(vm->config.indirect && !(attack->kind->flags & ATTACK_INDIRECT)))
		return err_set(err, EINVAL, "%s: chain= and indirect= are not possible", name);
	return 0;
}

/** @return frames that the other VMs received during the attack */
static uint64_t
attack_others(const struct fleet *fleet)
{
	uint64_t received = 0;

	for (unsigned i = 0; i < fleet->n_stations; i++)
		if (fleet->stations[i].vm->index > 0)
			received += fleet->stations[i].count.rx_frames;
	return received;
}

/** Run the attack; repeat it if the other VMs got no CPU time meanwhile on a busy machine. */
static int
attack_run(struct attack *attack, struct fleet *fleet, uint64_t *others, struct err *err)
{
	double seconds = fleet->settings->seconds, spent = 0;
	int code;

	do {
		code = fleet_run(fleet, attack_step, attack, seconds, err);
		*others = attack_others(fleet);
		spent += seconds;
	} while (code == 0 && *others == 0 && fleet->n_vms > 2 && !fleet_interrupted &&
		 attack->unreachable < UNREACHABLE_MAX && spent < fleet->settings->timeout);
	return code;
}

/** Check that the back end accepts VM 0 again, and add the results of the attack. */
static int
attack_report(struct attack *attack, struct fleet *fleet, uint64_t others, json_t *result,
	struct err *err)
{
	bool reachable = attack_reconnect(attack);
	const char *name = attack->kind->name, *socket = attack->vm->config.socket;

	json_object_set_new(result, "attack", json_string(name));
	json_object_set_new(result, "rounds", json_integer((json_int_t)attack->rounds));
	json_object_set_new(result, "closed", json_integer(attack->closed));
	json_object_set_new(result, "refused", json_integer(attack->refused));
	json_object_set_new(result, "others_received", json_integer((json_int_t)others));
	json_object_set_new(result, "reachable", json_boolean(reachable));
	if (!reachable)
		return err_set(
			err, ECONNREFUSED, "%s: after %s: %s", socket, name, attack->err.text);
	if (fleet->n_vms > 2 && others == 0)
		return err_set(err, EIO, "%s: %s: the other VMs received nothing", socket, name);
	return 0;
}

int
mode_attack(struct fleet *fleet, json_t *result, struct err *err)
{
	const char *name = fleet->settings->argument;
	struct attack attack = {.kind = attack_find(name)};
	struct outcome outcome;
	uint64_t others = 0;
	int code;

	if (strcmp(name, "list") == 0) {
		attack_list(result);
		return 0;
	}
	attack.vm = fleet->vms[0];
	attack.station = fleet_station(fleet, 0);
	attack.tx = attack.station->tx;
	attack.rx = attack.station->rx;
	code = attack_check(&attack, attack.vm, name, err);
	if (code != 0)
		return code;
	code = fleet_prime(fleet, err);
	attack_aim(fleet);
	attack.vm->hostile = true;
	fleet->traffic.hostile = true;
	loop_start(&attack.loop, fleet);
	if (code == 0)
		code = attack_run(&attack, fleet, &others, err);
	outcome = report_outcome(fleet, others);
	outcome.lost = 0; /* losses of the hostile VM's frames mean nothing */
	report_traffic(fleet, &outcome, result);
	return code != 0 ? code : attack_report(&attack, fleet, others, result, err);
}
