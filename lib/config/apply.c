/* SPDX-License-Identifier: BSD-3-Clause */
/* Apply a configuration to a running switch, changing only what differs. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "features/table.h"
#include "lcore/topology.h"

LOG_MODULE(config);

/** Find a port of the file by its name. @return NULL: not in the file */
static const struct config_port *
apply_find_port(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_ports; i++)
		if (strcmp(config->ports[i].config.name, name) == 0)
			return &config->ports[i];
	return NULL;
}

/** Keep the first failure of a port for the caller, log later ones. */
static void
apply_failed(struct err *first, const struct config *config, unsigned line, const char *name,
	const struct err *failure)
{
	if (first->code != 0) {
		log_error("%s:%u: port %s: %s", config->path, line, name, failure->text);
		return;
	}
	err_set(first, -failure->code, "%s:%u: port %s: %.200s", config->path, line, name,
		failure->text);
}

/** Append the name of a port to a list of changes. NULL is ignored. */
static void
apply_record(json_t *list, const char *name)
{
	if (list != NULL)
		json_array_append_new(list, json_string(name));
}

/** Delete the ports that the file does not have, or has with another type. */
static void
apply_deletions(
	struct vswitch *vswitch, const struct config *config, struct config_changes *changes)
{
	struct vswitch_port *port = TAILQ_FIRST(&vswitch->ports);

	while (port != NULL) {
		struct vswitch_port *next = TAILQ_NEXT(port, next);
		char name[PORT_NAME_MAX];
		const struct config_port *listed = apply_find_port(config, port->port.config.name);

		if (listed == NULL || listed->config.driver != port->port.config.driver) {
			strcpy(name, port->port.config.name);
			vswitch_port_del(vswitch, name, NULL);
			apply_record(changes->removed, name);
		}
		port = next;
	}
}

/** Add a port of the file, or change it if its configuration differs. */
static void
apply_port(struct vswitch *vswitch, const struct config *config, const struct config_port *listed,
	struct config_changes *changes, struct err *err)
{
	const char *name = listed->config.name;
	const struct vswitch_port *port = vswitch_port_find(vswitch, name, NULL);
	struct err failure = {0};
	int rc;

	if (port != NULL &&
		memcmp(&port->port.config, &listed->config, sizeof(listed->config)) == 0)
		return;
	if (port != NULL)
		rc = vswitch_port_change(vswitch, &listed->config, &failure);
	else
		rc = vswitch_port_add(vswitch, &listed->config, &failure);
	if (rc < 0)
		apply_failed(err, config, listed->line, name, &failure);
	else
		apply_record(port != NULL ? changes->changed : changes->added, name);
}

/** Set the polling lcores, if the file has them. */
static int
apply_lcores(struct vswitch *vswitch, const struct config *config, struct err *err)
{
	cpu_set_t polling;

	if (config->lcores[0] == '\0')
		return 0;
	if (topology_parse(config->lcores, &vswitch->allowed, &polling, err) < 0) {
		err_prefix(err, "%s:%u", config->path, config->lcores_line);
		return -EINVAL;
	}
	return vswitch_lcore_set(vswitch, &polling, err);
}

/** Set the keys of `fdb` that the file has. The capacity cannot change. */
static int
apply_fdb(struct vswitch *vswitch, const struct config *config, struct err *err)
{
	struct fdb_stats stats;

	fdb_get_stats(vswitch->fdb, &stats);
	if (config->fdb.capacity != 0 && config->fdb.capacity != stats.capacity)
		return err_set(err, EBUSY,
			"%s: fdb.capacity: is %u while the switch runs; restart it to change that",
			config->path, stats.capacity);
	if (config->fdb.ageing != 0)
		fdb_set_ageing(vswitch->fdb, config->fdb.ageing);
	if (config->fdb.moves != 0)
		fdb_set_moves(vswitch->fdb, config->fdb.moves);
	return 0;
}

/** Set the address of the metrics server. */
static int
apply_metrics(struct metrics *metrics, const struct config *config, struct err *err)
{
	int rc = metrics_listen(metrics, config->metrics, err);

	return rc < 0 ? err_prefix(err, "%s:%u", config->path, config->metrics_line) : 0;
}

int
config_apply(const struct config_target *target, const struct config *config,
	struct config_changes *changes, struct err *err)
{
	struct vswitch *vswitch = target->vswitch;
	struct config_changes unwanted = {0};
	struct err unread = {0};

	changes = changes != NULL ? changes : &unwanted;
	err = err != NULL ? err : &unread;
	err->code = 0;
	if (apply_fdb(vswitch, config, err) < 0 ||
		apply_metrics(target->metrics, config, err) < 0 ||
		apply_lcores(vswitch, config, err) < 0)
		return err->code;
	apply_deletions(vswitch, config, changes);
	for (unsigned i = 0; vswitch_features[i] != NULL; i++) {
		bool on = config->on[features_index(vswitch_features[i]->feature)];
		if (vswitch_feature_set(vswitch, vswitch_features[i], on, err) < 0)
			return err->code;
	}
	vswitch_publish_defer(vswitch);
	for (unsigned i = 0; i < config->n_ports; i++)
		apply_port(vswitch, config, &config->ports[i], changes, err);
	vswitch_publish_resume(vswitch);
	return err->code;
}

int
config_load(const struct config_target *target, const char *path, bool lcores,
	struct config_changes *changes, enum event_action action, struct err *err)
{
	struct vswitch *vswitch = target->vswitch;
	struct config config;
	int rc = config_read(&config, path, vswitch->drivers, err);

	if (!lcores)
		config.lcores[0] = '\0';
	if (rc == 0)
		rc = config_apply(target, &config, changes, err);
	config_free(&config);
	event_config(vswitch->hub, rc < 0 ? EVENT_FAILED : action, path, rc < 0 ? err->text : NULL);
	return rc;
}
