/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands. */
#include "command_table.h"

#include "capture.h"
#include "help.h"
#include "monitor.h"
#include "port/drop.h"
#include "qemu.h"
#include "run.h"
#include "show.h"
#include "top.h"

/* Texts of the help for the reasons to drop a frame. */
#define DROPS_DROP_BY_GUEST                        "guest"
#define DROPS_DROP_BY_SWITCH                       "switch"
#define DROPS_DROP_BY_PEER                         "peer"
#define DROPS_DROP_BY_PORT                         "guest or peer"
#define DROPS_LINE(constant, word, owner, meaning) "\n  " word " (" DROPS_##owner "): " meaning

/* Arguments common to several commands. */
#define ARG_PORT                                                                                   \
	{                                                                                          \
		.kind = COMMAND_PORT, .name = "name", .shown = "NAME", .help = "the port"          \
	}
#define ARG_MAC                                                                                    \
	{                                                                                          \
		.kind = COMMAND_MAC, .name = "mac", .shown = "MAC",                                \
		.help = "an Ethernet address such as 02:00:00:00:00:01"                            \
	}
#define ARG_VLAN(text)                                                                             \
	{                                                                                          \
		.kind = COMMAND_VLAN, .name = "vlan", .shown = "N", .help = text, .keyed = true,   \
		.optional = true                                                                   \
	}
#define ARG_ONLY_PORT(text)                                                                        \
	{                                                                                          \
		.kind = COMMAND_PORT, .name = "port", .shown = "NAME", .help = text,               \
		.keyed = true, .optional = true                                                    \
	}
#define ARG_LCORE(text)                                                                            \
	{                                                                                          \
		.kind = COMMAND_LCORE, .name = "lcore", .shown = "N", .help = text                 \
	}

