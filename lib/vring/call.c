/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts to guests: eventfds by asynchronous I/O, Unix sockets by send(). */
#include "vring/call.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/shared.h"

enum { CALL_EVENTS = 16, CALL_MAGIC = (int)0xa10a10a1 };

/** Head of the completion ring of an AIO context, shared with the kernel (fs/aio.c). */
struct call_ring {
	unsigned id, nr;
	unsigned head; /**< first event not taken; written by this process */
	unsigned tail; /**< written by the kernel */
	unsigned magic;
};

static pthread_once_t call_once = PTHREAD_ONCE_INIT;
static pthread_key_t call_key;
static int call_null = -1; /**< written once, under call_once */

/**
 * AIO context of each thread: 0 before its first interrupt, CALL_NONE without AIO. Thread-local, not
 * an argument: the event thread of librte_vhost interrupts too and passes no state to its callbacks,
 * and the context must end with the thread.
 */
static _Thread_local aio_context_t call_context;
#define CALL_NONE UINT64_MAX

/** Destructor of call_key: destroy a thread's AIO context when the thread ends. */
static void
call_context_destroy(void *context)
{
	syscall(SYS_io_destroy, (aio_context_t)(uintptr_t)context);
}

/** Create call_key and open the file that requests read. Called once. */
static void
call_init_once(void)
{
	if (pthread_key_create(&call_key, call_context_destroy) == 0)
		call_null = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/** Create the AIO context of the calling thread; CALL_NONE where that fails. */
static void
call_context_create(void)
{
	const struct call_ring *ring;

	pthread_once(&call_once, call_init_once);
	if (call_null < 0 || syscall(SYS_io_setup, CALL_EVENTS, &call_context) < 0) {
		call_context = CALL_NONE;
		return;
	}
	ring = (const struct call_ring *)(uintptr_t)call_context;
	if (ring->magic == (unsigned)CALL_MAGIC &&
		pthread_setspecific(call_key, (void *)(uintptr_t)call_context) == 0)
		return;
	syscall(SYS_io_destroy, call_context);
	call_context = CALL_NONE;
}

/** Signal an eventfd without asynchronous I/O: by write(), once poll() says that it has space. */
static bool
call_eventfd_write(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
	       eventfd_write(fd, 1) == 0;
}

/** Signal an eventfd by the completion of an asynchronous read. */
static bool
call_eventfd_aio(int fd)
{
	/* A read of 0 bytes from /dev/null completes before io_submit() returns. */
	struct iocb block = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (unsigned)call_null,
		.aio_flags = IOCB_FLAG_RESFD,
		.aio_resfd = (unsigned)fd,
	};
	struct iocb *blocks[] = {&block};

	if (__builtin_expect(call_context == 0, 0)) {
		call_context_create();
		block.aio_fildes = (unsigned)call_null;
	}
	if (call_context == CALL_NONE)
		return call_eventfd_write(fd);
	bool sent = syscall(SYS_io_submit, call_context, 1, blocks) == 1;
	/* Discard the completion event, so that the ring never fills. */
	struct call_ring *ring = (struct call_ring *)(uintptr_t)call_context;
	unsigned tail = shared_load_acquire(&ring->tail);
	shared_store_release(&ring->head, tail);
	return sent;
}

/** Send 8 bytes to a Unix socket, as a write to an eventfd would have. */
static bool
call_socket_send(int fd)
{
	static const uint64_t one = 1; /* the size of an eventfd write */

	return send(fd, &one, sizeof(one), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(one);
}

bool
call_send(int fd, bool socket)
{
	return __builtin_expect(socket, 0) ? call_socket_send(fd) : call_eventfd_aio(fd);
}

/** @return true if a descriptor is an eventfd, by its name in /proc */
static bool
call_is_eventfd(int fd)
{
	char path[64], target[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, "anon_inode:[eventfd]") == 0;
}

/** call_check() of a socket: Unix sockets are accepted. */
static enum virtq_fault
call_check_socket(int fd, bool *socket)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_UNIX)
		return VIRTQ_CALL_SOCKET;
	*socket = true;
	return VIRTQ_GOOD;
}

enum virtq_fault
call_check(int fd, bool *socket)
{
	struct stat status;

	*socket = false;
	if (call_is_eventfd(fd))
		return VIRTQ_GOOD;
	if (fstat(fd, &status) < 0)
		return VIRTQ_CALL_OTHER;
	switch (status.st_mode & S_IFMT) {
	case S_IFSOCK:
		return call_check_socket(fd, socket);
	case S_IFIFO:
		return VIRTQ_CALL_PIPE;
	case S_IFREG:
		return VIRTQ_CALL_FILE;
	case S_IFDIR:
		return VIRTQ_CALL_DIRECTORY;
	case S_IFCHR:
	case S_IFBLK:
		return VIRTQ_CALL_DEVICE;
	default:
		return VIRTQ_CALL_OTHER;
	}
}
