/* SPDX-License-Identifier: BSD-3-Clause */
/* Replace a file atomically, keeping its mode, owner and access control list. */
#include "config/save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	SAVE_LINKS_MAX = 40, /* limit of Linux */
	SAVE_MODE = 0666,    /* of a new file, before the umask */
	SAVE_ACL_MAX = 4096,
};

static const char save_acl[] = "system.posix_acl_access";

struct save {
	const char *path;      /* as given */
	char target[PATH_MAX]; /* with symbolic links resolved */
	char aside[PATH_MAX];  /* the new file, in the same directory */
	struct err *err;
};

/** Set the caller's error, with the path that the file leads to. @return -code */
static int
save_refuse(const struct save *save, int code, const char *reason)
{
	if (strcmp(save->path, save->target) != 0)
		return err_set(save->err, code, "%.100s: leads to %.120s: %s", save->path,
			save->target, reason);
	return err_set(save->err, code, "%.200s: %s", save->path, reason);
}

/** Set the caller's error from errno. @return negative errno */
static int
save_fail(const struct save *save, const char *what)
{
	char reason[ERR_TEXT_MAX / 2];
	int code = errno;

	snprintf(reason, sizeof(reason), "%s%s", what, strerror(code));
	return save_refuse(save, code, reason);
}

/** Resolve one symbolic link. @return 1; 0 when the target is no link; -1 with errno */
static int
save_follow(char target[PATH_MAX])
{
	char link[PATH_MAX], folder[PATH_MAX];
	ssize_t length = readlink(target, link, sizeof(link) - 1);

	if (length < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -1;
	link[length] = '\0';
	strcpy(folder, target);
	int used = link[0] == '/' ? snprintf(target, PATH_MAX, "%s", link)
				  : snprintf(target, PATH_MAX, "%s/%s", dirname(folder), link);
	if (used < PATH_MAX)
		return 1;
	errno = ENAMETOOLONG;
	return -1;
}

/** Resolve all links into save->target; the file that they lead to need not exist. */
static int
save_resolve(struct save *save)
{
	int more = 1;

	if (snprintf(save->target, sizeof(save->target), "%s", save->path) >= PATH_MAX)
		return err_set(save->err, ENAMETOOLONG, "%.80s...: path too long", save->path);
	for (int i = 0; i < SAVE_LINKS_MAX && more > 0; i++)
		more = save_follow(save->target);
	if (more == 0)
		return 0;
	int code = more > 0 ? ELOOP : errno;
	return err_set(save->err, code, "%.200s: %s", save->path, strerror(code));
}

/** Copy owner, mode and access control list of the old file. @return 0; -1 with errno */
static int
save_copy_access(const struct save *save, const struct stat *old, int file)
{
	char acl[SAVE_ACL_MAX];
	ssize_t length = getxattr(save->target, save_acl, acl, sizeof(acl));
	struct stat created;

	if (fstat(file, &created) < 0)
		return -1;
	if ((created.st_uid != old->st_uid || created.st_gid != old->st_gid) &&
		fchown(file, old->st_uid, old->st_gid) < 0)
		return -1;
	if (length <= 0)
		fremovexattr(file, save_acl); /* inherited from the directory */
	if (fchmod(file, old->st_mode & ALLPERMS) < 0)
		return -1;
	/* With an ACL the mode's group bits are its mask; without it they would grant more. */
	return length > 0 ? fsetxattr(file, save_acl, acl, (size_t)length, 0) : 0;
}

/** Write the text and make it durable. @return 0; -1 with errno */
static int
save_write(int file, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(file, text, length);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return fsync(file);
}

/** Write the new file beside the target. @param old file to be replaced; NULL = there is none */
static int
save_aside(struct save *save, const struct stat *old, const char *text)
{
	int file, rc = 0;

	if (snprintf(save->aside, sizeof(save->aside), "%s.new", save->target) >= PATH_MAX)
		return err_set(save->err, ENAMETOOLONG, "%.80s...: path too long", save->path);
	unlink(save->aside); /* left by an interrupted save */
	file = open(save->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		old != NULL ? S_IRUSR | S_IWUSR : SAVE_MODE);
	if (file < 0)
		return save_fail(save, "cannot write in its directory: ");
	if (old != NULL && save_copy_access(save, old, file) < 0)
		rc = save_fail(save, "mode and owner cannot be kept: ");
	if (rc == 0 && save_write(file, text) < 0)
		rc = save_fail(save, "");
	close(file);
	if (rc < 0)
		unlink(save->aside);
	return rc;
}

/** Make the rename durable. */
static void
save_sync(const struct save *save)
{
	char copy[PATH_MAX];

	strcpy(copy, save->target);
	int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		fsync(folder);
		close(folder);
	}
}

int
config_save_text(const char *path, const char *text, struct err *err)
{
	struct save save = {.path = path, .err = err};
	struct stat old;
	int rc = save_resolve(&save);

	if (rc < 0)
		return rc;
	bool there = lstat(save.target, &old) == 0;
	if (!there && errno != ENOENT)
		return save_fail(&save, "");
	if (there && !S_ISREG(old.st_mode))
		return save_refuse(
			&save, EINVAL, "is no regular file, which alone can be replaced");
	rc = save_aside(&save, there ? &old : NULL, text);
	if (rc < 0)
		return rc;
	if (rename(save.aside, save.target) < 0) {
		rc = save_fail(&save, errno == EBUSY ? "is a mount of its own, mount its directory "
						       "instead: "
						     : "");
		unlink(save.aside);
		return rc;
	}
	save_sync(&save);
	return 0;
}
