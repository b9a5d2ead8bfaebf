/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults of vhost ports: passes them to the control thread, which shows and logs them. */
#include "vhost/fault.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "vhost/device.h"

LOG_MODULE(vhost);

enum {
	FAULT_LOG_S = 10, /* between two log lines of a port */
	FAULT_STUCK_S =
		1, /* a message that takes longer has failed; the library reports no failure */
};

/* Guards every device's fault_detail; never taken by a polling lcore. */
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static const char fault_stuck[] = "the vhost library failed with the front end's memory table";

void
vhost_fault_set(struct vhost_dev *dev, enum virtq_fault fault, int ring)
{
	int good = VIRTQ_GOOD;

	if (!atomic_compare_exchange_strong(&dev->fault, &good, (int)fault))
		return;
	atomic_store(&dev->fault_last, (int)fault);
	atomic_store(&dev->fault_ring, ring);
	atomic_fetch_add(&dev->faults, 1);
	dev->services->link_changed(dev->services->arg);
}

void
vhost_fault_set_memory(struct vhost_dev *dev, const char *reason)
{
	pthread_mutex_lock(&fault_lock);
	snprintf(dev->fault_detail, sizeof(dev->fault_detail), "%s", reason);
	pthread_mutex_unlock(&fault_lock);
	vhost_fault_set(dev, VIRTQ_BAD_MEMORY, VHOST_NO_RING);
}

/** @return CLOCK_MONOTONIC in seconds */
static time_t
fault_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/** Whether a memory table has not succeeded for longer than FAULT_STUCK_S. */
static bool
fault_is_stuck(struct vhost_dev *dev, time_t now)
{
	struct vhost_fault_log *log = &dev->fault_log;
	unsigned table = atomic_load(&dev->table_pending);

	if (table != log->table) {
		log->table = table;
		log->table_at = now;
	}
	return table != 0 && now - log->table_at > FAULT_STUCK_S;
}

/** Log the last fault. @param more faults since the last log line */
static void
fault_write_log(struct vhost_dev *dev, const char *port, unsigned more)
{
	enum virtq_fault fault = (enum virtq_fault)atomic_load(&dev->fault_last);
	int ring = atomic_load(&dev->fault_ring);
	char where[64] = "", again[64] = "", detail[ERR_TEXT_MAX] = "";
	bool detailed = fault == VIRTQ_BAD_MEMORY;

	if (detailed) {
		pthread_mutex_lock(&fault_lock);
		memcpy(detail, dev->fault_detail, sizeof(detail));
		pthread_mutex_unlock(&fault_lock);
	}
	if (ring >= 0)
		snprintf(where, sizeof(where), "ring %d (queue pair %d, %s): ", ring, ring / 2,
			ring % 2 != 0 ? "what the guest sends" : "what it receives");
	if (more > 0)
		snprintf(again, sizeof(again), "; it broke %u more times since the last message",
			more);
	log_warning("port %s: broken: %s%s%s%s; no frames until the guest's driver sets the device "
		    "up anew (reload it, or restart the guest)%s",
		port, where, virtq_fault_text(fault), detailed ? ": " : "", detail, again);
}

bool
vhost_fault_report(struct vhost_dev *dev, const char *port)
{
	struct vhost_fault_log *log = &dev->fault_log;
	unsigned faults = atomic_load(&dev->faults);
	time_t now = fault_now();
	bool was_stuck = log->stuck;

	log->stuck = fault_is_stuck(dev, now);
	if (log->stuck && !was_stuck)
		log_warning("port %s: broken: %s; no frames until the front end sends another",
			port, fault_stuck);
	if (faults != log->faults && (log->faults == 0 || now - log->at >= FAULT_LOG_S)) {
		fault_write_log(dev, port, faults - log->faults - 1);
		log->faults = faults;
		log->at = now;
	}
	return log->stuck || atomic_load(&dev->fault) != VIRTQ_GOOD;
}

void
vhost_fault_info(const struct vhost_dev *dev, struct port_info *info)
{
	int fault = atomic_load(&dev->fault);

	if (fault != VIRTQ_GOOD)
		port_info_add(info, "broken", "%s", virtq_fault_text((enum virtq_fault)fault));
	else if (dev->fault_log.stuck)
		port_info_add(info, "broken", "%s", virtq_fault_text(VIRTQ_BAD_MEMORY));
}
