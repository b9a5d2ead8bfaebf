/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the uplinks and mirrors of all ports of a switch against each other. */
#include "policy/relations.h"

#include <errno.h>
#include <string.h>

struct relations {
	const struct port_config *const *configs;
	unsigned n;
};

static const struct port_config *
relations_find(const struct relations *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (strcmp(all->configs[i]->name, name) == 0)
			return all->configs[i];
	return NULL;
}

/** Check that a passthru port is the only member of its uplink. */
static int
relations_alone(const struct relations *all, const struct port_config *config, struct err *err)
{
	for (unsigned i = 0; i < all->n; i++) {
		const struct port_config *other = all->configs[i];
		if (other == config || strcmp(other->uplink, config->uplink) != 0)
			continue;
		return err_set(err, EBUSY, "policy: passthru allows one member, and %s has %s too",
			other->name, config->uplink);
	}
	return 0;
}

static int
relations_uplink(const struct relations *all, const struct port_config *config, struct err *err)
{
	if (config->uplink[0] == '\0')
		return 0;
	const struct port_config *uplink = relations_find(all, config->uplink);
	if (uplink == NULL)
		return err_set(err, ENOENT, "uplink: no port '%s'", config->uplink);
	if (uplink->uplink[0] != '\0')
		return err_set(err, EINVAL, "uplink: %s has an uplink itself", uplink->name);
	return config->policy == PORT_PASSTHRU ? relations_alone(all, config, err) : 0;
}

static int
relations_mirror(const struct relations *all, const struct port_config *config, struct err *err)
{
	if (config->mirror[0] == '\0')
		return 0;
	if (strcmp(config->mirror, config->name) == 0)
		return err_set(err, EINVAL, "mirror: a port cannot be its own");
	const struct port_config *mirror = relations_find(all, config->mirror);
	if (mirror == NULL)
		return err_set(err, ENOENT, "mirror: no port '%s'", config->mirror);
	if (mirror->mirror[0] != '\0')
		return err_set(err, EINVAL, "mirror: a loop: %s is itself mirrored, to %s",
			mirror->name, mirror->mirror);
	return 0;
}

int
relations_check(
	const struct port_config *const configs[], unsigned n, unsigned *culprit, struct err *err)
{
	const struct relations all = {configs, n};

	for (unsigned i = 0; i < n; i++) {
		int rc = relations_uplink(&all, configs[i], err);
		if (rc == 0)
			rc = relations_mirror(&all, configs[i], err);
		if (rc == 0)
			continue;
		if (culprit != NULL)
			*culprit = i;
		return rc;
	}
	return 0;
}
