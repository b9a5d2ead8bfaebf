/* SPDX-License-Identifier: BSD-3-Clause */
/* Arbitrary configuration files, for the existing drivers. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "drivers.h"
#include "lcore/topology.h"

static void
visit(const struct key *key, const char *value, void *arg)
{
	struct port_config *copy = arg;

	fuzz_check(port_config_set(copy, key->name, value, NULL) == 0);
}

/**
 * The saved keys of a port, which are those that differ from the defaults, make the same port
 * again.
 */
static void
check_port(const struct config_port *port)
{
	struct port_config copy;

	fuzz_check(port->line > 0);
	fuzz_check(port_config_check(&port->config, NULL) == 0);
	fuzz_check(port_config_init(&copy, drivers, port->config.name,
			   port->config.driver->type->name, NULL) == 0);
	port_config_visit(&port->config, false, visit, &copy);
	fuzz_check(memcmp(&copy, &port->config, sizeof(copy)) == 0);
	fuzz_check(port_config_is_live(&copy, &port->config));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config = {.path = "fuzz"};
	struct err err = {0};
	cpu_set_t allowed, polling;

	config.lcores[0] = '\0';
	config.fdb = (struct fdb_config){0};
	if (config_parse(&config, (const char *)data, size, drivers, &err) < 0) {
		fuzz_check(err.code == -EINVAL);
		fuzz_check(strncmp(err.text, "fuzz:", 5) == 0 && err.text[5] >= '1');
	} else {
		for (unsigned i = 0; i < config.n_ports; i++)
			check_port(&config.ports[i]);
		CPU_ZERO(&allowed);
		for (int cpu = 0; cpu < 16; cpu++)
			CPU_SET(cpu, &allowed);
		topology_parse(config.lcores, &allowed, &polling, &err);
	}
	config_free(&config);
	return 0;
}
