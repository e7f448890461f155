/* lifeline: what the monitor and its host tell each other, by a pair of sockets. One end is the
 * monitor's, the other is LIFELINE_FD of a host when it starts. Main threads; does not block. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "support/log.h"

enum { LIFELINE_FD = 3 };

enum lifeline_kind {
    /* of the monitor, once each and in this order, before the host starts */
    LIFELINE_BEGIN,  /* the socket, if there is one */
    LIFELINE_FALLEN, /* memory of the monitor's: plugin/fallen.h */
    /* of the host */
    LIFELINE_LISTENS, /* the socket that clients connect to: to be held for the hosts to come */
    LIFELINE_READY,   /* it serves; again when its log has changed */
    LIFELINE_STOPS,   /* it has begun to end, and that is what is wanted */
};

/* One message; plain bytes, between two processes of one program. */
struct lifeline_word {
    uint8_t kind;       /* enum lifeline_kind */
    bool is_passed;     /* BEGIN: the service manager has opened the socket */
    uint8_t log_level;  /* READY: what is written of the log, */
    uint8_t log_format; /* and how */
};

/* Makes both ends, not to be inherited; false with errno. */
bool lifeline_pair(int *monitor_fd, int *host_fd);

/* Sends a word, and with it a descriptor unless fd is -1. If nobody listens any more, nothing
 * happens. */
void lifeline_tell(int lifeline, const struct lifeline_word *word, int fd);

enum lifeline_heard {
    LIFELINE_WORD,
    LIFELINE_SILENCE, /* for now */
    LIFELINE_OVER,    /* the other end is closed */
};

/* Hears the next word; *fd is the descriptor that came with it, the caller's and not to be
 * inherited, or -1. */
enum lifeline_heard lifeline_hear(int lifeline, struct lifeline_word *word, int *fd);

/* ---- the host's end ---- */

/* Says that this process is a host that a monitor has started: takes over LIFELINE_FD. False if
 * that is none. First of all. */
bool lifeline_take(void);

/* Returns the host's end; -1: this process has no monitor. */
int lifeline_of_host(void);

/* Returns the process that has started this host; 0: it has no monitor. */
pid_t lifeline_monitor(void);
