/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the usage of shunt-vm. */
#include "mode.h"
#include "settings.h"

static const char help_top[] =
	"usage: shunt-vm [-j] [OPTION]... VM [VM]... -- MODE [OPTION]...\n"
	"Vhost-user front ends without virtual machines that load, measure and test a back end,\n"
	"such as a switch.\n"
	"\n"
	"  -j                 one JSON document instead of a table\n"
	"  -h, --help         this text\n"
	"  -V, --version      version\n"
	"  --seconds S        seconds to run (1)\n"
	"  --threads N        threads that poll; VM i is on thread i modulo N (1)\n"
	"  --lcore LIST       CPUs to pin the threads to, such as 0 or 2-3,5\n"
	"  --timeout S        seconds to wait for the back end (5)\n"
	"\n"
	"VM: socket=PATH[,KEY=VALUE]... or PATH alone\n"
	"  server=on          listen; the back end connects\n"
	"  mac=MAC            first address (02:NN:NN:00:00:00, NN:NN is the VM's number)\n"
	"  queues=N size=N    queue pairs (1), ring entries, a power of 2 (1024)\n"
	"  packed=on mrg=on indirect=on event-idx=on in-order=on csum=on tso=on\n"
	"                     virtio features; the back end must offer them\n"
	"  legacy=on          without VIRTIO_F_VERSION_1\n"
	"  chain=N            descriptors of each frame sent, a power of 2 (1)\n"
	"  regions=N          memory regions (1)\n"
	"  mtu=N name=NAME    NET_SET_MTU; name in reports\n"
	"\n"
	"MODE, the number of VMs it takes, and its own options:\n";

static const char help_bottom[] =
	"\n"
	"Options of the load:\n"
	"  --frames N         loop: frames of each VM in circulation (512, or the size of a receive\n"
	"                     ring divided by the number of VMs)\n"
	"  --frame SIZE       64 to 9018, imix (7:4:1 of 64, 594, 1518), or tso (65214-byte TCP\n"
	"                     frames). SIZE counts the 4 bytes of FCS: 64 is 60 bytes in the buffer.\n"
	"                     (64)\n"
	"  --macs N           addresses of all VMs together, up to 1048576; at least one each (1)\n"
	"  --mac-order ORDER  sequential or random\n"
	"  --vlan N           VLAN tag\n"
	"  --burst N          frames handled at once (64)\n"
	"  --rate PPS         frames per second (k, M), or max (max)\n"
	"  --touch            read every cache line received and write every one sent, as a guest\n"
	"                     does that uses its frames; without it payloads stay in the switch's\n"
	"                     cache\n"
	"  --verify           number and checksum every frame, and check it\n"
	"  --sample N         the same for one frame in N; 0: none (64)\n"
	"\n"
	"Exit status: 0 the run ended; 1 a back end refused, closed or did not answer, or a frame was\n"
	"corrupted, duplicated or reordered within its flow; 2 wrong usage.\n";

void
settings_help(FILE *file)
{
	fputs(help_top, file);
	for (const struct mode *mode = modes; mode->name != NULL; mode++) {
		fprintf(file, "  %s%s%s%s%s (%u%s)\n", mode->name,
			mode->argument != NULL ? " " : "",
			mode->argument != NULL ? mode->argument : "",
			mode->options[0] != '\0' ? " " : "", mode->options, mode->vms_min,
			mode->vms_max > mode->vms_min ? " or more" : "");
		fprintf(file, "                     %s\n", mode->help);
	}
	fputs(help_bottom, file);
}
