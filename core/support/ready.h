/* ready: waiting for descriptors, with an end. The one thing kept is when the process stops waiting
 * for those who read what it writes. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "support/clock.h"

/* How a wait ended. */
enum ready {
    READY_NOW,     /* reading or writing will not block, or will fail */
    READY_STOPPED, /* stop_fd can be read */
    READY_LATE,    /* the deadline has passed */
};

struct ready_wish {
    int fd;           /* -1: only stop_fd and the deadline count */
    short events;     /* of poll: POLLIN, POLLOUT */
    int stop_fd;      /* -1: none; comes before fd */
    int64_t until_ns; /* of the monotonic clock; 0: does not wait; CLOCK_NEVER_NS: without an end */
};

/* Waits until the first of the three. What is written at once after READY_NOW must be no more than
 * PIPE_BUF bytes: for more there may be no room. */
enum ready ready_wait(const struct ready_wish *wish);

/* How often a thread that waits for room looks whether that has come to its end. */
#define READY_LOOK_NS (100 * NS_PER_MS)

/* Waits until PIPE_BUF bytes can be written to fd without blocking; false if nobody made room until
 * ready_give_up_at, behind which it does not wait at all. */
bool ready_to_write(int fd);

/* Sets when the process stops waiting for room to write; a later time than one given before counts
 * for nothing. */
void ready_give_up_at(int64_t when_ns);

/* Returns when that is; CLOCK_NEVER_NS unless somebody has set it. */
int64_t ready_gives_up_ns(void);
