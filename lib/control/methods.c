/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers the RPC methods. */
#include "control/methods.h"

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
