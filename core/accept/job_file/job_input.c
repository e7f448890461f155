#include "accept/job_file/job_input.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/job_file/surrogate.h"
#include "support/cleanup.h"
#include "support/ready.h"

enum { MARK_BYTES = 3, READ_BYTES = JOB_INPUT_WINDOW_BYTES / 4 };

void job_input_init(struct job_input *input, int fd, int64_t limit_bytes)
{
    struct stat status;
    *input = (struct job_input){.fd = fd,
                                .limit_bytes = limit_bytes,
                                .stop_fd = -1,
                                .window_line = 1,
                                .end_offset = INT64_MAX,
                                .first_line = 1};
    input->seekable = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    input->size_bytes = input->seekable ? status.st_size : 0;
    input->window = input->buffer = malloc(JOB_INPUT_WINDOW_BYTES);
    if (input->window == NULL)
        abort();
    if (limit_bytes > 0 && input->size_bytes > limit_bytes)
        input->problem = JOB_INPUT_TOO_LARGE;
}

/* As if all of it had been read into a window that is large enough. */
void job_input_init_text(struct job_input *input, const char *text, size_t length,
                         int64_t limit_bytes)
{
    *input = (struct job_input){.fd = -1,
                                .text = text,
                                .size_bytes = (int64_t)length,
                                .seekable = true,
                                .limit_bytes = limit_bytes,
                                .stop_fd = -1,
                                .at_end = true,
                                .window = text,
                                .filled = length,
                                .window_line = 1,
                                .end_offset = (int64_t)length,
                                .first_line = 1};
    if (limit_bytes > 0 && input->size_bytes > limit_bytes)
        input->problem = JOB_INPUT_TOO_LARGE;
}

void job_input_take_part(struct job_input *input, struct job_input_part part)
{
    assert(input->seekable && input->given == 0);
    input->event_offset = input->skipped_bytes = part.begin;
    input->end_offset = part.end;
    if (input->text != NULL) {
        input->given = (size_t)part.begin;
        input->filled = (size_t)part.end;
    } else {
        input->window_offset = part.begin;
    }
    input->first_line = part.line;
    input->size_bytes = part.end - part.begin;
}

void job_input_fini(struct job_input *input)
{
    free(input->buffer);
}

static uint32_t count_lines(const char *bytes, size_t length)
{
    uint32_t count = 0;
    const char *end = bytes + length;
    while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        bytes++;
        count++;
    }
    return count;
}

/* Lets go of the older half once all of the window is used. */
static void make_room(struct job_input *input)
{
    enum { HALF = JOB_INPUT_WINDOW_BYTES / 2 };
    if (input->filled + READ_BYTES <= JOB_INPUT_WINDOW_BYTES)
        return;
    assert(input->given >= HALF);
    if (!input->seekable)
        input->window_line += count_lines(input->window, HALF);
    memmove(input->buffer, input->buffer + HALF, input->filled - HALF);
    input->filled -= HALF;
    input->given -= HALF;
    input->window_offset += HALF;
}

/* Waits until there is something to read, and calls before_wait before; false if reading is to
 * stop. A regular file can always be read: there only stop_fd is looked at. */
static bool may_read(struct job_input *input)
{
    struct ready_wish wish = {
        .fd = input->fd, .events = POLLIN, .stop_fd = input->stop_fd, .until_ns = 0};
    enum ready ready = ready_wait(&wish);
    if (ready == READY_LATE && input->before_wait != NULL && !input->before_wait(input->context)) {
        input->problem = JOB_INPUT_STOPPED;
        return false;
    }
    wish.until_ns = CLOCK_NEVER_NS;
    if (ready == READY_LATE)
        ready = ready_wait(&wish);
    if (ready == READY_STOPPED)
        input->problem = JOB_INPUT_INTERRUPTED;
    return ready == READY_NOW;
}

