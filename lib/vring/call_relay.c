/* SPDX-License-Identifier: BSD-3-Clause */
/* Relay of interrupts: a memory file in place of an eventfd, read without system calls. */
#include "vring/call_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/shared.h"

enum {
	CALL_RELAY_BYTES = 16384,
	CALL_RELAY_SLOTS = CALL_RELAY_BYTES / sizeof(uint64_t),
	CALL_RELAY_HALF = CALL_RELAY_SLOTS / 2, /* far more than the threads that signal at once */
};

/** Give a memory file its size and map it. @return 0; negative errno */
static int
call_relay_map(int fd, uint64_t **slot)
{
	/* Allocate now: a write() that finds no memory would lose its signal. */
	int rc = posix_fallocate(fd, 0, CALL_RELAY_BYTES);
	void *map;

	if (rc != 0)
		return -rc;
	/* Fixed size: write() to a full file fails, while the signals in it stay pending. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
		return -errno;
	map = mmap(
		NULL, CALL_RELAY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*slot = map;
	return 0;
}

/**
 * Create a memory file and open it by name: only then are write() and lseek() atomic with respect
 * to each other, as POSIX requires for regular files. @return file descriptor; negative errno
 */
static int
call_relay_create(void)
{
	char name[32];
	int file = memfd_create("interrupts", MFD_CLOEXEC | MFD_ALLOW_SEALING), fd;

	if (file < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	fd = open(name, O_RDWR | O_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	close(file);
	return fd;
}

int
call_relay_open(struct call_relay *relay)
{
	uint64_t *slot;

	if (atomic_load(&relay->slot) != NULL)
		return 0;
	relay->fd = call_relay_create();
	if (relay->fd < 0)
		return relay->fd;
	int rc = call_relay_map(relay->fd, &slot);
	if (rc < 0) {
		close(relay->fd);
		return rc;
	}
	atomic_store(&relay->next, 0);
	rte_spinlock_init(&relay->lock);
	/* Release: pairs with the acquire in call_relay_read(). */
	atomic_store_explicit(&relay->slot, slot, memory_order_release);
	return 0;
}

void
call_relay_close(struct call_relay *relay)
{
	uint64_t *slot = atomic_exchange(&relay->slot, NULL);

	if (slot == NULL)
		return;
	munmap(slot, CALL_RELAY_BYTES);
	close(relay->fd);
}

/** Clear the written slots from `next` on. @return first slot that is not written */
static unsigned
call_relay_clear(uint64_t *slot, unsigned next)
{
	while (next < CALL_RELAY_SLOTS && shared_load_relaxed(&slot[next]) != 0)
		shared_store_relaxed(&slot[next++], 0);
	return next;
}

/** Rewind the file offset once the slots before `next` are clear. @return slot written next */
static unsigned
call_relay_rewind(struct call_relay *relay, uint64_t *slot, unsigned next)
{
	lseek(relay->fd, 0, SEEK_SET);
	/* Signals written before that. */
	call_relay_clear(slot, next);
	return 0;
}

bool
call_relay_read_slow(struct call_relay *relay, uint64_t *slot)
{
	bool any = false;

	rte_spinlock_lock(&relay->lock);
	unsigned next = atomic_load_explicit(&relay->next, memory_order_relaxed);
	for (;;) {
		atomic_store_explicit(&relay->next, next, memory_order_relaxed);
		/*
		 * Full fence: `next` is stored before its slot is read. call_relay_read() in a
		 * thread that has just signalled reads `next` after its slot was written. So either
		 * that thread finds its slot written, or this one does.
		 */
		atomic_thread_fence(memory_order_seq_cst);
		unsigned end = call_relay_clear(slot, next);
		if (end == next)
			break;
		next = end < CALL_RELAY_HALF ? end : call_relay_rewind(relay, slot, end);
		any = true;
	}
	rte_spinlock_unlock(&relay->lock);
	return any;
}
