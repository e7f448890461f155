/* signals: that plugins leave signal handlers and masks alone (rule R3), found out after the fact,
 * put back and reported. The handlers are the process's: kept when the registry is created, looked
 * at by the loader thread; a mask is a thread's own. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { SIGNALS_COUNT = NSIG };

struct signals {
    struct sigaction handlers[SIGNALS_COUNT]; /* by number; what cannot be asked for is zero */
};

/* Remembers the handlers as they are now. Any one thread. */
void signals_keep(struct signals *signals);

/* Puts back each handler that is not what it was, with a warning that names the plugin whose code
 * the handler is or, where that is not to be seen, the one given: called last. Some 20 us. Loader
 * thread. */
void signals_restore(const struct signals *signals, const char *plugin);

/* Sets the calling thread's mask to what it was before a call into the plugin; true, with a warning
 * that names the plugin, if it was another. One system call. Any thread. */
bool signals_restore_mask(const sigset_t *before, const char *plugin);

struct signals_put_back {
    uint32_t handlers, masks;
};

/* Returns how often either was found changed and put back since the process began. Any thread. */
struct signals_put_back signals_put_back(void);