static ssize_t read_some(struct job_input *input)
{
    char *to = input->buffer + input->filled;
    int64_t at = input->window_offset + (int64_t)input->filled;
    int64_t left = input->end_offset - at;
    if (input->seekable)
        return pread(input->fd, to, left < READ_BYTES ? (size_t)left : READ_BYTES, at);
    return read(input->fd, to, READ_BYTES);
}

/* Reads more into the window; false at the end or on a problem. */
static bool fill(struct job_input *input)
{
    if (input->at_end || input->problem != JOB_INPUT_FINE)
        return false;
    make_room(input);
    ssize_t got;
    do {
        if (!may_read(input))
            return false;
        got = read_some(input);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0) {
        input->problem = JOB_INPUT_UNREADABLE;
        input->error_number = errno;
        return false;
    }
    input->filled += (size_t)got;
    input->at_end = got == 0;
    if (input->limit_bytes > 0 &&
        input->window_offset + (int64_t)input->filled > input->limit_bytes)
        input->problem = JOB_INPUT_TOO_LARGE;
    return got > 0 && input->problem == JOB_INPUT_FINE;
}

static void skip_mark(struct job_input *input)
{
    while (input->filled < MARK_BYTES && fill(input))
        ;
    const char *first = input->window;
    if (input->filled >= MARK_BYTES && memcmp(first, "\xef\xbb\xbf", MARK_BYTES) == 0) {
        input->given = MARK_BYTES;
        input->skipped_bytes = MARK_BYTES;
    } else if (input->filled >= 2 &&
               (memcmp(first, "\xff\xfe", 2) == 0 || memcmp(first, "\xfe\xff", 2) == 0)) {
        input->problem = JOB_INPUT_UTF16;
    }
}

/* U+0085, U+2028 and U+2029 end a line for libyaml, which folds them away in texts, but for no
 * editor. Looks at the newest bytes given and at two before them. */
static bool find_separator(const struct job_input *input, size_t length, size_t *found)
{
    const char *window = input->window, *end = window + input->given + length;
    const char *begin = input->given >= 2 ? window + input->given - 2 : window;
    for (const char *at = begin; (at = memchr(at, '\xe2', (size_t)(end - at))) != NULL; at++)
        if (end - at >= 3 && (memcmp(at, "\u2028", 3) == 0 || memcmp(at, "\u2029", 3) == 0)) {
            *found = (size_t)(at - window);
            return true;
        }
    for (const char *at = begin; (at = memchr(at, '\xc2', (size_t)(end - at))) != NULL; at++)
        if (end - at >= 2 && at[1] == '\x85') {
            *found = (size_t)(at - window);
            return true;
        }
    return false;
}

static void check_separators(struct job_input *input, size_t length)
{
    size_t at;
    if (input->problem != JOB_INPUT_FINE || !find_separator(input, length, &at))
        return;
    input->problem = JOB_INPUT_SEPARATOR;
    input->problem_offset = (uint64_t)(input->window_offset - input->skipped_bytes) + at;
}

static size_t waiting(const struct job_input *input)
{
    return input->filled - input->given;
}

/* Who reads a file is asked before each piece whether to go on; of a text, behind the first one. */
static void look_for_stop(struct job_input *input)
{
    const struct ready_wish wish = {.fd = -1, .stop_fd = input->stop_fd, .until_ns = 0};
    if (input->text == NULL || (int64_t)input->given == input->skipped_bytes || waiting(input) == 0)
        return;
    if (ready_wait(&wish) == READY_STOPPED)
        input->problem = JOB_INPUT_INTERRUPTED;
}

