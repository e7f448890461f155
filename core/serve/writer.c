#include "serve/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/ready.h"
#include "support/thread.h"

/* Two buffers take turns: texts are added to one while the other is written without the lock. */
struct writer {
    /* immutable */
    int fd;
    const char *prefix;
    bool whole; /* the descriptor never blocks: a regular file */
    struct thread thread;
    /* guarded by lock */
    struct mutex lock;
    struct cond filled; /* there is something to write, or the end has come */
    struct cond room;   /* something was written */
    struct buffer pending;
    bool writing, ending; /* writing: without the lock */
    int failed;           /* errno of the first write that failed */
    uint64_t dropped;     /* lines */
    /* the writer's thread */
    struct buffer taken;
};

static uint64_t count_lines(const char *text, size_t length)
{
    uint64_t count = 0;
    for (const char *end = text + length; (text = memchr(text, '\n', (size_t)(end - text))) != NULL;
         text++)
        count++;
    return count;
}

/* Puts the prefix and as many whole lines as fit (at least a part of one) into the piece. */
static size_t cut_piece(const struct writer *writer, const char *text, size_t length,
                        struct buffer *piece)
{
    piece->length = 0;
    if (writer->prefix != NULL)
        buffer_puts(piece, writer->prefix);
    size_t most = PIPE_BUF - piece->length;
    if (length > most) {
        const char *end = memrchr(text, '\n', most);
        length = end != NULL ? (size_t)(end - text) + 1 : most;
    }
    buffer_append(piece, text, length);
    return length;
}

/* Writes all of it, or returns how much is left when waiting ends or *failed is set. */
static size_t write_whole(struct writer *writer, const char *text, size_t length, int *failed)
{
    while (length > 0 && ready_to_write(writer->fd)) {
        ssize_t written = write(writer->fd, text, length);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            *failed = errno;
            break;
        }
        text += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return length;
}

/* The same in pieces for which there is room when there is some; so that no line is torn by what
 * others write to the descriptor, each is one write. */
static size_t write_pieces(struct writer *writer, const char *text, size_t length, int *failed)
{
    CLEANUP(buffer_fini) struct buffer piece = BUFFER_EMPTY;
    while (length > 0) {
        size_t cut = cut_piece(writer, text, length, &piece);
        if (write_whole(writer, piece.bytes, piece.length, failed) > 0)
            break;
        text += cut;
        length -= cut;
    }
    return length;
}

/* Takes all that is pending; false at the end. */
static bool take(struct writer *writer)
{
    MUTEX_GUARD(&writer->lock);

    writer->writing = false;
    cond_broadcast(&writer->room);
    while (writer->pending.length == 0 && !writer->ending)
        cond_wait(&writer->filled, &writer->lock);
    if (writer->pending.length == 0)
        return false;
    writer->writing = true;
    writer->taken.length = 0;
    struct buffer empty = writer->taken;
    writer->taken = writer->pending;
    writer->pending = empty;
    return true;
}

static void writer_run(void *argument)
{
    struct writer *writer = argument;

    while (take(writer)) {
        int failed = 0;
        const struct buffer *taken = &writer->taken;
        size_t left = (writer->whole ? write_whole : write_pieces)(writer, taken->bytes,
                                                                   taken->length, &failed);
        MUTEX_GUARD(&writer->lock);
        writer->dropped += count_lines(taken->bytes + taken->length - left, left);
        if (writer->failed == 0)
            writer->failed = failed;
    }
}

static void writer_free(struct writer *writer)
{
    cond_fini(&writer->filled);
    cond_fini(&writer->room);
    mutex_fini(&writer->lock);
    buffer_fini(&writer->pending);
    buffer_fini(&writer->taken);
    free(writer);
}

struct writer *writer_create(int fd, const char *prefix, struct error *error)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    struct stat status;

    if (writer == NULL)
        abort();
    writer->fd = fd;
    writer->prefix = prefix;
    writer->whole = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    mutex_init(&writer->lock);
    cond_init(&writer->filled);
    cond_init(&writer->room);
    if (thread_start(&writer->thread, "writer", writer_run, writer, error))
        return writer;
    writer_free(writer);
    return NULL;
}

/* Waits for room; false if there is none. Lock held. */
static bool has_room(struct writer *writer)
{
    size_t most = WRITER_PENDING_MOST_BYTES;
    if (writer->pending.length > most && thread_is_main())
        most = WRITER_MAIN_MOST_BYTES;
    while (writer->pending.length > most && writer->failed == 0) {
        int64_t now_ns = clock_now_ns();
        if (most == WRITER_MAIN_MOST_BYTES || now_ns >= ready_gives_up_ns())
            return false;
        cond_wait_until(&writer->room, &writer->lock, now_ns + READY_LOOK_NS);
    }
    return true;
}

void writer_append(struct writer *writer, const char *text, size_t length)
{
    MUTEX_GUARD(&writer->lock);

    if (!has_room(writer))
        writer->dropped += count_lines(text, length);
    else if (writer->failed == 0) {
        if (writer->pending.length == 0 && !writer->writing)
            cond_signal(&writer->filled);
        buffer_append(&writer->pending, text, length);
    }
}

bool writer_destroy(struct writer **writer, struct error *error)
{
    if (*writer == NULL)
        return true;
    struct writer *gone = *writer;
    *writer = NULL;
    mutex_lock(&gone->lock);
    gone->ending = true;
    cond_signal(&gone->filled);
    mutex_unlock(&gone->lock);
    thread_join(&gone->thread);
    int failed = gone->failed;
    uint64_t dropped = gone->dropped;
    writer_free(gone);
    if (failed != 0)
        return error_set(error, "write", "%s", strerror(failed));
    return dropped == 0 || error_set(error, "dropped", "%" PRIu64 " line%s dropped: nobody reads",
                                     dropped, dropped == 1 ? " was" : "s were");
}
