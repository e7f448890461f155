#include "serve/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/buffer.h"
#include "support/thread.h"

/* Two buffers take turns: texts are added to one while the other is written without the lock. */
struct writer {
    /* immutable */
    int fd;
    const char *prefix;
    struct thread thread;
    /* guarded by lock */
    struct mutex lock;
    struct cond filled; /* there is something to write, or the end has come */
    struct cond room;   /* something was written */
    struct buffer pending;
    bool writing, ending; /* writing: without the lock */
    int failed; /* errno of the first write that failed */
    /* the writer's thread */
    struct buffer taken;
};

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Takes all that is pending behind the prefix; false at the end. */
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
    if (writer->prefix != NULL) {
        buffer_puts(&writer->taken, writer->prefix);
        buffer_append(&writer->taken, writer->pending.bytes, writer->pending.length);
    } else {
        struct buffer empty = writer->taken;
        writer->taken = writer->pending;
        writer->pending = empty;
    }
    writer->pending.length = 0;
    return true;
}

static void writer_run(void *argument)
{
    struct writer *writer = argument;

    while (take(writer)) {
        int failed = write_all(writer->fd, writer->taken.bytes, writer->taken.length);
        MUTEX_GUARD(&writer->lock);
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

    if (writer == NULL)
        abort();
    writer->fd = fd;
    writer->prefix = prefix;
    mutex_init(&writer->lock);
    cond_init(&writer->filled);
    cond_init(&writer->room);
    if (thread_start(&writer->thread, "writer", writer_run, writer, error))
        return writer;
    writer_free(writer);
    return NULL;
}

void writer_append(struct writer *writer, const char *text, size_t length)
{
    MUTEX_GUARD(&writer->lock);

    while (writer->pending.length > WRITER_PENDING_MOST_BYTES && writer->failed == 0)
        cond_wait(&writer->room, &writer->lock);
    if (writer->failed != 0)
        return;
    if (writer->pending.length == 0 && !writer->writing)
        cond_signal(&writer->filled);
    buffer_append(&writer->pending, text, length);
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
    writer_free(gone);
    errno = failed;
    return failed == 0 || error_set(error, "write", "%s", strerror(failed));
}
