/* SPDX-License-Identifier: BSD-3-Clause */
/* Opens, exchanges and closes the state of all features at a port. */
#include "features/state.h"

#include "features/table.h"

int
features_open(const struct port *port, const struct port_config *config,
	struct features_state *next, struct err *err)
{
	*next = (struct features_state){{NULL}};
	for (unsigned f = 0; features[f] != NULL; f++)
		next->row[f] = port->state[f];
	for (unsigned f = 0; features[f] != NULL; f++) {
		int rc = features[f]->open != NULL
				 ? features[f]->open(port, config, &next->row[f], err)
				 : 0;
		if (rc < 0) {
			features_close(port, next);
			return rc;
		}
	}
	return 0;
}

void
features_swap(struct port *port, struct features_state *state)
{
	for (unsigned f = 0; features[f] != NULL; f++) {
		void *old = port->state[f];
		port->state[f] = state->row[f];
		state->row[f] = old;
	}
}

/** Count the frames that wait in the state of a feature. */
static unsigned
state_backlog(const struct feature *feature, const void *state)
{
	return feature->backlog != NULL && state != NULL ? feature->backlog(state) : 0;
}

/** Drop the frames that wait in the state of a feature. */
static unsigned
state_purge(const struct feature *feature, void *state)
{
	return feature->purge != NULL && state != NULL ? feature->purge(state) : 0;
}

unsigned
features_backlog(const struct port *port)
{
	unsigned backlog = 0;

	for (unsigned f = 0; features[f] != NULL; f++)
		backlog += state_backlog(features[f], port->state[f]);
	return backlog;
}

bool
features_lose_queue(const struct port *port, const struct features_state *next)
{
	for (unsigned f = 0; features[f] != NULL; f++)
		if (port->state[f] != NULL && port->state[f] != next->row[f] &&
			features[f]->backlog != NULL)
			return true;
	return false;
}

unsigned
features_purge(struct port *port)
{
	unsigned dropped = 0;

	for (unsigned f = 0; features[f] != NULL; f++)
		dropped += state_purge(features[f], port->state[f]);
	return dropped;
}

unsigned
features_close(const struct port *port, struct features_state *state)
{
	unsigned dropped = 0;

	for (unsigned f = 0; features[f] != NULL; f++) {
		if (state->row[f] == NULL || state->row[f] == port->state[f])
			continue;
		dropped += state_purge(features[f], state->row[f]);
		features[f]->close(port, state->row[f]);
	}
	return dropped;
}

void
features_close_all(struct port *port)
{
	struct features_state state = {{NULL}};

	features_swap(port, &state);
	features_close(port, &state);
}

void **
features_state_of(struct port *port, const struct feature *feature)
{
	return &port->state[features_index(feature)];
}
