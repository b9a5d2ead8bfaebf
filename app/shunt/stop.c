/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals that end a command which runs until it is interrupted. */
#include "stop.h"

#include <stddef.h>

volatile sig_atomic_t stop_requested;

/** Signal handler: set the flag. */
static void
stop_on_signal(int number)
{
	(void)number;
	stop_requested = 1;
}

void
stop_on_signals(void)
{
	const struct sigaction stop = {.sa_handler = stop_on_signal};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	stop_requested = 0;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	/* The reader of a pipe may close it first, which ends the command as well. */
	sigaction(SIGPIPE, &ignore, NULL);
}
