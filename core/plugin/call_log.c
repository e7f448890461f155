#include "plugin/call_log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/clock.h"

enum { PIECE_BYTES = 4096 };

void call_log_line(struct call *call, enum log_level level, const char *text)
{
    char line[SLUICE_MESSAGE_MAX + 64], date[32];
    if (call->keep_log == NULL)
        return;
    int64_t now_ns = clock_wall_ns();
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    const char *before = atomic_exchange(&call->line_open, false) ? "\n" : "";
    int length = snprintf(line, sizeof line, "%s%s.%03dZ %s %s\n", before, date,
                          (int)(now_ns % NS_PER_S / NS_PER_MS), log_level_word(level), text);
    if (length < (int)sizeof line)
        call->keep_log(call->keep_context, line, (size_t)length);
}

/* The plugin's bytes are not the host's to change. */
static void print_masked(struct call *call, const char *bytes, size_t length)
{
    char piece[PIECE_BYTES];
    while (length > 0) {
        size_t count = length < sizeof piece ? length : sizeof piece;
        memcpy(piece, bytes, count);
        for (char *nul = piece; (nul = memchr(nul, 0, (size_t)(piece + count - nul))) != NULL;)
            *nul = '?';
        call->keep_log(call->keep_context, piece, count);
        bytes += count;
        length -= count;
    }
}

void call_log_print(struct call *call, const char *bytes, size_t length)
{
    if (call->keep_log == NULL || length == 0)
        return;
    if (memchr(bytes, 0, length) == NULL)
        call->keep_log(call->keep_context, bytes, length);
    else
        print_masked(call, bytes, length);
    atomic_store(&call->line_open, bytes[length - 1] != '\n');
}

void call_log_end(struct call *call)
{
    if (!atomic_load_explicit(&call->line_open, memory_order_relaxed))
        return;
    call->keep_log(call->keep_context, "\n", 1);
    atomic_store_explicit(&call->line_open, false, memory_order_relaxed);
}
