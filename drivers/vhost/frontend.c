/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints how QEMU and libvirt connect a guest to a vhost port, for `shunt port qemu`. */
#include "vhost/frontend.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/qemu_version.h"
#include "vhost/keys.h"

enum {
	FRONTEND_MAC_MAX = 18,
	FRONTEND_PATH_MAX = 2 * VHOST_PATH_MAX, /**< if every character is a comma */
	FRONTEND_RECONNECT_S = 1,               /**< between two attempts of QEMU to connect */
};

/* QEMU renamed the chardev option reconnect= to reconnect-ms= in 9.2; 10.2 has only the latter. */
#define FRONTEND_RECONNECT_MS QEMU_VERSION(9, 2)

/* QEMU 11.0 aborts with reconnect-ms= if the back end does not listen yet; 11.1 does not. */
#define FRONTEND_RECONNECT_ABORTS QEMU_VERSION(11, 0)

/* QEMU 7.2 crashes when a vhost-user device under TCG uses MSI-X; 8.0 does not. */
#define FRONTEND_VECTORS_CRASH QEMU_VERSION(7, 2)

/* Libvirt 12, of the same time, starts a guest with <mtu>; 9.0 and 11.3, of older QEMU, do not. */
#define FRONTEND_LIBVIRT_MTU QEMU_VERSION(11, 1)

/** Whether the UTF-8 character is a control character (C0, DEL, C1), U+FFFE or U+FFFF. */
static bool
frontend_is_forbidden(const unsigned char *at)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return true;
	if (at[0] == 0xc2)
		return at[1] >= 0x80 && at[1] < 0xa0;
	return at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;
}

bool
vhost_frontend_path_valid(const char *path)
{
	for (const unsigned char *at = (const void *)path; *at != '\0'; at++)
		if (frontend_is_forbidden(at))
			return false;
	return true;
}

/** Escape commas for QEMU's options, by doubling. @return text */
static char *
frontend_escape_commas(const char *path, char text[FRONTEND_PATH_MAX])
{
	char *to = text;

	for (; *path != '\0'; path++) {
		*to++ = *path;
		if (*path == ',')
			*to++ = ',';
	}
	*to = '\0';
	return text;
}

/** Print text escaped for an XML attribute. */
static void
frontend_print_attribute(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '\'':
			fputs("&apos;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			putc(*text, file);
		}
	}
}

