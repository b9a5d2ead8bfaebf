/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internal to lib/event: functions of hub.c for publish.c.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_EVENT_HUB_H
#define SHUNT_EVENT_HUB_H

#include "event/event.h"

/**
 * Queue an event for every subscriber of its kind.
 *
 * @param text owned by the hub from now on, to be freed with free(); NULL: no memory, and the
 *        event is lost
 */
void event_hub_send(struct event_hub *hub, enum event_kind kind, char *text);

/** @return microseconds since 1970 */
int64_t event_now_us(void);

#endif
