/* progress: one line on standard error that is drawn again and again while tasks run: done/total,
 * rate, running, failed, estimated time left. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_TICK_NS (INT64_C(200) * 1000 * 1000)
/* What gets the line out of the way on a terminal: to be put in front of everything else
 * written. It clears to the end of the screen, because a terminal that became narrower may have
 * made several lines of the one. */
#define PROGRESS_CLEAR "\r\033[J"

struct progress {
    bool terminal; /* else whole lines now and then */
    int64_t drawn_ns;
    uint64_t done_before;
    double rate; /* tasks a second, smoothed; 0 while unknown */
};

struct progress_counts {
    uint64_t done, total, running, failed;
    bool total_is_known;
};

/* Begins; terminal says whether standard error is one. */
void progress_init(struct progress *progress, bool terminal, int64_t now_ns);

/* Draws the line, cut to the width of the terminal, if it is time to. */
void progress_draw(struct progress *progress, const struct progress_counts *counts, int64_t now_ns);

/* Takes the line away; where it is no terminal, writes a last one instead. */
void progress_end(struct progress *progress, const struct progress_counts *counts, int64_t now_ns);

/* Writes the text of the line into text, cut to capacity - 1 columns, and returns its length. */
size_t progress_format(const struct progress *progress, const struct progress_counts *counts,
                       char *text, size_t capacity);
