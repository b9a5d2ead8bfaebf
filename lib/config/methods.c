/* SPDX-License-Identifier: BSD-3-Clause */
/* RPC methods config.show, config.save and config.apply. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/save.h"

/** RPC method config.show: the running configuration. */
static json_t *
config_show_call(void *arg, json_t *params, struct err *err)
{
	static const char *const none[] = {NULL};
	const struct config_service *service = arg;

	if (rpc_only(params, none, err) < 0)
		return NULL;
	char *yaml = config_print(&service->target);
	json_t *result = json_pack("{s:s, s:o}", "yaml", yaml != NULL ? yaml : "", "config",
		config_json(&service->target));
	free(yaml);
	return result;
}

/**
 * Get the path that a request names.
 *
 * @param otherwise path if it names none
 * @return NULL on failure
 */
static const char *
config_file(json_t *params, const char *otherwise, struct err *err)
{
	static const char *const names[] = {"file", NULL};

	if (rpc_only(params, names, err) < 0)
		return NULL;
	const char *file =
		json_object_get(params, "file") == NULL ? otherwise : rpc_text(params, "file", err);
	if (file != NULL && (file[0] != '/' || strlen(file) >= CONFIG_PATH_MAX)) {
		err_set(err, EINVAL, "file: %.80s is not an absolute path", file);
		return NULL;
	}
	return file;
}

/** RPC method config.save: write the running configuration to a file. */
static json_t *
config_save_call(void *arg, json_t *params, struct err *err)
{
	const struct config_service *service = arg;
	const char *file = config_file(params, service->path, err);

	if (file == NULL)
		return NULL;
	char *yaml = config_print(&service->target);
	int rc = yaml == NULL ? err_set(err, ENOMEM, "no memory")
			      : config_save_text(file, yaml, err);
	free(yaml);
	event_config(service->target.vswitch->hub, rc < 0 ? EVENT_FAILED : EVENT_SAVED, file,
		rc < 0 ? err->text : NULL);
	return rc < 0 ? NULL : json_pack("{s:s}", "file", file);
}

/** RPC method config.apply: read a file and apply it. */
static json_t *
config_apply_call(void *arg, json_t *params, struct err *err)
{
	const struct config_service *service = arg;
	const char *file = config_file(params, service->path, err);

	if (file == NULL)
		return NULL;
	struct config_changes changes = {json_array(), json_array(), json_array()};
	int rc = config_load(&service->target, file, true, &changes, EVENT_APPLIED, err);
	json_t *result = json_pack("{s:o, s:o, s:o}", "added", changes.added, "removed",
		changes.removed, "changed", changes.changed);
	if (rc < 0) {
		json_decref(result);
		return NULL;
	}
	return result;
}

static const struct rpc_method config_methods[] = {
	{"config.show", config_show_call},
	{"config.save", config_save_call},
	{"config.apply", config_apply_call},
	{NULL, NULL},
};

void
config_register(struct rpc *rpc, struct config_service *service)
{
	rpc_register(rpc, config_methods, service);
}
