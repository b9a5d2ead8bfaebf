/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Journals of rings (vring/journal.h) in a file that outlives the process.
 *
 * Thread safety: the control thread.
 */
#ifndef SHUNT_DRIVERS_VHOST_JOURNAL_H
#define SHUNT_DRIVERS_VHOST_JOURNAL_H

#include "vring/journal.h"

/**
 * Open the file that holds journals of rings, in memory. A later process finds it by the path of
 * its control socket. If that fails a warning is logged, and journals end with the process.
 *
 * @param control path of the control socket
 */
void vhost_journal_open(const char *control);

/** Close the file, after all ports, and remove it unless a ring may resume by a journal in it. */
void vhost_journal_close(void);

/**
 * Get the journals of a port's rings: those of the last port with this socket if there are any.
 *
 * @return an array for vhost_journal_put(); NULL if there is no memory
 */
struct virtq_journal *vhost_journal_get(const char *socket, unsigned rings);

/** Return journals of a closed port. Those by which its rings may resume stay in the file. */
void vhost_journal_put(struct virtq_journal *journal, unsigned rings);

#endif