int job_input_give(void *data, unsigned char *to, size_t capacity, size_t *given)
{
    struct job_input *input = data;
    *given = 0;
    if (input->window_offset + (int64_t)input->given == 0)
        skip_mark(input);
    if (input->window_offset + (int64_t)input->given - input->event_offset >
        JOB_INPUT_EVENT_MOST_BYTES)
        input->problem = JOB_INPUT_ENDLESS;
    look_for_stop(input);
    /* A cut pair waits until it is whole: a piece may be empty only at the end. */
    while (*given == 0 && input->problem == JOB_INPUT_FINE) {
        size_t length = waiting(input) < capacity ? waiting(input) : capacity;
        memcpy(to, input->window + input->given, length);
        bool last = input->at_end && length == waiting(input);
        *given = surrogate_join((char *)to, length, last, &input->pairs);
        if (*given == 0 && !fill(input) && waiting(input) == 0)
            break;
    }
    check_separators(input, *given);
    input->given += *given;
    return input->problem == JOB_INPUT_FINE;
}

/* Counts lines and characters on the way to a byte. */
static void place_move(struct place *place, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] == '\n')
            *place = (struct place){place->line + 1, 1, 1};
        else if ((bytes[i] & 0xc0) != 0x80)
            place->column++;
}

ssize_t job_input_peek(const struct job_input *input, char *to, size_t length, int64_t offset)
{
    if (input->text == NULL)
        return pread(input->fd, to, length, offset);
    int64_t left = (int64_t)input->filled - offset;
    if (left <= 0)
        return 0;
    size_t some = left < (int64_t)length ? (size_t)left : length;
    memcpy(to, input->text + offset, some);
    return (ssize_t)some;
}

/* A seekable file is read again from where it was read first. */
static struct place place_again(const struct job_input *input, int64_t offset)
{
    struct place place = {input->first_line, 1, 1};
    char bytes[4096];
    ssize_t got;
    for (int64_t at = input->skipped_bytes; at < offset; at += got) {
        int64_t left = offset - at;
        size_t wanted = left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes;
        got = job_input_peek(input, bytes, wanted, at);
        if (got <= 0)
            return (struct place){0};
        place_move(&place, bytes, (size_t)got);
    }
    return place;
}

struct place job_input_place(struct job_input *input, uint64_t offset)
{
    int64_t wanted = (int64_t)offset + input->skipped_bytes;
    if (input->seekable)
        return place_again(input, wanted);
    int64_t inside = wanted - input->window_offset;
    if (inside < 0 || inside > (int64_t)input->filled)
        return (struct place){0};
    struct place place = {input->window_line, 1, 1};
    place_move(&place, input->window, (size_t)inside);
    return place;
}

static bool byte_at(const struct job_input *input, int64_t offset, char *byte)
{
    if (input->seekable)
        return job_input_peek(input, byte, 1, offset) == 1;
    int64_t inside = offset - input->window_offset;
    if (inside < 0 || inside >= (int64_t)input->filled)
        return false;
    *byte = input->window[inside];
    return true;
}

uint64_t job_input_character(const struct job_input *input, uint64_t offset)
{
    char byte;
    do
        offset -= offset > 0;
    while (offset > 0 && byte_at(input, (int64_t)offset + input->skipped_bytes, &byte) &&
           (byte & 0xc0) == 0x80);
    return offset;
}

/* Reads them from the window by way of a memory file; a line that it holds in part is left out. */
static void excerpts_from_window(const struct job_input *input, struct diagnostics *diagnostics)
{
    const char *from = input->window;
    uint32_t line = input->window_line;
    if (input->window_offset > 0) {
        from = memchr(from, '\n', input->filled);
        if (from == NULL)
            return;
        from++;
        line++;
    }
    size_t length = input->filled - (size_t)(from - input->window);
    CLEANUP(cleanup_close) int fd = memfd_create("job-window", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, from, length) == (ssize_t)length)
        diagnostics_read_excerpts_from(diagnostics, fd, line);
}

void job_input_read_excerpts(struct job_input *input, struct diagnostics *diagnostics)
{
    if (diagnostics->kept_count == 0)
        return;
    if (input->seekable && input->text == NULL)
        diagnostics_read_excerpts(diagnostics, input->fd);
    else
        excerpts_from_window(input, diagnostics);
}
