/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the plugin of DPDK that is missing when a device cannot be opened. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_ethdev.h>
#include <rte_pci.h>

#include "ethdev/ethdev.h"

/** Names of devices without hardware, and their plugins. */
static const struct plugin {
	const char *device; /* without "net_" */
	const char *name;
} plugins[] = {
	{"af_packet", "net_af_packet"},
	{"af_xdp", "net_af_xdp"},
	{"bonding", "net_bond"},
	{"failsafe", "net_failsafe"},
	{"memif", "net_memif"},
	{"null", "net_null"},
	{"pcap", "net_pcap"},
	{"ring", "net_ring"},
	{"tap", "net_tap"},
	{"tun", "net_tap"},
	{"vdev_netvsc", "net_vdev_netvsc"},
	{"vhost", "net_vhost"},
	{"virtio_user", "net_virtio"},
};

/** @return the plugin of a device such as "net_null0,copy=1"; NULL if the name is unknown */
static const char *
plugin_find(const char *device)
{
	static const char *const prefixes[] = {"net_", "eth_"};

	for (unsigned p = 0; p < RTE_DIM(prefixes); p++) {
		size_t length = strlen(prefixes[p]);

		for (unsigned i = 0; i < RTE_DIM(plugins); i++)
			if (strncmp(device, prefixes[p], length) == 0 &&
				strncmp(device + length, plugins[i].device,
					strlen(plugins[i].device)) == 0)
				return plugins[i].name;
	}
	return NULL;
}

/** @return true if devargs name a PCI device */
static bool
plugin_is_pci(const char *device)
{
	char address[32];
	struct rte_pci_addr parsed;

	snprintf(address, sizeof(address), "%.*s", (int)strcspn(device, ","), device);
	return rte_pci_addr_parse(address, &parsed) == 0;
}

const char *
ethdev_plugin_missing(const char *device, int rc, char text[PLUGINS_TEXT_MAX])
{
	const char *plugin = plugin_find(device);
	bool pci = strncmp(device, "pci:", 4) == 0 || plugin_is_pci(device);
	char package[PLUGINS_TEXT_MAX];

	if (pci && rte_bus_find_by_name("pci") == NULL)
		return plugins_missing("bus_pci", text);
	if (plugin != NULL && rte_bus_find_by_name("vdev") == NULL)
		return plugins_missing("bus_vdev", text);
	if (plugin != NULL && !plugins_present(plugin))
		return plugins_missing(plugin, text);
	if (!pci || rc != -ENOTSUP)
		return NULL;
	snprintf(text, PLUGINS_TEXT_MAX,
		"no driver takes it; its plugin may be missing (apt install %s, or librte-meta-net "
		"for all)",
		plugins_package("net_...", package));
	return text;
}