/** Append an argument of QEMU. */
static void frontend_add_arg(struct port_frontend *frontend, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
frontend_add_arg(struct port_frontend *frontend, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(frontend->args[frontend->n_args++], KEY_VALUE_MAX, format, args);
	va_end(args);
}

/** Append a hint. @param hint constant text */
static void
frontend_add_hint(struct port_frontend *frontend, const char *hint)
{
	frontend->hints[frontend->n_hints++] = hint;
}

/** Derive a locally administered address from the name of a port (FNV-1a). */
static void
frontend_format_mac(const char *name, char text[FRONTEND_MAC_MAX])
{
	uint32_t hash = 2166136261U;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619U;
	snprintf(text, FRONTEND_MAC_MAX, "52:54:%02x:%02x:%02x:%02x", hash >> 24, hash >> 16 & 0xff,
		hash >> 8 & 0xff, hash & 0xff);
}

/** Format options of QEMU's chardev: whether it listens, else how it reconnects. */
static void
frontend_chardev_options(const struct vhost_config *config, unsigned qemu, char text[], size_t size)
{
	text[0] = '\0';
	if (config->mode == VHOST_CLIENT)
		snprintf(text, size, ",server=on,wait=off");
	else if (qemu == QEMU_UNKNOWN || qemu == FRONTEND_RECONNECT_ABORTS)
		return;
	else if (qemu < FRONTEND_RECONNECT_MS)
		snprintf(text, size, ",reconnect=%d", FRONTEND_RECONNECT_S);
	else
		snprintf(text, size, ",reconnect-ms=%d", 1000 * FRONTEND_RECONNECT_S);
}

/** Append the arguments of QEMU for memory, socket and network device. */
static void
frontend_add_args(const struct port *port, const char *mac, struct port_frontend *frontend)
{
	const struct vhost_config *config = port_driver_config(port);
	const char *name = port->config.name;
	char path[FRONTEND_PATH_MAX], side[32], mtu[32] = "", queues[32] = "", device[96] = "";

	frontend_chardev_options(config, frontend->qemu, side, sizeof(side));
	if (config->mtu > 0)
		snprintf(mtu, sizeof(mtu), ",host_mtu=%" PRId64, config->mtu);
	if (config->queues > 1) {
		snprintf(queues, sizeof(queues), ",queues=%" PRId64, config->queues);
		snprintf(device, sizeof(device), ",mq=on,vectors=%" PRId64, 2 * config->queues + 2);
	}
	frontend_add_arg(frontend, "-object memory-backend-memfd,id=mem,size=1G,share=on");
	frontend_add_arg(frontend, "-numa node,memdev=mem");
	frontend_add_arg(frontend, "-chardev socket,id=chr-%s,path=%s%s", name,
		frontend_escape_commas(config->socket, path), side);
	frontend_add_arg(
		frontend, "-netdev vhost-user,id=net-%s,chardev=chr-%s%s", name, name, queues);
	frontend_add_arg(frontend, "-device virtio-net-pci,netdev=net-%s,mac=%s%s%s%s%s", name, mac,
		mtu, device, config->packed ? ",packed=on" : "", config->csum ? "" : ",csum=off");
}

/** Append hints on defects of the version of QEMU or libvirt. */
static void
frontend_add_hints(const struct vhost_config *config, struct port_frontend *frontend)
{
	bool server = config->mode == VHOST_SERVER;

	if (server && frontend->qemu == QEMU_UNKNOWN)
		frontend_add_hint(frontend,
			"no reconnect option is valid for every version; without one the guest "
			"stays offline when the switch restarts; a port with mode=client does not");
	if (server && frontend->qemu == FRONTEND_RECONNECT_ABORTS)
		frontend_add_hint(frontend,
			"without reconnect-ms, with which QEMU 11.0 aborts, the guest stays offline "
			"when the switch restarts; a port with mode=client does not");
	if (frontend->qemu == QEMU_UNKNOWN || frontend->qemu == FRONTEND_VECTORS_CRASH)
		frontend_add_hint(frontend,
			config->queues > 1
				? "QEMU 7.2 without KVM (accel=tcg) crashes unless the device has "
				  "vectors=0, instead of its vectors"
				: "QEMU 7.2 without KVM (accel=tcg) crashes unless the device has "
				  "vectors=0");
	if (config->mtu > 0 && frontend->qemu < FRONTEND_LIBVIRT_MTU)
		frontend_add_hint(frontend,
			"libvirt 9.0 to 11.3 starts no guest whose vhost-user interface has <mtu>, "
			"so that is a comment: set the MTU in the guest; 12.8 accepts it");
}

/** Print <mtu>; commented out for libvirt that seeks an interface of the host and fails. */
static void
frontend_print_mtu(FILE *file, const struct vhost_config *config, unsigned qemu)
{
	bool accepted = qemu != QEMU_UNKNOWN && qemu >= FRONTEND_LIBVIRT_MTU;

	if (config->mtu > 0)
		fprintf(file, "  %s<mtu size='%" PRId64 "'/>%s\n", accepted ? "" : "<!-- ",
			config->mtu, accepted ? "" : " -->");
}

/** Print <source>: libvirt translates <reconnect> for its version of QEMU. */
static void
frontend_print_source(FILE *file, const struct vhost_config *config, unsigned qemu)
{
	bool server = config->mode == VHOST_SERVER;

	fputs("  <source type='unix' path='", file);
	frontend_print_attribute(file, config->socket);
	fprintf(file, "' mode='%s'", server ? "client" : "server");
	if (server && qemu != FRONTEND_RECONNECT_ABORTS)
		fprintf(file, ">\n    <reconnect enabled='yes' timeout='%d'/>\n  </source>\n",
			FRONTEND_RECONNECT_S);
	else
		fputs("/>\n", file);
}

/** Print <driver>: queue pairs, packed rings, checksum offload. */
static void
frontend_print_driver(FILE *file, const struct vhost_config *config)
{
	fputs("  <driver name='vhost'", file);
	if (config->queues > 1)
		fprintf(file, " queues='%" PRId64 "'", config->queues);
	if (config->packed)
		fputs(" packed='on'", file);
	fputs(config->csum ? "/>\n" : ">\n    <host csum='off'/>\n  </driver>\n", file);
}

/** Print <interface>. */
static void
frontend_print_interface(
	FILE *file, const struct vhost_config *config, const char *mac, unsigned qemu)
{
	fprintf(file, "<interface type='vhostuser'>\n  <mac address='%s'/>\n", mac);
	frontend_print_source(file, config, qemu);
	fputs("  <model type='virtio'/>\n", file);
	frontend_print_driver(file, config);
	frontend_print_mtu(file, config, qemu);
	fputs("</interface>\n", file);
}

void
vhost_frontend(const struct port *port, struct port_frontend *frontend)
{
	const struct vhost_config *config = port_driver_config(port);
	FILE *xml = fmemopen(frontend->xml, sizeof(frontend->xml), "w");
	char mac[FRONTEND_MAC_MAX];

	frontend_format_mac(port->config.name, mac);
	frontend_add_args(port, mac, frontend);
	frontend_add_hints(config, frontend);
	snprintf(frontend->domain, sizeof(frontend->domain),
		"<memoryBacking>\n"
		"  <source type='memfd'/>\n"
		"  <access mode='shared'/>\n"
		"</memoryBacking>\n");
	if (xml == NULL)
		return;
	frontend_print_interface(xml, config, mac, frontend->qemu);
	fclose(xml);
}