const struct command commands[] = {
	{
		.words = "status",
		.help = "version, uptime, ports, lcores and filtering table",
		.more = "Prints the switch's version, process id, uptime, number of ports, polling "
			"lcores, and the entries and capacity of the filtering table.",
		.method = "status",
		.print = show_status,
	},
	{
		.words = "wait",
		.help = "wait until the switch answers",
		.more = "Returns as soon as the switch answers; exits with 3 when it does not in "
			"time. Meant for scripts that have just started shuntd.",
		.method = "status",
		.args = {{.kind = COMMAND_SECONDS,
			.name = "seconds",
			.shown = "SECONDS",
			.help = "longest time to wait (default: 10)",
			.optional = true}},
		.run = run_wait,
	},
	{
		.words = "stop",
		.help = "stop the switch",
		.more = "Stops the switch and returns when it has closed its socket. Frames in "
			"flight are dropped; the ports' sockets disappear.",
		.method = "stop",
		.run = run_stop,
	},
	{
		.words = "port add",
		.help = "add a port",
		.more = "Adds a port, which passes frames as soon as its link is up. The keys are "
			"those of the configuration file; config save makes the port permanent.\n"
			"\n"
			"Examples:\n"
			"  shunt port add vm1 vhost socket=/run/shunt/vm1.sock mode=client\n"
			"  shunt port add up0 ethdev device=0000:3b:00.0\n"
			"  shunt port add eth0 ethdev device=net_af_packet0,iface=eth0",
		.method = "port.add",
		.args = {{.kind = COMMAND_NAME,
				 .name = "name",
				 .shown = "NAME",
				 .help = "name of the new port"},
			{.kind = COMMAND_TYPE,
				.name = "type",
				.shown = "TYPE",
				.help = "type of the port, see below"},
			{.kind = COMMAND_KEYS,
				.shown = "key=value",
				.help = "keys of the port, see below",
				.optional = true}},
	},
	{
		.words = "port set",
		.help = "change a port",
		.more = "Changes the given keys only. A key that cannot change while the port "
			"exists is refused, and nothing is changed.\n"
			"\n"
			"Examples:\n"
			"  shunt port set vm1 enabled=off\n"
			"  shunt port set vm1 mac-limit=16",
		.method = "port.set",
		.args = {ARG_PORT, {.kind = COMMAND_KEYS,
					   .shown = "key=value",
					   .help = "keys of the port, see below"}},
	},
	{
		.words = "port del",
		.help = "delete a port",
		.more = "Deletes a port and removes the addresses learned at it.",
		.method = "port.del",
		.args = {ARG_PORT},
	},
	{
		.words = "port list",
		.help = "all ports with link and counters",
		.more = "Prints a line for each port. rx counts frames that the switch received "
			"from the port, tx frames that it sent to it; queues are receive/transmit "
			"queues. Counters count from the port's creation.",
		.method = "port.list",
		.print = show_port_list,
	},
	{
		.words = "port show",
		.help = "everything about one port",
		.more = "Prints all keys of a port, including those at their default, and all of "
			"its counters.",
		.method = "port.show",
		.args = {ARG_PORT},
		.print = show_port,
	},
	{
		.words = "port qemu",
		.help = "how to connect a virtual machine to a port",
		.more = "Prints the arguments of QEMU's command line, and the elements of "
			"libvirt's XML, that connect a guest to the port. They suit the version of "
			"the installed qemu-system-x86_64, or VERSION. Arguments are quoted for a "
			"shell, without quotes with -j; lines that begin with # are hints.\n"
			"\n"
			"Vhost-user needs shared guest memory; the arguments for it are included, "
			"and needed once in a guest with several ports. Their size is that of the "
			"guest's memory (-m).\n"
			"\n"
			"Ports with mode=client connect to QEMU, with the same arguments for every "
			"version, and again after a restart of either side. For mode=server QEMU "
			"from 9.2 on takes reconnect-ms where older ones take reconnect, and 11.0 "
			"neither.\n"
			"\n"
			"Examples:\n"
			"  shunt port qemu vm1\n"
			"  shunt port qemu vm1 --qemu 10.0",
		.method = "port.qemu",
		.args = {ARG_PORT},
		.options = {{'\0', "qemu", "VERSION",
			"version of QEMU, from 7.2 on (default: the installed one)", COMMAND_QEMU,
			NULL, 0}},
		.print = show_qemu,
		.run = qemu_run,
	},
	{
		.words = "fdb list",
		.help = "addresses and their ports",
		.more = "Prints the filtering table: the addresses learned (dynamic) and added "
			"(static). Age is the time since an address last sent a frame. VLAN 0 is "
			"untagged traffic.",
		.method = "fdb.list",
		.args = {ARG_ONLY_PORT("only the addresses at this port"),
			ARG_VLAN("only the addresses in this VLAN")},
		.print = show_fdb_list,
	},
	{
		.words = "fdb add",
		.help = "add a static address to a port",
		.more = "Adds a static entry, which neither ages nor moves.\n"
			"\n"
			"Example:\n"
			"  shunt fdb add 02:00:00:00:00:01 port=vm1 vlan=10",
		.method = "fdb.add",
		.args = {ARG_MAC,
			{.kind = COMMAND_PORT,
				.name = "port",
				.shown = "NAME",
				.help = "the port of the address",
				.keyed = true},
			ARG_VLAN("the VLAN (default: 0, untagged)")},
	},
	{
		.words = "fdb del",
		.help = "delete an address",
		.more = "Deletes an entry, static or dynamic. An address that still sends is learned "
			"again.",
		.method = "fdb.del",
		.args = {ARG_MAC, ARG_VLAN("the VLAN (default: 0, untagged)")},
	},
	{
		.words = "fdb flush",
		.help = "remove learned addresses",
		.more = "Removes the dynamic entries of a port, of a VLAN, or all of them; static "
			"ones stay. Frames to removed addresses are flooded until they are learned "
			"again.",
		.method = "fdb.flush",
		.args = {ARG_ONLY_PORT("only the addresses at this port"),
			ARG_VLAN("only the addresses in this VLAN")},
		.print = show_flushed,
	},
	{
		.words = "vlan list",
		.help = "VLANs and their ports",
		.more = "Prints for each VLAN that a port names the ports that carry it, untagged "
			"and tagged, and its number of addresses in the filtering table. "
			"Consecutive VLANs with the same ports are one line. Ports that name no "
			"VLANs carry all, and are not listed.",
		.method = "vlan.list",
		.args = {ARG_ONLY_PORT("only the VLANs of this port, and no other port"),
			ARG_VLAN("only this VLAN")},
		.print = show_vlan_list,
	},
	{
		.words = "group list",
		.help = "multicast groups and their members",
		.more = "Prints the results of snooping, which the key snooping of the file "
			"enables: the members of groups, the ports with multicast routers, and the "
			"querier of each VLAN. Without a querier multicast is flooded. A port in "
			"overflow has exceeded the limit of groups of a port, and gets all "
			"multicast of the VLAN. Expires is the time until a row is removed unless "
			"it is refreshed.",
		.method = "group.list",
		.args = {ARG_ONLY_PORT("only the groups of this port"),
			ARG_VLAN("only the groups of this VLAN")},
		.print = show_group_list,
	},
	{
		.words = "lcore list",
		.help = "load and queues of polling lcores",
		.more = "Prints for each polling lcore its load since it started (busy cycles of "
			"all cycles), the cycles that a packet took on average, and the receive "
			"queues that it polls, as port:queue. For the current load see shunt top.",
		.method = "lcore.list",
		.print = show_lcore_list,
	},
	{
		.words = "lcore add",
		.help = "add a polling lcore",
		.more = "Adds a polling lcore. It takes its share of the queues at once.",
		.method = "lcore.add",
		.args = {ARG_LCORE("the CPU")},
	},
	{
		.words = "lcore del",
		.help = "delete a polling lcore",
		.more = "Deletes a polling lcore after its queues have moved to the others. The last "
			"one cannot be deleted.",
		.method = "lcore.del",
		.args = {ARG_LCORE("the CPU")},
	},
	{
		.words = "lcore balance",
		.help = "balance the queues over the lcores by load",
		.more = "Moves receive queues between the polling lcores, so that each carries about "
			"the same load.",
		.method = "lcore.balance",
		.print = show_moved,
	},
	{
		.words = "drops",
		.help = "dropped frames by reason",
		.more = "Prints the number of dropped frames by port, direction and reason. rx are "
			"frames received from the port, tx frames to be sent to it. The owner is "
			"the side that can end the drops: the guest of the port, or the guest that "
			"sent; the switch, by its configuration or resources; or the peer, a "
			"device or the other end of its link.\n"
			"\n"
			"Reasons, with their owners:" DROP_REASONS(DROPS_LINE),
		.method = "drops",
		.args = {ARG_ONLY_PORT("only this port")},
		.print = show_drops,
	},
	{
		.words = "trace",
		.help = "show the path of a frame through the switch",
		.more = "Takes a frame through the stages of the switch as if it were received "
			"from the port, and prints each step with its reason: the rule, the table "
			"entry, the egress ports, or the drop reason. Nothing is sent, learned or "
			"counted. Rates and storm limits, which depend on other traffic, are not "
			"applied.\n"
			"\n"
			"Examples:\n"
			"  shunt trace vm1 hex=ffffffffffff020000000001080600010800060400010200\n"
			"  shunt trace up0 pcap=frames.pcap",
		.method = "trace",
		.args = {ARG_PORT,
			{.kind = COMMAND_HEX,
				.name = "hex",
				.shown = "BYTES",
				.help = "the frame from its destination address on, without "
					"checksum",
				.keyed = true,
				.optional = true},
			{.kind = COMMAND_FILE,
				.name = "pcap",
				.shown = "FILE",
				.help = "a capture file with frames",
				.keyed = true,
				.optional = true}},
		.print = show_trace,
	},
	{
		.words = "top",
		.help = "show the load of the switch live",
		.more = "Shows rates of ports with their history, load of lcores, entries of the "
			"filtering table, and the drop reasons that grow fastest, once a second. "
			"It keeps running while the switch is down, and reconnects.\n"
			"\n"
			"Keys: q quits; + and - change the interval; r, t, d and p sort the ports "
			"by rates received, sent and dropped, and by name; the arrows and page "
			"keys scroll; h explains the keys.",
		.run = top_run,
	},
	{
		.words = "capture",
		.help = "record frames of a port with their drop reasons",
		.more = "Records the frames that the switch receives from a port (rx) and sends to "
			"it (tx), as pcapng for wireshark and tcpdump, or as a line for each "
			"frame. Frames dropped at this port are included, with the reason. Ends "
			"after COUNT frames, on Ctrl-C, or when the port is deleted; frames that "
			"could not be read in time are counted as lost. The reader never delays "
			"the frames of the port.\n"
			"\n"
			"FILTER is an expression of tcpdump, see pcap-filter(7).\n"
			"\n"
			"Examples:\n"
			"  shunt capture vm1 -c 10 arp or icmp\n"
			"  shunt capture vm1 -w vm1.pcapng -s 128 tcp port 443\n"
			"  shunt capture vm1 -w - | wireshark -k -i -",
		.method = "capture",
		.args = {ARG_PORT, {.kind = COMMAND_WORDS,
					   .name = "filter",
					   .shown = "FILTER...",
					   .help = "frames to record (default: all)",
					   .optional = true}},
		.options = {{'w', "file", "FILE", "write pcapng to FILE; - is standard output",
				    COMMAND_OUTPUT, NULL, 0},
			{'c', "count", "COUNT", "end after COUNT frames", COMMAND_COUNT, NULL,
				1000000000},
			{'Q', "direction", "rx|tx|both", "direction of frames (default: both)",
				COMMAND_CHOICE, "rx|tx|both", 0},
			{'s', "snaplen", "BYTES", "bytes of each frame to record (default: 262144)",
				COMMAND_COUNT, NULL, 262144},
			{'C', "megabytes", "MB",
				"begin a new file after MB million bytes: FILE1, FILE2, ...",
				COMMAND_COUNT, NULL, 1000000},
			{'W', "files", "FILES",
				"with -C: at most FILES files, from FILE0 on, then overwrite the first",
				COMMAND_COUNT, NULL, 100000}},
		.run = capture_run,
	},
	{
		.words = "monitor",
		.help = "print events as they happen",
		.more = "Prints a line for each event, or with -j a JSON document in one line. Ends with "
			"0 on Ctrl-C or SIGTERM, and with 3 when the switch goes away.\n"
			"\n"
			"A reader that is too slow loses events, and is told how many. "
			"doc/events.md lists the fields of each event.\n"
			"\n"
			"Examples:\n"
			"  shunt monitor\n"
			"  shunt monitor link front-end\n"
			"  shunt -j monitor fdb | jq .mac",
		.method = "monitor",
		.args = {{.kind = COMMAND_EVENTS,
			.name = "events",
			.shown = "EVENT...",
			.help = "the kinds of events to print (default: all)",
			.optional = true}},
		.run = monitor_run,
	},
	{
		.words = "config show",
		.help = "print the running configuration",
		.more = "Prints the configuration as it is now, in the form of the configuration "
			"file.",
		.method = "config.show",
		.print = show_config,
	},
	{
		.words = "config save",
		.help = "write the running configuration to a file",
		.more = "Writes the output of config show, so that the next start restores it.",
		.method = "config.save",
		.args = {{.kind = COMMAND_FILE,
			.name = "file",
			.shown = "FILE",
			.help = "output file (default: the file that the switch was started with)",
			.optional = true}},
		.print = show_saved,
	},
	{
		.words = "config apply",
		.help = "make the switch match a file",
		.more = "Adds, deletes and changes ports until they match the file; only ports "
			"that differ are touched. A file with an error changes nothing.",
		.method = "config.apply",
		.args = {{.kind = COMMAND_FILE,
			.name = "file",
			.shown = "FILE",
			.help = "the configuration, as YAML"}},
		.print = show_applied,
	},
	{
		.words = "help",
		.help = "help for a command",
		.more = "Prints help for a command, for a group such as port, or an overview.",
		.args = {{.kind = COMMAND_WORDS,
			.name = "words",
			.shown = "COMMAND...",
			.help = "command or group",
			.optional = true}},
		.run = help_run,
	},
	{.words = NULL},
};
