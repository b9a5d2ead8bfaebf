/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a command that runs until it is interrupted.
 *
 * Thread safety: one thread; the flag is set by a signal handler.
 */
#ifndef SHUNT_CLI_STOP_H
#define SHUNT_CLI_STOP_H

#include <signal.h>

/** Set by SIGINT and SIGTERM; also the `cancel` of struct rpc_limits. */
extern volatile sig_atomic_t stop_requested;

/** Clear the flag, set it at SIGINT and SIGTERM from now on, and ignore SIGPIPE. */
void stop_on_signals(void);

#endif
