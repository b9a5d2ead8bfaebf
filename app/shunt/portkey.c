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
	{NULL, "rate-in", "BITS",
		"how many bits a second are taken from the port, as 100M, or off; what is over is "
		"dropped"},
	{NULL, "rate-out", "BITS",
		"how many bits a second leave by the port, as 100M, or off; what is early waits"},
	{NULL, "burst-in", "BYTES",
		"how much may come at once after a pause, with rate-in, or auto"},
	{NULL, "burst-out", "BYTES",
		"how much may leave at once after a pause, with rate-out, or auto"},
	{NULL, "queue-out", "N",
		"how many frames may wait for rate-out; long ones count for each 2 KB"},
	{NULL, "mirror", "PORT",
		"the port that copies of this port's frames leave by as well; empty for none"},
	{NULL, "mirror-direction", "both|rx|tx",
		"copies of what the switch receives here (rx), sends here (tx), or both"},
	{NULL, "macs", "LIST", "the only addresses that frames may come from; nothing for any"},
	{NULL, "macs-arp", "on|off",
		"whether ARP and neighbour discovery may speak for these addresses only"},
	{NULL, "storm", "PPS",
		"how many broadcast, multicast and unknown frames a second the port may send; 0 for any"},
	{NULL, "sticky", "on|off", "whether addresses learned at the port stay until they age out"},
	{NULL, "fast-leave", "on|off",
		"snooping: whether a host that leaves a group is the only one behind the port"},
	{NULL, "mcast-router", "auto|on|off",
		"snooping: whether a multicast router is behind the port (auto: while one is heard)"},
	{NULL, NULL, NULL, NULL},
};
/* clang-format on */
