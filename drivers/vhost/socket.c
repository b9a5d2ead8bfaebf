/* SPDX-License-Identifier: BSD-3-Clause */
/* The path of a listening socket: removes a stale socket, sets owner and mode. */
#include "vhost/socket.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "vhost/keys.h"

LOG_MODULE(vhost);

/** @return true unless a connection to the path is refused: no process listens there */
static bool
socket_is_alive(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
	bool alive = rc == 0 || errno != ECONNREFUSED;
	close(fd);
	return alive;
}

/** Check that the directory of a path exists. @return 0; -ENOENT with the reason */
static int
socket_check_directory(const char *path, struct err *err)
{
	char copy[VHOST_PATH_MAX];
	struct stat status;

	snprintf(copy, sizeof(copy), "%s", path);
	const char *directory = dirname(copy);
	if (stat(directory, &status) < 0 || !S_ISDIR(status.st_mode))
		return err_set(err, ENOENT, "socket: no directory %s", directory);
	return 0;
}

int
vhost_socket_prepare(const char *path, struct err *err)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return socket_check_directory(path, err);
	if (!S_ISSOCK(status.st_mode))
		return err_set(err, EEXIST, "socket: %s exists and is not a socket", path);
	if (socket_is_alive(path))
		return err_set(err, EADDRINUSE, "socket: %s is in use by another program", path);
	if (unlink(path) < 0)
		return err_set(err, errno, "socket: cannot replace %s: %s", path, strerror(errno));
	log_info("%s: unused socket replaced", path);
	return 0;
}

/** Parse "USER:GROUP", names or numbers; -1 = unchanged. */
static int
socket_parse_owner(const char *owner, uid_t *uid, gid_t *gid, struct err *err)
{
	char copy[VHOST_OWNER_MAX], *end;

	snprintf(copy, sizeof(copy), "%s", owner);
	char *group = strchr(copy, ':');
	if (group != NULL)
		*group++ = '\0';
	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (copy[0] != '\0') {
		const struct passwd *user = getpwnam(copy);
		*uid = user != NULL ? user->pw_uid : (uid_t)strtoul(copy, &end, 10);
		if (user == NULL && *end != '\0')
			return err_set(err, EINVAL, "owner: no user %s", copy);
	}
	if (group != NULL && group[0] != '\0') {
		const struct group *entry = getgrnam(group);
		*gid = entry != NULL ? entry->gr_gid : (gid_t)strtoul(group, &end, 10);
		if (entry == NULL && *end != '\0')
			return err_set(err, EINVAL, "owner: no group %s", group);
	}
	return 0;
}

int
vhost_socket_protect(const struct vhost_config *config, struct err *err)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	int rc = socket_parse_owner(config->owner, &uid, &gid, err);

	if (rc < 0)
		return rc;
	if (config->owner[0] != '\0' && chown(config->socket, uid, gid) < 0)
		return err_set(err, errno, "owner: cannot give %s to %s: %s", config->socket,
			config->owner, strerror(errno));
	if (chmod(config->socket, (mode_t)config->perm) < 0)
		return err_set(
			err, errno, "perm: cannot change %s: %s", config->socket, strerror(errno));
	return 0;
}
