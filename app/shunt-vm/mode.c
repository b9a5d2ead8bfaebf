/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of modes. */
#include "mode.h"

#include <string.h>

const struct mode modes[] = {
	{"loop", NULL, "[--frames N] [--peer MAC] [--reconnect]",
		"keep frames circling: VM i sends the frames that it receives to VM i + 1; a single "
		"VM sends to --peer, which echoes",
		1, SETTINGS_VMS_MAX, MODE_CEILING, mode_loop},
	{"send", NULL, "[--from N] [--to N] [--both] [--count N]",
		"send from one VM to another, at --rate", 2, SETTINGS_VMS_MAX,
		MODE_CEILING | MODE_PAIR, mode_send},
	{"ndr", NULL, "[--from N] [--to N] [--both] [--loss PERCENT] [--trial S]",
		"RFC 2544: highest rates with no loss (NDR) and with 0.5% (PDR); MRR", 2,
		SETTINGS_VMS_MAX, MODE_CEILING | MODE_PAIR, mode_ndr},
	{"broadcast", NULL, "[--from N] [--loss PERCENT] [--trial S]",
		"RFC 2889: one VM sends to all others at once: rates of copies, latency at the NDR",
		2, SETTINGS_VMS_MAX, MODE_CEILING | MODE_FLOOD, mode_ndr},
	{"latency", NULL, "[--from N] [--to N] [--trial S]",
		"latency at --rate, or at 10, 50, 90% of the NDR", 2, SETTINGS_VMS_MAX, MODE_PAIR,
		mode_latency},
	{"burst", NULL, "[--from N] [--to N]", "RFC 9004: the longest burst without loss", 2,
		SETTINGS_VMS_MAX, MODE_PAIR, mode_burst},
	{"learn", NULL, "",
		"RFC 2889: addresses learned per second, and in all; VM 2 and later detect floods",
		3, SETTINGS_VMS_MAX, MODE_SINGLE, mode_learn},
	{"congestion", NULL, "[--from N] [--to N] [--stall N]",
		"RFC 2889: whether a VM that does not receive delays frames to another", 3,
		SETTINGS_VMS_MAX, 0, mode_congestion},
	{"migrate", NULL, "",
		"stop and start VM 0 under load; all pages written must be in the dirty log", 2,
		SETTINGS_VMS_MAX, 0, mode_migrate},
	{"attack", "NAME", "",
		"VM 0 violates the protocol while the other VMs circle frames; list prints the names",
		0, SETTINGS_VMS_MAX, MODE_UNSEALED | MODE_SINGLE, mode_attack},
	{"echo", NULL, "[--drop-every N] [--dup-every N] [--swap-every N] [--reconnect]",
		"return received frames with swapped addresses; with faults on request", 1,
		SETTINGS_VMS_MAX, MODE_ANY_FRAME | MODE_SINGLE, mode_echo},
	{"replay", "FILE.pcap", "[--max] [--offload]",
		"send a capture with its timing, or as fast as possible; --offload leaves checksums "
		"of TCP and UDP over IPv4, and segmentation of long TCP frames, to the back end",
		1, 1, MODE_ANY_FRAME, mode_replay},
	{"record", "FILE.pcap", "[--count N]", "write received frames to a capture", 1, 1,
		MODE_ANY_FRAME, mode_record},
	{"idle", NULL, "[--reconnect]", "connect and receive", 1, SETTINGS_VMS_MAX, MODE_ANY_FRAME,
		mode_idle},
	{NULL, NULL, NULL, NULL, 0, 0, 0, NULL},
};

const struct mode *
mode_find(const char *name)
{
	for (const struct mode *mode = modes; mode->name != NULL; mode++)
		if (strcmp(mode->name, name) == 0)
			return mode;
	return NULL;
}

/** @return true if the option is one of the mode */
static bool
mode_names(const struct mode *mode, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = mode->options; (at = strstr(at, "[--")) != NULL; at++)
		if (strncmp(at + 3, option, length) == 0 && strchr(" ]", at[3 + length]) != NULL)
			return true;
	return false;
}

bool
mode_takes(const struct mode *mode, const char *option)
{
	bool named = false;

	for (const struct mode *other = modes; other->name != NULL; other++)
		named |= mode_names(other, option);
	return !named || mode_names(mode, option);
}
