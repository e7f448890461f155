#include "cli/progress.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/ready.h"

enum { WIDTH_MOST = 160, WIDTH_UNKNOWN = 80 };
#define PLAIN_TICK_NS (5 * NS_PER_S) /* not on a terminal each line stays */
#define SMOOTHING_S   5.0            /* how far back the rate looks */

/* The line is drawn without wrapping, for the terminal may have become narrower since its width was
 * asked for; and the cursor goes back to its beginning, from where PROGRESS_CLEAR finds all of it
 * whatever a change of the window does to it. */
#define DRAW_FORMAT PROGRESS_CLEAR "\033[?7l%s\033[?7h\r"

void progress_init(struct progress *progress, bool terminal, int64_t now_ns)
{
    *progress = (struct progress){.terminal = terminal, .drawn_ns = now_ns};
}

static void measure_rate(struct progress *progress, uint64_t done, int64_t now_ns)
{
    double seconds = (double)(now_ns - progress->drawn_ns) / 1e9;

    if (seconds <= 0)
        return;
    double rate = (double)(done - progress->done_before) / seconds;
    double share = progress->rate > 0 ? seconds / (seconds + SMOOTHING_S) : 1;
    progress->rate += share * (rate - progress->rate);
    progress->done_before = done;
    progress->drawn_ns = now_ns;
}

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t capacity,
                                                      const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + length, capacity - length, format, arguments);
    va_end(arguments);
}

static void add_time_left(char *text, size_t capacity, double seconds)
{
    if (seconds < 60)
        add(text, capacity, ", %d s left", 1 + (int)seconds);
    else if (seconds < 3600)
        add(text, capacity, ", %d min left", 1 + (int)(seconds / 60));
    else if (seconds < 360000)
        add(text, capacity, ", %.1f h left", seconds / 3600);
}

size_t progress_format(const struct progress *progress, const struct progress_counts *counts,
                       char *text, size_t capacity)
{
    text[0] = '\0';
    add(text, capacity, "%llu", (unsigned long long)counts->done);
    if (counts->total_is_known)
        add(text, capacity, "/%llu", (unsigned long long)counts->total);
    add(text, capacity, " done, %.*f/s, %llu running, %llu failed", progress->rate < 10 ? 1 : 0,
        progress->rate, (unsigned long long)counts->running, (unsigned long long)counts->failed);
    if (counts->total_is_known && progress->rate > 0 && counts->total > counts->done)
        add_time_left(text, capacity, (double)(counts->total - counts->done) / progress->rate);
    return strlen(text);
}

static size_t terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_UNKNOWN;
    return size.ws_col < WIDTH_MOST ? size.ws_col : WIDTH_MOST;
}

/* One write, so that it mixes with nobody's. What a terminal that is gone answers is no matter; one
 * that has no room now gets the next. */
static void write_once(const char *text, size_t length)
{
    const struct ready_wish wish = {.fd = STDERR_FILENO, .events = POLLOUT, .stop_fd = -1};
    if (ready_wait(&wish) != READY_NOW)
        return;
    ssize_t ignored = write(STDERR_FILENO, text, length);
    (void)ignored;
}

static void draw(struct progress *progress, const struct progress_counts *counts, int64_t now_ns)
{
    char text[WIDTH_MOST + 1], whole[WIDTH_MOST + 32];

    measure_rate(progress, counts->done, now_ns);
    /* The last column stays free: writing there makes some terminals wrap. */
    size_t capacity = progress->terminal ? terminal_width() : sizeof(text);
    progress_format(progress, counts, text, capacity);
    const char *format = progress->terminal ? DRAW_FORMAT : "%s\n";
    write_once(whole, (size_t)snprintf(whole, sizeof(whole), format, text));
}

void progress_draw(struct progress *progress, const struct progress_counts *counts, int64_t now_ns)
{
    int64_t pause_ns = progress->terminal ? PROGRESS_TICK_NS / 2 : PLAIN_TICK_NS;

    if (now_ns - progress->drawn_ns >= pause_ns)
        draw(progress, counts, now_ns);
}

void progress_end(struct progress *progress, const struct progress_counts *counts, int64_t now_ns)
{
    if (progress->terminal)
        write_once(PROGRESS_CLEAR, sizeof(PROGRESS_CLEAR) - 1);
    else
        draw(progress, counts, now_ns);
}
