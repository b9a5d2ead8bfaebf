/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps journals of rings (vring/journal.h) in a shared-memory file that the next process finds
 * again. The file lies beside the control socket if that is on a tmpfs, else in /dev/shm: on a disk
 * the kernel would block polling lcores while it writes the file back. The file is sparse: journals
 * of unused rings take no memory.
 */
#include "vhost/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <rte_malloc.h>

#include "base/log.h"
#include "vhost/keys.h"

LOG_MODULE(vhost);

enum {
	JOURNAL_PORTS = 1024, /* max. front ends of the library */
	JOURNAL_RINGS = 2 * PORT_QUEUES_MAX,
	JOURNAL_PAGE = 4096,
	JOURNAL_TRIES = 100, /* a process that was killed releases its lock a moment later */
	JOURNAL_PAUSE_US = 10000,
};

/** Changes with the layout of the file. */
static const char journal_format[16] = "shunt rings 1";

/** A port's entry in the file. */
struct journal_port {
	char socket[VHOST_PATH_MAX]; /**< empty = free */
	uint64_t sequence;           /**< journal_file.sequence when a port last took it */
};

struct journal_file {
	char format[sizeof(journal_format)];
	uint64_t sequence; /**< counts the times that an entry was taken */
	struct journal_port port[JOURNAL_PORTS];
	_Alignas(JOURNAL_PAGE) struct virtq_journal ring[JOURNAL_PORTS][JOURNAL_RINGS];
};

_Static_assert(sizeof(struct virtq_journal[JOURNAL_RINGS]) % JOURNAL_PAGE == 0,
	"pages of one port are no other's");

/* Only used by the control thread. */
static struct journal_file *journal_file;
static bool journal_used[JOURNAL_PORTS];
static char journal_path[PATH_MAX];
static int journal_fd = -1;

/** @return true if the directory of a path is on a tmpfs */
static bool
journal_in_memory(const char *path)
{
	char copy[PATH_MAX];
	struct statfs status;

	snprintf(copy, sizeof(copy), "%s", path);
	return statfs(dirname(copy), &status) == 0 && status.f_type == TMPFS_MAGIC;
}

