#include "capture.h"

#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 * 1024 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void capture_begin(struct capture *capture, const struct sluice_call *call)
{
    capture->call = call;
    capture->total_bytes = 0;
    capture->head_bytes = 0;
    capture->tail_bytes = 0;
    capture->open_bytes = 0;
}

static void open_print(struct capture *capture)
{
    if (capture->open_bytes > 0)
        sluice_print(capture->call, capture->tail + capture->tail_bytes - capture->open_bytes,
                     capture->open_bytes);
    capture->open_bytes = 0;
}

void capture_end(struct capture *capture)
{
    if (capture->open_bytes == 0)
        return;
    open_print(capture);
    sluice_print(capture->call, "\n", 1);
}

/* Both streams go into one log: whole lines at a time, so that they do not end up in each other.
 * The rest of one waits in the tail, for as long as that holds it. */
static void lines_print(struct capture *capture, const char *bytes, size_t count)
{
    const char *newline = memrchr(bytes, '\n', count);
    size_t whole = newline ? (size_t)(newline - bytes) + 1 : 0;
    if (count - whole + (newline ? 0 : capture->open_bytes) > CAPTURE_TAIL_BYTES)
        whole = count;
    if (whole > 0) {
        open_print(capture);
        sluice_print(capture->call, bytes, whole);
    }
    capture->open_bytes += count - whole;
}

/* A window over the end of the stream: what falls out of it on the left is forgotten. */
static void tail_push(struct capture *capture, const char *bytes, size_t count)
{
    size_t taken = least(count, CAPTURE_TAIL_BYTES);
    size_t kept = least(capture->tail_bytes, CAPTURE_TAIL_BYTES - taken);
    memmove(capture->tail, capture->tail + capture->tail_bytes - kept, kept);
    memcpy(capture->tail + kept, bytes + count - taken, taken);
    capture->tail_bytes = kept + taken;
}

void capture_read(struct capture *capture, int fd)
{
    char chunk[CHUNK_BYTES];
    ssize_t got = read(fd, chunk, sizeof chunk);
    if (got <= 0)
        return;
    size_t count = (size_t)got;
    size_t fits = least(count, CAPTURE_HEAD_BYTES - capture->head_bytes);
    memcpy(capture->head + capture->head_bytes, chunk, fits);
    capture->head_bytes += fits;
    capture->total_bytes += count;
    lines_print(capture, chunk, count);
    tail_push(capture, chunk, count);
}

const char *capture_text(struct capture *capture, size_t *length)
{
    size_t end = capture->head_bytes;
    while (end > 0 && capture->head[end - 1] == '\n')
        end--;
    for (char *nul = capture->head; (nul = memchr(nul, 0, (size_t)(capture->head + end - nul)));)
        *nul = '?';
    *length = end;
    return capture->head;
}

void capture_last_line(const struct capture *capture, char *line, size_t room)
{
    size_t end = capture->tail_bytes;
    while (end > 0 && strchr("\r\n", capture->tail[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && capture->tail[start - 1] != '\n' && end - start < room - 1)
        start--;
    memcpy(line, capture->tail + start, end - start);
    line[end - start] = 0;
}
