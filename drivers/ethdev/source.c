/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refuses capture files and kernel interfaces whose packets are not Ethernet frames, and capture
 * files with truncated frames: drivers do not check this.
 */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_kvargs.h>

#include "base/file.h"
#include "ethdev/ethdev.h"

/** Name of a link type, see pcap-linktype(7). */
static const char *
source_type(int type)
{
	const char *name = pcap_datalink_val_to_name(type);

	return name != NULL ? name : "unknown";
}

/** Refuse truncated frames. Like the device, this reads no records after a broken one. */
static int
source_records(pcap_t *capture, const char *path, struct err *err)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	for (unsigned long n = 1; pcap_next_ex(capture, &header, &bytes) == 1; n++)
		if (header->caplen < header->len)
			return err_set(err, EINVAL,
				"device: %.120s: frame %lu is cut short, %u of %u bytes; capture "
				"whole frames (tcpdump -s 0)",
				path, n, header->caplen, header->len);
	return 0;
}

/** Check a capture file: its link type and its records. @return 0; negative errno */
static int
source_file(const char *path, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	FILE *stream = file_open_regular(path);
	int rc = 0;

	if (stream == NULL)
		return err_set(err, errno, "device: cannot open '%.120s': %s", path,
			errno == EINVAL ? "not a regular file" : strerror(errno));
	pcap_t *capture = pcap_fopen_offline(stream, reason);
	if (capture == NULL) {
		fclose(stream);
		return err_set(err, EINVAL, "device: cannot open '%.120s': %.80s", path, reason);
	}
	int type = pcap_datalink(capture);
	if (type != DLT_EN10MB)
		rc = err_set(err, EINVAL,
			"device: %.120s: packets of link type %s (%d), not Ethernet frames; capture "
			"on an Ethernet interface",
			path, source_type(type), type);
	else
		rc = source_records(capture, path, err);
	pcap_close(capture);
	return rc;
}

/** @return ARPHRD_* type of a kernel interface; -1 if it does not exist */
static int
source_kind(const char *name)
{
	struct ifreq request = {0};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	int rc = ioctl(fd, SIOCGIFHWADDR, &request);
	close(fd);
	return rc < 0 ? -1 : request.ifr_hwaddr.sa_family;
}

/** @return description of an ARPHRD_* type without Ethernet frames */
static const char *
source_kind_name(int kind)
{
	switch (kind) {
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
		return "IP without Ethernet headers, as tun devices";
	case ARPHRD_PPP:
		return "PPP";
	case ARPHRD_IEEE80211:
	case ARPHRD_IEEE80211_PRISM:
	case ARPHRD_IEEE80211_RADIOTAP:
		return "802.11 in monitor mode";
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
		return "an IP tunnel";
	default:
		return "another";
	}
}

/** Whether a name is a pseudo-interface of libpcap ("any", "nflog") without Ethernet frames. */
static bool
source_is_pseudo(const char *name)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *capture = pcap_create(name, reason);
	bool pseudo = false;

	if (capture != NULL && pcap_activate(capture) >= 0)
		pseudo = pcap_datalink(capture) != DLT_EN10MB;
	if (capture != NULL)
		pcap_close(capture);
	return pseudo;
}

/** Check an interface. One that does not exist is left to the driver to report or create. */
static int
source_interface(const char *name, bool pcap, struct err *err)
{
	int kind = source_kind(name);

	if (kind < 0 && pcap && source_is_pseudo(name))
		return err_set(err, EINVAL,
			"device: '%.40s' has no Ethernet frames; name one Ethernet interface",
			name);
	if (kind < 0 || kind == ARPHRD_ETHER || kind == ARPHRD_LOOPBACK)
		return 0;
	return err_set(err, EINVAL,
		"device: interface %.40s has no Ethernet frames, its kind is %d (%s); name an Ethernet "
		"interface, such as a tap or a veth",
		name, kind, source_kind_name(kind));
}

int
ethdev_source_check(const char *device, struct err *err)
{
	static const char *const interfaces[] = {
		"iface", "rx_iface", "rx_iface_in", "tx_iface", NULL};
	const char *args = strchr(device, ','), *driver = strstr(device, "_pcap");
	bool pcap = driver != NULL && driver < args;
	int rc = 0;

	struct rte_kvargs *list = args != NULL ? rte_kvargs_parse(args + 1, NULL) : NULL;
	if (list == NULL)
		return 0;
	for (unsigned i = 0; rc == 0 && i < list->count; i++) {
		const struct rte_kvargs_pair *pair = &list->pairs[i];
		if (pair->value == NULL)
			continue;
		if (pcap && strcmp(pair->key, "rx_pcap") == 0)
			rc = source_file(pair->value, err);
		for (unsigned k = 0; rc == 0 && interfaces[k] != NULL; k++)
			if (strcmp(pair->key, interfaces[k]) == 0)
				rc = source_interface(pair->value, pcap, err);
	}
	rte_kvargs_free(list);
	return rc;
}