/** Set journal_path: the same file for a control socket, by whichever path it is named. */
static void
journal_choose_path(const char *control)
{
	char copy[PATH_MAX], folder[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", control);
	if (journal_in_memory(control) || realpath(dirname(copy), folder) == NULL) {
		snprintf(journal_path, sizeof(journal_path), "%s.rings", control);
		return;
	}
	const char *name = strrchr(control, '/');
	int length = snprintf(journal_path, sizeof(journal_path), "/dev/shm/shunt%s/%s.rings",
		folder, name != NULL ? name + 1 : control);
	for (int i = sizeof("/dev/shm/") - 1; i < length; i++)
		if (journal_path[i] == '/')
			journal_path[i] = '-';
}

/** Open and lock the file. Refuse one that other users can access: the folder may be public. */
static int
journal_open_locked(void)
{
	struct stat status;

	journal_fd = open(journal_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (journal_fd < 0 || fstat(journal_fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1 ||
		(status.st_mode & 077) != 0)
		return -EPERM;
	for (unsigned tries = 1; flock(journal_fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK || tries == JOURNAL_TRIES)
			return -errno;
		usleep(JOURNAL_PAUSE_US);
	}
	return 0;
}

/** Allocate memory for a part of the file: access to a page without memory raises SIGBUS. */
static int
journal_reserve(const void *part, size_t size)
{
	off_t offset = (const uint8_t *)part - (const uint8_t *)journal_file;

	return fallocate(journal_fd, 0, offset, (off_t)size) < 0 ? -errno : 0;
}

/** Map the file; pages of journals are allocated by journal_reserve(). */
static int
journal_map(void)
{
	void *map = mmap(NULL, sizeof(struct journal_file), PROT_READ | PROT_WRITE, MAP_SHARED,
		journal_fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	journal_file = map;
	return journal_reserve(map, offsetof(struct journal_file, ring));
}

/** Format the file: discard its contents, map it and write its format. */
static int
journal_format_file(void)
{
	if (ftruncate(journal_fd, 0) < 0 || ftruncate(journal_fd, sizeof(struct journal_file)) < 0)
		return -errno;
	int rc = journal_file == NULL
			 ? journal_map()
			 : journal_reserve(journal_file, offsetof(struct journal_file, ring));
	if (rc == 0)
		memcpy(journal_file->format, journal_format, sizeof(journal_format));
	return rc;
}

/** Open and map the file; a new or foreign one is formatted. @return 0; negative errno */
static int
journal_open_file(void)
{
	int rc = journal_open_locked();
	struct stat status;

	if (rc < 0)
		return rc;
	if (fstat(journal_fd, &status) < 0)
		return -errno;
	if (status.st_size != sizeof(struct journal_file))
		return journal_format_file();
	rc = journal_map();
	if (rc < 0 || memcmp(journal_file->format, journal_format, sizeof(journal_format)) == 0)
		return rc;
	return journal_format_file();
}

/** Unmap and close the file, if it is open. */
static void
journal_unmap(void)
{
	if (journal_file != NULL)
		munmap(journal_file, sizeof(*journal_file));
	if (journal_fd >= 0)
		close(journal_fd);
	journal_file = NULL;
	journal_fd = -1;
}

void
vhost_journal_open(const char *control)
{
	journal_choose_path(control);
	int rc = journal_open_file();
	if (rc == 0)
		return;
	journal_unmap();
	log_warning("%s: %s: guests with packed rings will need their driver reloaded after a "
		    "restart of the switch",
		journal_path, strerror(-rc));
}

/** Clear a port's journals by freeing their pages. @return true on success */
static bool
journal_clear(unsigned i)
{
	journal_file->port[i].socket[0] = '\0';
	return madvise(journal_file->ring[i], sizeof(journal_file->ring[i]), MADV_REMOVE) == 0;
}

/** @return unused entry of this socket, else a free one, else the oldest; JOURNAL_PORTS = none */
static unsigned
journal_find(const char *socket)
{
	unsigned best = JOURNAL_PORTS;

	for (unsigned i = 0; i < JOURNAL_PORTS; i++) {
		const struct journal_port *port = &journal_file->port[i];
		if (journal_used[i])
			continue;
		if (strncmp(port->socket, socket, sizeof(port->socket)) == 0)
			return i;
		if (best == JOURNAL_PORTS ||
			(journal_file->port[best].socket[0] != '\0' &&
				(port->socket[0] == '\0' ||
					port->sequence < journal_file->port[best].sequence)))
			best = i;
	}
	return best;
}

/** Take a port's entry in the file. @return its journals; NULL: no entry is free, or no memory */
static struct virtq_journal *
journal_take_entry(const char *socket, unsigned rings)
{
	unsigned i = journal_find(socket);

	if (i == JOURNAL_PORTS)
		return NULL;
	struct journal_port *port = &journal_file->port[i];
	bool same = strncmp(port->socket, socket, sizeof(port->socket)) == 0;
	if (!same && !journal_clear(i))
		return NULL;
	int rc = journal_reserve(journal_file->ring[i], rings * sizeof(struct virtq_journal));
	if (rc < 0) {
		log_warning("%s: %s: packed rings of %s will not survive a restart of the switch",
			journal_path, strerror(-rc), socket);
		return NULL;
	}
	snprintf(port->socket, sizeof(port->socket), "%s", socket);
	port->sequence = ++journal_file->sequence;
	journal_used[i] = true;
	return journal_file->ring[i];
}

struct virtq_journal *
vhost_journal_get(const char *socket, unsigned rings)
{
	struct virtq_journal *journal =
		journal_file != NULL ? journal_take_entry(socket, rings) : NULL;

	/* Without the file, journals last for as long as the port. */
	return journal != NULL ? journal : rte_zmalloc("journal", rings * sizeof(*journal), 64);
}

/** Whether a ring needs its journal: a front end cannot give the position of a packed ring. */
static bool
journal_needed(const struct virtq_journal *journal, unsigned rings)
{
	for (unsigned ring = 0; ring < rings; ring++)
		if (journal[ring].size != 0 && journal[ring].packed)
			return true;
	return false;
}

void
vhost_journal_put(struct virtq_journal *journal, unsigned rings)
{
	for (unsigned i = 0; i < JOURNAL_PORTS && journal_file != NULL; i++) {
		if (journal != journal_file->ring[i])
			continue;
		journal_used[i] = false;
		if (!journal_needed(journal, rings))
			journal_clear(i);
		return;
	}
	rte_free(journal);
}

void
vhost_journal_close(void)
{
	bool needed = false;

	if (journal_fd >= 0) {
		for (unsigned i = 0; i < JOURNAL_PORTS; i++)
			needed = needed || journal_file->port[i].socket[0] != '\0';
		if (!needed)
			unlink(journal_path);
	}
	journal_unmap();
}
