/* channel: one end of the socket between the host and a worker process: whole frames, however
 * long; what is too long for the socket travels in a sealed memfd beside it. The one on the other
 * side is taken as hostile. Each side has one thread that reads; who sends is the caller's to
 * settle. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

enum {
    CHANNEL_FRAME_MOST_BYTES = 60 * 1024,        /* in the socket itself */
    CHANNEL_BODY_MOST_BYTES = 256 * 1024 * 1024, /* in a memfd */
};

enum channel_answer {
    CHANNEL_OK,
    CHANNEL_EMPTY,  /* nothing there just now, or no room */
    CHANNEL_CLOSED, /* the other side is gone */
    CHANNEL_BROKEN, /* what came is no frame */
};

/* Makes the two ends; false with errno. */
bool channel_pair(int ends[2]);

/* Sends one frame; blocks while the other side does not read, unless flags has MSG_DONTWAIT.
 * Never raises SIGPIPE. EMPTY, CLOSED, or BROKEN if it is too long for any frame. */
enum channel_answer channel_send(int fd, const struct buffer *frame, int flags);

/* Takes the next frame in place of what is in the buffer; blocks until one is there, unless flags
 * has MSG_DONTWAIT. */
enum channel_answer channel_receive(int fd, struct buffer *frame, int flags);
