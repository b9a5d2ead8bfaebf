/* SPDX-License-Identifier: BSD-3-Clause */
#include "vring/lost.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As many front ends as the library takes, with as many regions as each may have. */
enum { LOST_RANGES_MAX = 1024 * 8 };

/** Written under lost_lock; read by the handler in any thread. */
struct lost_range {
	atomic_uint changes; /**< odd while the rest is being written */
	_Atomic uintptr_t start;
	_Atomic size_t size; /**< 0 = free */
	atomic_bool *_Atomic lost;
};

static struct lost_range lost_ranges[LOST_RANGES_MAX];
static atomic_uint lost_top; /**< ranges ever used are below; written under lost_lock */
static pthread_mutex_t lost_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction
	lost_before; /**< written by lost_install() before the handler runs; read by it */

/** Of each thread; the handler runs on the thread whose access it was. */
static _Thread_local volatile sig_atomic_t lost_inside, lost_found;

/** Page sizes to try where nobody said which. */
static const size_t lost_pages[] = {4096, UINT64_C(2) << 20, UINT64_C(1) << 30};

/** Not mmap(): the handler calls the kernel and nobody in between. */
static bool
lost_replace(uintptr_t start, size_t size)
{
	long rc = syscall(SYS_mmap, start, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	return rc == (long)start;
}

static bool
lost_try(struct lost_range *range, uintptr_t address)
{
	unsigned changes = atomic_load_explicit(&range->changes, memory_order_acquire);
	uintptr_t start = atomic_load_explicit(&range->start, memory_order_relaxed);
	size_t size = atomic_load_explicit(&range->size, memory_order_relaxed);
	atomic_bool *lost = atomic_load_explicit(&range->lost, memory_order_relaxed);

	/* Acquire: the loads above come before; pairs with the release in lost_set(). */
	atomic_thread_fence(memory_order_acquire);
	if ((changes & 1) != 0 ||
		changes != atomic_load_explicit(&range->changes, memory_order_relaxed) ||
		address - start >= size)
		return false;
	/* First the flag: whoever reads a zero finds it set. */
	atomic_store(lost, true);
	return lost_replace(start, size);
}

static bool
lost_found_by_library(uintptr_t address)
{
	if (!lost_inside)
		return false;
	lost_found = 1;
	for (unsigned i = 0; i < sizeof(lost_pages) / sizeof(*lost_pages); i++)
		/* Part of a hugepage cannot be replaced: then the kernel says no. */
		if (lost_replace(address & ~(lost_pages[i] - 1), lost_pages[i]))
			return true;
	return false;
}

static bool
lost_is_ours(uintptr_t address)
{
	unsigned top = atomic_load_explicit(&lost_top, memory_order_acquire);

	for (unsigned i = 0; i < top; i++)
		if (lost_try(&lost_ranges[i], address))
			return true;
	return lost_found_by_library(address);
}

static void
lost_handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	/* BUS_ADRERR: there is no page. A broken memory module says something else. */
	if (info->si_code != BUS_ADRERR || !lost_is_ours((uintptr_t)info->si_addr)) {
		sigaction(SIGBUS, &lost_before, NULL);
		/* The access happens again, a signal that somebody sent does not. */
		if (info->si_code <= 0)
			raise(number);
	}
	errno = saved;
}

int
lost_install(void)
{
	struct sigaction action = {.sa_sigaction = lost_handle, .sa_flags = SA_SIGINFO}, now;
	int rc = 0;

	sigemptyset(&action.sa_mask);
	pthread_mutex_lock(&lost_lock);
	if (sigaction(SIGBUS, NULL, &now) < 0) {
		rc = -errno;
	} else if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != lost_handle) {
		lost_before = now;
		rc = sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
	}
	pthread_mutex_unlock(&lost_lock);
	return rc;
}

/** Under lost_lock. */
static void
lost_set(struct lost_range *range, uintptr_t start, size_t size, atomic_bool *lost)
{
	unsigned changes = atomic_load_explicit(&range->changes, memory_order_relaxed);

	atomic_store_explicit(&range->changes, changes + 1, memory_order_relaxed);
	/* Release: whoever sees one of the stores below sees the odd number too. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&range->start, start, memory_order_relaxed);
	atomic_store_explicit(&range->size, size, memory_order_relaxed);
	atomic_store_explicit(&range->lost, lost, memory_order_relaxed);
	atomic_store_explicit(&range->changes, changes + 2, memory_order_release);
}

int
lost_watch(void *map, size_t size, atomic_bool *lost)
{
	unsigned i = 0;

	pthread_mutex_lock(&lost_lock);
	while (i < LOST_RANGES_MAX && atomic_load(&lost_ranges[i].size) != 0)
		i++;
	if (i < LOST_RANGES_MAX) {
		lost_set(&lost_ranges[i], (uintptr_t)map, size, lost);
		if (i >= atomic_load(&lost_top))
			atomic_store_explicit(&lost_top, i + 1, memory_order_release);
	}
	pthread_mutex_unlock(&lost_lock);
	return i < LOST_RANGES_MAX ? (int)i : -ENOSPC;
}

void
lost_unwatch(int number)
{
	if (number < 0)
		return;
	pthread_mutex_lock(&lost_lock);
	lost_set(&lost_ranges[number], 0, 0, NULL);
	pthread_mutex_unlock(&lost_lock);
}

void
lost_enter(void)
{
	lost_found = 0;
	lost_inside = 1;
}

bool
lost_leave(void)
{
	bool found = lost_inside && lost_found;

	lost_inside = 0;
	return found;
}
