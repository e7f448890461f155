#include "serve/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/record.h"
#include "serve/writer.h"
#include "support/buffer.h"
#include "support/cleanup.h"

struct events {
    char *file;
    int fd;
    struct writer *writer;
};

struct events *events_create(const char *file, struct error *error)
{
    struct error reason = {0};
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0) {
        error_errno(error, "events", "cannot write events to %s", file);
        return NULL;
    }
    struct writer *writer = writer_create(fd, NULL, &reason);
    struct events *events = calloc(1, sizeof(*events));
    char *copy = strdup(file);
    if (events == NULL || copy == NULL)
        abort();
    *events = (struct events){.file = copy, .fd = fd, .writer = writer};
    if (writer == NULL) {
        events_destroy(&events, NULL);
        error_set(error, reason.code, "%s", reason.message);
    }
    return events;
}

bool events_destroy(struct events **events, struct error *error)
{
    struct error reason = {0};

    if (*events == NULL)
        return true;
    struct events *gone = *events;
    *events = NULL;
    bool written = writer_destroy(&gone->writer, &reason);
    /* Network file systems report a full disk only here. */
    if (close(gone->fd) != 0 && written)
        written = error_set(&reason, "write", "%s", strerror(errno));
    if (!written)
        error_set(error, "events", "cannot write events to %s: %s", gone->file, reason.message);
    free(gone->file);
    free(gone);
    return written;
}

void events_add(struct events *events, const struct outcome_record *record)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;

    record_write(record, &line);
    writer_append(events->writer, line.bytes, line.length);
}
