/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands. */
#include "command.h"

#include "capture.h"
#include "help.h"
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
		.help = "what runs, since when, and how much of it",
		.more = "Prints the switch's version, process id and uptime, how many ports it "
			"has, its polling lcores, and how full the filtering table is.",
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
			.help = "how long to wait at most (default: 10)",
			.optional = true}},
		.run = run_wait,
	},
	{
		.words = "stop",
		.help = "stop the switch",
		.more = "Asks the switch to stop and returns when it has closed its socket. "
			"Frames in flight are dropped; the ports' sockets disappear.",
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
				 .help = "what to call the port"},
			{.kind = COMMAND_TYPE,
				.name = "type",
				.shown = "TYPE",
				.help = "what the port is made of, see below"},
			{.kind = COMMAND_KEYS,
				.shown = "key=value",
				.help = "settings, see below",
				.optional = true}},
	},
	{
		.words = "port set",
		.help = "change a port",
		.more = "Changes the keys given and leaves the others as they are. A key that cannot "
			"change while the port is there is refused, and then nothing is changed.\n"
			"\n"
			"Examples:\n"
			"  shunt port set vm1 enabled=off\n"
			"  shunt port set vm1 mac-limit=16",
		.method = "port.set",
		.args = {ARG_PORT, {.kind = COMMAND_KEYS,
					   .shown = "key=value",
					   .help = "settings, see below"}},
	},
	{
		.words = "port del",
		.help = "delete a port",
		.more = "Deletes a port and forgets the addresses learned there.",
		.method = "port.del",
		.args = {ARG_PORT},
	},
	{
		.words = "port list",
		.help = "all ports with link and counters",
		.more = "Prints a line for each port. rx is what the switch received from the port, "
			"tx what it sent to it; queues are receive/transmit queues. Counters count "
			"from the port's creation.",
		.method = "port.list",
		.print = show_port_list,
	},
	{
		.words = "port show",
		.help = "everything about one port",
		.more = "Prints all keys of a port, those left at their default too, and all of its "
			"counters.",
		.method = "port.show",
		.args = {ARG_PORT},
		.print = show_port,
	},
	{
		.words = "port qemu",
		.help = "how to connect a virtual machine to a port",
		.more = "Prints the arguments for QEMU's command line, and what libvirt's XML needs, "
			"that connect a guest to the port. They are those of the "
			"qemu-system-x86_64 that is installed, which is asked for its version, or of "
			"VERSION. Arguments are quoted for a shell, and as they are with -j; lines "
			"that begin with # say what is to be known besides.\n"
			"\n"
			"Vhost-user needs the guest's memory to be shared; what that takes is "
			"included, and stands once in a guest with several ports. The size there is "
			"that of the guest's memory (-m).\n"
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
			"which QEMU, from 7.2 on (default: the one installed)", COMMAND_QEMU, NULL,
			0}},
		.print = show_qemu,
		.run = qemu_run,
	},
	{
		.words = "fdb list",
		.help = "which address is behind which port",
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
		.help = "pin an address to a port",
		.more = "Adds a static entry, which neither ages nor moves.\n"
			"\n"
			"Example:\n"
			"  shunt fdb add 02:00:00:00:00:01 port=vm1 vlan=10",
		.method = "fdb.add",
		.args = {ARG_MAC,
			{.kind = COMMAND_PORT,
				.name = "port",
				.shown = "NAME",
				.help = "the port that the address is behind",
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
		.help = "forget learned addresses",
		.more = "Forgets the dynamic entries of a port, of a VLAN, or all of them; static "
			"ones stay. Frames to forgotten addresses are flooded until they are learned "
			"again.",
		.method = "fdb.flush",
		.args = {ARG_ONLY_PORT("only the addresses at this port"),
			ARG_VLAN("only the addresses in this VLAN")},
		.print = show_flushed,
	},
	{
		.words = "vlan list",
		.help = "which ports carry which VLAN",
		.more = "Prints for each VLAN that ports name which of them carry it, without a tag "
			"and with one, and how many addresses the filtering table has of it. "
			"Neighbouring VLANs with the same ports are one line. Ports that name no "
			"VLANs carry them all, and are not listed.",
		.method = "vlan.list",
		.args = {ARG_ONLY_PORT("only the VLANs of this port, and no other port"),
			ARG_VLAN("only this VLAN")},
		.print = show_vlan_list,
	},
	{
		.words = "group list",
		.help = "who listens to which multicast group",
		.more = "Prints what snooping has heard, which the file turns on with snooping: on: "
			"the members of groups, the ports with multicast routers, and the querier of "
			"each VLAN. Without a querier multicast goes to everybody. A port in "
			"overflow has more groups than are kept for one port, and gets all "
			"multicast of the VLAN. Expires is when a row goes unless it is heard of "
			"again.",
		.method = "group.list",
		.args = {ARG_ONLY_PORT("only what was heard at this port"),
			ARG_VLAN("only what was heard in this VLAN")},
		.print = show_group_list,
	},
	{
		.words = "lcore list",
		.help = "the polling lcores and what they do",
		.more = "Prints for each polling lcore its load since it started (busy cycles of all "
			"cycles), the cycles that a packet took on average, and the receive queues "
			"that it polls, as port:queue. For the load of now see shunt top.",
		.method = "lcore.list",
		.print = show_lcore_list,
	},
	{
		.words = "lcore add",
		.help = "let one more CPU poll",
		.more = "Adds a polling lcore. Queues are spread over it at once.",
		.method = "lcore.add",
		.args = {ARG_LCORE("the CPU")},
	},
	{
		.words = "lcore del",
		.help = "let a CPU poll no more",
		.more = "Deletes a polling lcore after its queues have moved to the others. The last "
			"one cannot be deleted.",
		.method = "lcore.del",
		.args = {ARG_LCORE("the CPU")},
	},
	{
		.words = "lcore balance",
		.help = "spread the queues over the lcores by load",
		.more = "Moves receive queues between the polling lcores, so that each carries about "
			"the same load.",
		.method = "lcore.balance",
		.print = show_moved,
	},
	{
		.words = "drops",
		.help = "which frames were dropped, and why",
		.more = "Prints how many frames were dropped, by port, direction and reason. rx are "
			"frames that came from the port, tx frames that were to leave there. The "
			"owner is who has to act: the guest of the port, or the one that sent; the "
			"switch, that is its configuration or what it has been given; or the peer, "
			"a device or what is at the other end of its link.\n"
			"\n"
			"Reasons, with their owners:" DROP_REASONS(DROPS_LINE),
		.method = "drops",
		.args = {ARG_ONLY_PORT("only this port")},
		.print = show_drops,
	},
	{
		.words = "trace",
		.help = "what the switch would do with a frame, and why",
		.more = "Takes a frame through the stages of the switch as if it had come in at the "
			"port, and prints each step with what decided it: the rule, the table "
			"entry, the ports it would leave by, or why it would be dropped. Nothing "
			"is sent, learnt or counted. Rates and storm limits, which depend on other "
			"traffic, are left out.\n"
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
				.help = "a capture file with frames, instead of hex",
				.keyed = true,
				.optional = true}},
		.print = show_trace,
	},
	{
		.words = "top",
		.help = "watch the switch live",
		.more = "Shows rates of ports with their history, load of lcores, how full the "
			"filtering table is, and the drops that grow fastest, once a second. It "
			"stays when the switch goes away, and shows it again when it is back.\n"
			"\n"
			"Keys: q quits; + and - change the interval; r, t, d and p sort the ports by "
			"rates received, sent and dropped, and by name; the arrows and page keys "
			"scroll; h explains the keys.",
		.run = top_run,
	},
	{
		.words = "capture",
		.help = "record frames of a port, with what became of them",
		.more = "Records what a port receives (rx) and sends (tx), as pcapng for wireshark and "
			"tcpdump, or as a line for each frame. Frames that the switch drops at this "
			"port are there too, with the reason. Ends after COUNT frames, with Ctrl-C, or "
			"when the port goes; frames that could not be read in time are counted as lost. "
			"Frames of a port go on as before, whatever the reader does.\n"
			"\n"
			"FILTER is an expression as tcpdump takes them, see pcap-filter(7).\n"
			"\n"
			"Examples:\n"
			"  shunt capture vm1 -c 10 arp or icmp\n"
			"  shunt capture vm1 -w vm1.pcapng -s 128 tcp port 443\n"
			"  shunt capture vm1 -w - | wireshark -k -i -",
		.method = "capture",
		.args = {ARG_PORT, {.kind = COMMAND_WORDS,
					   .name = "filter",
					   .shown = "FILTER...",
					   .help = "which frames (default: all)",
					   .optional = true}},
		.options = {{'w', "file", "FILE", "write pcapng there; - is standard output",
				    COMMAND_OUTPUT, NULL, 0},
			{'c', "count", "COUNT", "end after so many frames", COMMAND_COUNT, NULL,
				1000000000},
			{'Q', "direction", "rx|tx|both", "which direction (default: both)",
				COMMAND_CHOICE, "rx|tx|both", 0},
			{'s', "snaplen", "BYTES",
				"how much of each frame to record (default: 262144)", COMMAND_COUNT,
				NULL, 262144},
			{'C', "megabytes", "MB",
				"begin another file after so many million bytes: FILE1, FILE2, ...",
				COMMAND_COUNT, NULL, 1000000},
			{'W', "files", "FILES",
				"with -C: so many files at most, FILE0 and on, then over again",
				COMMAND_COUNT, NULL, 100000}},
		.run = capture_run,
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
		.more = "Writes what config show prints, so that the switch comes back like this.",
		.method = "config.save",
		.args = {{.kind = COMMAND_FILE,
			.name = "file",
			.shown = "FILE",
			.help = "where to (default: the file that the switch was started with)",
			.optional = true}},
		.print = show_saved,
	},
	{
		.words = "config apply",
		.help = "make the switch match a file",
		.more = "Adds, deletes and changes ports until they match the file; only ports that "
			"differ are touched. A file with a mistake changes nothing.",
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
			.help = "what to explain",
			.optional = true}},
		.run = help_run,
	},
	{.words = NULL},
};
