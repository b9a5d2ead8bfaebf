/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers the RPC methods, and reads parameters that several of them have. */
#include "control/methods.h"

#include <errno.h>

#define METHOD(name) extern const struct rpc_method name##_methods[];
#include "method_list.h"
#undef METHOD

#define METHOD(name) name##_methods,
static const struct rpc_method *const methods_features[] = {
#include "method_list.h"
	NULL};

void
methods_register(struct methods_context *context)
{
	static const struct rpc_method *const own[] = {
		methods_status, methods_port, methods_fdb, methods_lcore, methods_trace, NULL};

	for (unsigned i = 0; own[i] != NULL; i++)
		rpc_register(context->rpc, own[i], context->vswitch);
	for (unsigned i = 0; methods_features[i] != NULL; i++)
		rpc_register(context->rpc, methods_features[i], context);
}

int
methods_parse_filter(struct vswitch *vswitch, json_t *params, json_int_t first,
	struct methods_filter *filter, struct err *err)
{
	static const char *const names[] = {"port", "vlan", NULL};
	json_int_t vlan = -1;

	*filter = (struct methods_filter){.port = PORT_NONE};
	if (rpc_only(params, names, err) < 0 ||
		rpc_number(params, "vlan", first, METHODS_VLAN_LAST, &vlan, err) < 0)
		return -EINVAL;
	filter->vlan = (int)vlan;
	if (json_object_get(params, "port") == NULL)
		return 0;
	const char *name = rpc_text(params, "port", err);
	const struct vswitch_port *port =
		name == NULL ? NULL : vswitch_port_find(vswitch, name, err);
	if (port == NULL)
		return err->code;
	filter->port = port->port.id;
	return 0;
}
