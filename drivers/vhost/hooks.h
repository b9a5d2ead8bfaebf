/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hooks before and after librte_vhost handles a message of a front end.
 *
 * Thread safety: the library's event thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_HOOKS_H
#define SHUNT_DRIVERS_VHOST_HOOKS_H

/** Register the hooks for the messages of a connection. @return 0, negative */
int vhost_hooks_register(int vid);

/**
 * Leave the SIGBUS guard of the last message. The library does not report that a message failed, so
 * every callback that cannot be part of a message ends the last one. The result of the guard is
 * ignored: bursts detect missing memory themselves.
 */
void vhost_hooks_message_end(void);

#endif
