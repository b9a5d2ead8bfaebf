/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits for descriptors of an lcore's rx queues. */
#include "datapath/rx_sleep.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
rx_sleep_open(struct rx_sleep *sleep)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	sleep->fd[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	sleep->n = 1;
	return 0;
}

void
rx_sleep_close(struct rx_sleep *sleep)
{
	close(sleep->fd[0].fd);
}

bool
rx_sleep_prepare(struct rx_sleep *sleep, const struct snapshot_lcore *lcore)
{
	sleep->n = 1;
	for (uint32_t i = 0; i < lcore->polls; i++) {
		const struct snapshot_poll *poll = &lcore->poll[i];
		int fd = poll->rx_fd != NULL ? poll->rx_fd(poll->dev, poll->queue) : -1;

		if (fd < 0)
			return false;
		sleep->fd[sleep->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return true;
}

bool
rx_sleep_wait(struct rx_sleep *sleep, int timeout)
{
	eventfd_t wakes;
	int ready = poll(sleep->fd, sleep->n, timeout);

	if (ready > 0 && sleep->fd[0].revents != 0)
		eventfd_read(sleep->fd[0].fd, &wakes);
	return ready != 0;
}

void
rx_sleep_wake(const struct rx_sleep *sleep)
{
	eventfd_write(sleep->fd[0].fd, 1);
}
