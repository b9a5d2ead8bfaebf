/* SPDX-License-Identifier: BSD-3-Clause */
/* State of snooping: messages from polling lcores become groups. */
#include "features/snooping/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

LOG_MODULE(control);

uint64_t
snooping_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct snooping *
snooping_create(unsigned lcores)
{
	struct snooping *snooping = calloc(1, sizeof(*snooping));
	uint64_t seed = 0;

	if (snooping == NULL)
		return NULL;
	if (getrandom(&seed, sizeof(seed), 0) < 0)
		log_warning("no random numbers: %s", strerror(errno));
	snooping->groups = groups_create(seed);
	bool good = snooping->groups != NULL;
	for (; good && snooping->lcores < lcores; snooping->lcores++) {
		snooping->ring[snooping->lcores] = snoop_ring_create();
		good = snooping->ring[snooping->lcores] != NULL;
	}
	if (good)
		return snooping;
	snooping_destroy(snooping);
	return NULL;
}

void
snooping_destroy(struct snooping *snooping)
{
	if (snooping == NULL)
		return;
	for (unsigned lcore_id = 0; lcore_id < snooping->lcores; lcore_id++)
		snoop_ring_destroy(snooping->ring[lcore_id]);
	groups_destroy(snooping->groups);
	free(snooping);
}

void
snooping_collect(struct snooping *snooping)
{
	uint64_t now = snooping_now_ms();
	const struct snoop_copy *copy;

	for (unsigned lcore_id = 0; lcore_id < snooping->lcores; lcore_id++) {
		struct snoop_ring *ring = snooping->ring[lcore_id];
		for (int i = 0; i < SNOOP_RING_SLOTS; i++) {
			copy = snoop_ring_front(ring);
			if (copy == NULL)
				break;
			groups_receive(snooping->groups, now, copy->port, copy->vlan, copy->bytes,
				copy->len, copy->ipv6);
			snoop_ring_pop(ring);
		}
	}
}

uint64_t
snooping_lost(const struct snooping *snooping)
{
	uint64_t lost = 0;

	for (unsigned lcore_id = 0; lcore_id < snooping->lcores; lcore_id++)
		lost += spsc_lost(&snooping->ring[lcore_id]->spsc);
	return lost;
}
