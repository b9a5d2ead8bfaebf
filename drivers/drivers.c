/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers.h"

#include "ethdev/ethdev.h"
#include "vhost/journal.h"
#include "vhost/vhost.h"

const struct port_driver *const drivers[] = {&vhost_driver, &ethdev_driver, NULL};

void
drivers_open(const char *control)
{
	vhost_journal_open(control);
}

void
drivers_close(void)
{
	vhost_journal_close();
}
