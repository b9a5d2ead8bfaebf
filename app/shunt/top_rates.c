/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates of ports and lcores from cumulative counters. */
#include "top_rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { RATES_BITS = 8, RATES_COUNTERS_MAX = 6 };

/** Counters of ports and of lcores that rates are computed of, in the order of the enum below. */
static const char *const rates_port_keys[] = {
	"rx_packets", "rx_bytes", "rx_drops", "tx_packets", "tx_bytes", "tx_drops", NULL};
static const char *const rates_lcore_keys[] = {"busy_cycles", "idle_cycles", "packets", NULL};

enum {
	PORT_RX_PACKETS,
	PORT_RX_BYTES,
	PORT_RX_DROPS,
	PORT_TX_PACKETS,
	PORT_TX_BYTES,
	PORT_TX_DROPS
};
enum { LCORE_BUSY, LCORE_IDLE, LCORE_PACKETS };

/** Past rates of a port, the newest last. */
struct rates_history {
	float rate[RATES_HISTORY];
	size_t n;
};

struct rates {
	json_t *before; /**< newest sample: ports by "name", lcores by "#lcore"; or NULL */
	double when;    /**< time of that sample */
	struct rates_port *ports;
	size_t n_ports;
	struct rates_lcore *lcores;
	size_t n_lcores;
	struct rates_history *histories; /**< of the ports of the newest sample */
	json_t *indexes;                 /**< index in histories by port name; or NULL */
};

struct rates *
top_rates_new(void)
{
	return calloc(1, sizeof(struct rates));
}

void
top_rates_reset(struct rates *rates)
{
	json_decref(rates->before);
	rates->before = NULL;
}

/** @return value of a counter of a port or an lcore; 0 = not given */
static double
top_rates_counter(const json_t *object, const char *key)
{
	return (double)json_integer_value(json_object_get(object, key));
}

/** Get the increase of each counter. @return false, with all 0, if there is no old sample */
static bool
top_rates_grown(const json_t *now, const json_t *before, const char *const *keys,
	double grown[RATES_COUNTERS_MAX])
{
	bool restarted = false;

	for (size_t i = 0; keys[i] != NULL; i++)
		if (top_rates_counter(now, keys[i]) < top_rates_counter(before, keys[i]))
			restarted = true;
	for (size_t i = 0; keys[i] != NULL; i++) {
		grown[i] = top_rates_counter(now, keys[i]);
		if (!restarted)
			grown[i] -= top_rates_counter(before, keys[i]);
		if (before == NULL)
			grown[i] = 0;
	}
	return before != NULL;
}

/** Compute the rates of a port. @param before the port in the last sample; NULL = not in it */
static void
top_rates_port(struct rates_port *port, const json_t *now, const json_t *before, double seconds)
{
	const char *name = json_string_value(json_object_get(now, "name"));
	const char *link = json_string_value(json_object_get(now, "link"));
	double grown[RATES_COUNTERS_MAX] = {0};

	text_clean(name == NULL ? "?" : name, port->name, sizeof(port->name));
	port->up = link != NULL && strcmp(link, "up") == 0;
	port->known = top_rates_grown(now, before, rates_port_keys, grown);
	port->rx_packets = grown[PORT_RX_PACKETS] / seconds;
	port->tx_packets = grown[PORT_TX_PACKETS] / seconds;
	port->rx_bits = grown[PORT_RX_BYTES] * RATES_BITS / seconds;
	port->tx_bits = grown[PORT_TX_BYTES] * RATES_BITS / seconds;
	port->drops = (grown[PORT_RX_DROPS] + grown[PORT_TX_DROPS]) / seconds;
}

/** Compute the load of an lcore. @param before the lcore in the last sample; NULL = not in it */
static void
top_rates_lcore(struct rates_lcore *lcore, const json_t *now, const json_t *before, double seconds)
{
	double grown[RATES_COUNTERS_MAX] = {0};
	double cycles;

	lcore->lcore = (unsigned int)json_integer_value(json_object_get(now, "lcore"));
	lcore->known = top_rates_grown(now, before, rates_lcore_keys, grown);
	cycles = grown[LCORE_BUSY] + grown[LCORE_IDLE];
	lcore->load = cycles > 0 ? grown[LCORE_BUSY] / cycles : 0;
	lcore->cycles_per_packet =
		grown[LCORE_PACKETS] > 0 ? grown[LCORE_BUSY] / grown[LCORE_PACKETS] : 0;
	lcore->packets = grown[LCORE_PACKETS] / seconds;
}

/** Make a name for an lcore that no port can have. */
static const char *
top_rates_lcore_key(const json_t *lcore, char key[TEXT_NUMBER_MAX])
{
	snprintf(key, TEXT_NUMBER_MAX, "#%" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(lcore, "lcore")));
	return key;
}

/** Index a sample by name for the comparison with the next one. */
static json_t *
top_rates_index(const json_t *ports, const json_t *lcores)
{
	json_t *index = json_object();
	char key[TEXT_NUMBER_MAX];
	json_t *item;
	size_t i;

	json_array_foreach(ports, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name != NULL)
			json_object_set(index, name, item);
	}
	json_array_foreach(lcores, i, item)
		json_object_set(index, top_rates_lcore_key(item, key), item);
	return index;
}

/** Append a rate to a history; if it is full, the oldest rate is removed. */
static void
top_rates_append(struct rates_history *history, double rate)
{
	if (history->n == RATES_HISTORY)
		memmove(&history->rate[0], &history->rate[1],
			--history->n * sizeof(history->rate[0]));
	history->rate[history->n++] = (float)rate;
}

