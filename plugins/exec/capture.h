/* capture: one output stream of a child: its lines go into the log of the task as they come; its
 * first bytes, its last and its length are kept. Made once a worker and used again by each of its
 * calls; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/call.h>

/* The head is what one stream may fill of all outputs of a call (SLUICE_OUTPUT_BYTES_MAX), 1 KiB of
 * which is left to names and numbers. The tail is for messages, and holds the piece of a line that
 * waits for its end. */
enum { CAPTURE_HEAD_BYTES = 63 * 1024, CAPTURE_TAIL_BYTES = 4096 };

struct capture {
    const struct sluice_call *call; /* where lines go */
    uint64_t total_bytes;           /* read in all */
    size_t head_bytes;
    size_t tail_bytes;
    size_t open_bytes; /* the end of the tail that is no whole line and was not printed yet */
    char head[CAPTURE_HEAD_BYTES];
    char tail[CAPTURE_TAIL_BYTES]; /* the end of all that was read */
};

/* Forgets what was captured; the call is borrowed until capture_end. */
void capture_begin(struct capture *capture, const struct sluice_call *call);

/* Prints the last line, if it has no end. What is kept stays. */
void capture_end(struct capture *capture);

/* Reads once from a descriptor that poll called readable; errors count as nothing read. */
void capture_read(struct capture *capture, int fd);

/* Makes the kept bytes a text: without line ends at its end, as a shell's $(...) takes it, NUL
 * bytes as '?'. Not terminated; lives until the next capture_begin. */
const char *capture_text(struct capture *capture, size_t *length);

/* Writes the last line that is not empty (its end, if it is long) as a C string; empty if none. */
void capture_last_line(const struct capture *capture, char *line, size_t room);
