/* SPDX-License-Identifier: BSD-3-Clause */
#include "portkey.h"

/* clang-format off: rows read better than blocks */
const struct portkey_type portkey_types[] = {
	{"vhost", "a virtual machine's virtio-net device, over a vhost-user socket"},
	{"ethdev", "what DPDK drives: a NIC, af_packet, af_xdp, pcap, null"},
	{NULL, NULL},
};

const struct portkey portkeys[] = {
	{"vhost", "socket", "PATH", "the vhost-user socket that QEMU and the switch share"},
	{"vhost", "mode", "server|client",
		"who listens on the socket: the switch (server) or QEMU (client)"},
	{"vhost", "queues", "N", "how many pairs of queues the guest may use"},
	{"vhost", "packed", "on|off", "whether to offer packed virtqueues"},
	{"vhost", "tso", "on|off", "whether to offer segmentation offload in both directions"},
	{"vhost", "csum", "on|off", "whether to offer checksum offload in both directions"},
	{"vhost", "mtu", "BYTES",
		"the largest packet, without the Ethernet header; told to the guest"},
	{"vhost", "owner", "USER:GROUP", "who owns the socket that the switch makes"},
	{"vhost", "perm", "MODE", "the permissions of the socket that the switch makes, as 0660"},
	{"vhost", "datapath", "auto|library",
		"who moves frames: the switch where it can (auto), or librte_vhost, to compare"},
	{"ethdev", "device", "DEVARGS",
		"which device: a PCI address, or net_af_packet0,iface=eth0 and the like"},
	{"ethdev", "queues", "N", "how many receive and transmit queues to set up"},
	{"ethdev", "mtu", "BYTES", "the largest packet, without the Ethernet header"},
	{NULL, "numa", "N", "the NUMA node whose memory and lcores serve the port"},
	{NULL, "enabled", "on|off", "whether the port passes frames"},
	{NULL, "mac-limit", "N", "how many addresses may be learned at the port"},
	{NULL, "macs", "LIST", "the only addresses that frames may come from; nothing for any"},
	{NULL, "macs-arp", "on|off",
		"whether ARP and neighbour discovery may speak for these addresses only"},
	{NULL, "storm", "PPS",
		"how many broadcast, multicast and unknown frames a second the port may send; 0 for any"},
	{NULL, "sticky", "on|off", "whether addresses learned at the port stay until they age out"},
	{NULL, NULL, NULL, NULL},
};
/* clang-format on */