/** Assign histories to ports in the order of the sample, and append the newest rates. */
static void
top_rates_histories(struct rates *rates, const json_t *ports, struct rates_history *histories)
{
	json_t *indexes = json_object();

	for (size_t i = 0; i < rates->n_ports; i++) {
		struct rates_port *port = &rates->ports[i];
		const char *name =
			json_string_value(json_object_get(json_array_get(ports, i), "name"));
		const json_t *index = name == NULL ? NULL : json_object_get(rates->indexes, name);

		if (index != NULL)
			histories[i] = rates->histories[json_integer_value(index)];
		if (port->known)
			top_rates_append(&histories[i], port->rx_packets + port->tx_packets);
		port->history = histories[i].rate;
		port->n_history = histories[i].n;
		if (name != NULL)
			json_object_set_new(indexes, name, json_integer((json_int_t)i));
	}
	free(rates->histories);
	json_decref(rates->indexes);
	rates->histories = histories;
	rates->indexes = indexes;
}

/** Compute all rates; the arrays are large enough. */
static void
top_rates_compute(struct rates *rates, const json_t *ports, const json_t *lcores, double seconds)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ports, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		top_rates_port(&rates->ports[i], item,
			name == NULL ? NULL : json_object_get(rates->before, name), seconds);
	}
	json_array_foreach(lcores, i, item) {
		char key[TEXT_NUMBER_MAX];

		top_rates_lcore(&rates->lcores[i], item,
			json_object_get(rates->before, top_rates_lcore_key(item, key)), seconds);
	}
	rates->n_ports = json_array_size(ports);
	rates->n_lcores = json_array_size(lcores);
}

/** Grow the arrays if needed; their contents stay. */
static int
top_rates_grow(struct rates *rates, size_t n_ports, size_t n_lcores)
{
	struct rates_port *ports = reallocarray(rates->ports, n_ports + 1, sizeof(*ports));
	struct rates_lcore *lcores;

	if (ports == NULL)
		return -ENOMEM;
	rates->ports = ports;
	lcores = reallocarray(rates->lcores, n_lcores + 1, sizeof(*lcores));
	if (lcores == NULL)
		return -ENOMEM;
	rates->lcores = lcores;
	return 0;
}

int
top_rates_update(struct rates *rates, const json_t *ports, const json_t *lcores, double now)
{
	double seconds = now - rates->when;
	struct rates_history *histories;
	size_t n_ports = json_array_size(ports);
	size_t n_lcores = json_array_size(lcores);

	if (!json_is_array(ports) || !json_is_array(lcores))
		return -EPROTO;
	/* Keep space for the ports and lcores of the old sample. */
	if (top_rates_grow(rates, n_ports > rates->n_ports ? n_ports : rates->n_ports,
		    n_lcores > rates->n_lcores ? n_lcores : rates->n_lcores) != 0)
		return -ENOMEM;
	histories = calloc(n_ports + 1, sizeof(*histories));
	if (histories == NULL)
		return -ENOMEM;
	if (seconds <= 0)
		top_rates_reset(rates);
	top_rates_compute(rates, ports, lcores, seconds > 0 ? seconds : 1);
	top_rates_histories(rates, ports, histories);
	top_rates_reset(rates);
	rates->before = top_rates_index(ports, lcores);
	rates->when = now;
	return 0;
}

/** Order by value, descending, then by name. @param va, vb values of a and b */
static int
top_rates_compare(const struct rates_port *a, const struct rates_port *b, double va, double vb)
{
	if (va != vb)
		return va < vb ? 1 : -1;
	return strverscmp(a->name, b->name);
}

/** Order for qsort(): by name. */
static int
top_rates_by_name(const void *a, const void *b)
{
	return top_rates_compare(a, b, 0, 0);
}

/** Order for qsort(): by rate received, descending, then by name. */
static int
top_rates_by_rx(const void *a, const void *b)
{
	const struct rates_port *pa = a;
	const struct rates_port *pb = b;

	return top_rates_compare(pa, pb, pa->rx_packets, pb->rx_packets);
}

/** Order for qsort(): by rate sent, descending, then by name. */
static int
top_rates_by_tx(const void *a, const void *b)
{
	const struct rates_port *pa = a;
	const struct rates_port *pb = b;

	return top_rates_compare(pa, pb, pa->tx_packets, pb->tx_packets);
}

/** Order for qsort(): by rate of drops, descending, then by name. */
static int
top_rates_by_drops(const void *a, const void *b)
{
	const struct rates_port *pa = a;
	const struct rates_port *pb = b;

	return top_rates_compare(pa, pb, pa->drops, pb->drops);
}

void
top_rates_sort(struct rates *rates, enum rates_order order)
{
	static int (*const compare[])(const void *, const void *) = {
		[RATES_BY_NAME] = top_rates_by_name,
		[RATES_BY_RX] = top_rates_by_rx,
		[RATES_BY_TX] = top_rates_by_tx,
		[RATES_BY_DROPS] = top_rates_by_drops,
	};

	if (rates->n_ports > 1)
		qsort(rates->ports, rates->n_ports, sizeof(rates->ports[0]), compare[order]);
}

const struct rates_port *
top_rates_ports(const struct rates *rates, size_t *n)
{
	*n = rates->n_ports;
	return rates->ports;
}

const struct rates_lcore *
top_rates_lcores(const struct rates *rates, size_t *n)
{
	*n = rates->n_lcores;
	return rates->lcores;
}

void
top_rates_free(struct rates *rates)
{
	if (rates == NULL)
		return;
	top_rates_reset(rates);
	json_decref(rates->indexes);
	free(rates->histories);
	free(rates->ports);
	free(rates->lcores);
	free(rates);
}
