/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGBUS handler: replaces missing pages of guest memory by zero pages. */
#include "vring/sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The maxima of librte_vhost: front ends times regions. */
enum { SIGBUS_RANGES_MAX = 1024 * 8 };

/** Written under sigbus_lock; read by the handler in any thread. */
struct sigbus_range {
	atomic_uint changes; /**< sequence count, odd while the range is written */
	_Atomic uintptr_t start;
	_Atomic size_t size; /**< 0 = free */
	atomic_bool *_Atomic missing;
};

static struct sigbus_range sigbus_ranges[SIGBUS_RANGES_MAX];
static atomic_uint sigbus_top; /**< above all ranges ever used; written under sigbus_lock */
static pthread_mutex_t sigbus_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction
	sigbus_previous; /**< written by sigbus_install() before the handler runs; read by it */

/**
 * Thread-local, since a signal handler gets no argument: it runs on the thread whose access failed.
 */
static _Thread_local volatile sig_atomic_t sigbus_inside, sigbus_found;

/** Page sizes to try for an unguarded mapping. */
static const size_t sigbus_pages[] = {4096, UINT64_C(2) << 20, UINT64_C(1) << 30};

/** Map zero pages at an address, by a raw system call: no library code may run in the handler. */
static bool
sigbus_map_zeros(uintptr_t start, size_t size)
{
	long rc = syscall(SYS_mmap, start, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	return rc == (long)start;
}

/** Replace a guarded mapping by zero pages if the address lies in it. @return true if it does */
static bool
sigbus_replace_range(struct sigbus_range *range, uintptr_t address)
{
	unsigned changes = atomic_load_explicit(&range->changes, memory_order_acquire);
	uintptr_t start = atomic_load_explicit(&range->start, memory_order_relaxed);
	size_t size = atomic_load_explicit(&range->size, memory_order_relaxed);
	atomic_bool *missing = atomic_load_explicit(&range->missing, memory_order_relaxed);

	/* Acquire: orders the loads above before; pairs with the release fence in sigbus_set_range(). */
	atomic_thread_fence(memory_order_acquire);
	if ((changes & 1) != 0 ||
		changes != atomic_load_explicit(&range->changes, memory_order_relaxed) ||
		address - start >= size)
		return false;
	/* The flag first: a thread that reads zeros then finds it set. */
	atomic_store(missing, true);
	return sigbus_map_zeros(start, size);
}

/** Replace a page of an unguarded mapping between sigbus_enter() and sigbus_leave(). */
static bool
sigbus_replace_unguarded(uintptr_t address)
{
	if (!sigbus_inside)
		return false;
	sigbus_found = 1;
	for (unsigned i = 0; i < sizeof(sigbus_pages) / sizeof(*sigbus_pages); i++)
		/* The kernel refuses to replace part of a hugepage; try the next size. */
		if (sigbus_map_zeros(address & ~(sigbus_pages[i] - 1), sigbus_pages[i]))
			return true;
	return false;
}

/** Map zero pages at an address without pages. @return false: it is not in guest memory */
static bool
sigbus_replace_missing(uintptr_t address)
{
	unsigned top = atomic_load_explicit(&sigbus_top, memory_order_acquire);

	for (unsigned i = 0; i < top; i++)
		if (sigbus_replace_range(&sigbus_ranges[i], address))
			return true;
	return sigbus_replace_unguarded(address);
}

/** The SIGBUS handler. */
static void
sigbus_handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	/* BUS_ADRERR: no page. Hardware memory errors have other codes. */
	if (info->si_code != BUS_ADRERR || !sigbus_replace_missing((uintptr_t)info->si_addr)) {
		sigaction(SIGBUS, &sigbus_previous, NULL);
		/* A faulting access is repeated by itself; a signal sent by kill() is not. */
		if (info->si_code <= 0)
			raise(number);
	}
	errno = saved;
}

int
sigbus_install(void)
{
	struct sigaction action = {.sa_sigaction = sigbus_handle, .sa_flags = SA_SIGINFO}, now;
	int rc = 0;

	sigemptyset(&action.sa_mask);
	pthread_mutex_lock(&sigbus_lock);
	if (sigaction(SIGBUS, NULL, &now) < 0) {
		rc = -errno;
	} else if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != sigbus_handle) {
		sigbus_previous = now;
		rc = sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
	}
	pthread_mutex_unlock(&sigbus_lock);
	return rc;
}

/** Set a range, so that the handler reads it whole or skips it. Under sigbus_lock. */
static void
sigbus_set_range(struct sigbus_range *range, uintptr_t start, size_t size, atomic_bool *missing)
{
	unsigned changes = atomic_load_explicit(&range->changes, memory_order_relaxed);

	atomic_store_explicit(&range->changes, changes + 1, memory_order_relaxed);
	/* Release: a reader that sees one of the stores below sees the odd count too. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&range->start, start, memory_order_relaxed);
	atomic_store_explicit(&range->size, size, memory_order_relaxed);
	atomic_store_explicit(&range->missing, missing, memory_order_relaxed);
	atomic_store_explicit(&range->changes, changes + 2, memory_order_release);
}

int
sigbus_guard(void *map, size_t size, atomic_bool *missing)
{
	unsigned i = 0;

	pthread_mutex_lock(&sigbus_lock);
	while (i < SIGBUS_RANGES_MAX && atomic_load(&sigbus_ranges[i].size) != 0)
		i++;
	if (i < SIGBUS_RANGES_MAX) {
		sigbus_set_range(&sigbus_ranges[i], (uintptr_t)map, size, missing);
		if (i >= atomic_load(&sigbus_top))
			atomic_store_explicit(&sigbus_top, i + 1, memory_order_release);
	}
	pthread_mutex_unlock(&sigbus_lock);
	return i < SIGBUS_RANGES_MAX ? (int)i : -ENOSPC;
}

void
sigbus_unguard(int number)
{
	if (number < 0)
		return;
	pthread_mutex_lock(&sigbus_lock);
	sigbus_set_range(&sigbus_ranges[number], 0, 0, NULL);
	pthread_mutex_unlock(&sigbus_lock);
}

void
sigbus_enter(void)
{
	sigbus_found = 0;
	sigbus_inside = 1;
}

bool
sigbus_leave(void)
{
	bool found = sigbus_inside && sigbus_found;

	sigbus_inside = 0;
	return found;
}
