/* notify: tells the service manager how the daemon is, by its datagram protocol (NOTIFY_SOCKET).
 * Without a manager nothing happens. Main thread; does not block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum notify_state { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING, NOTIFY_WATCHDOG };

/* Says the state and, if status is not NULL, one line for people. False if there is a manager and
 * it could not be told. */
bool notify_send(enum notify_state state, const char *status);

/* Returns how often NOTIFY_WATCHDOG is wanted at least; 0: never. Half of it is a good pace. */
int64_t notify_watchdog_ns(void);
