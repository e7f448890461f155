#include "store/sqlite_log.h"

#include <string.h>

#include "store/sqlite_write.h"

/* How much of a log is kept: the byte before what is shown tells whether a line begins there. */
static size_t kept_bytes(const struct sqlite_writer *writer, const struct sqlite_log *log)
{
    size_t most = writer->limits.log_max_bytes + 1;
    return log->text.length < most ? log->text.length : most;
}

static void keep_end(const struct sqlite_writer *writer, struct sqlite_log *log)
{
    size_t kept = kept_bytes(writer, log);
    memmove(log->text.bytes, log->text.bytes + log->text.length - kept, kept);
    log->text.length = kept;
}

static bool write_log(struct sqlite_writer *writer, struct sqlite_log *log)
{
    sqlite3_stmt *replace = writer->statements[SQLITE_LOG_REPLACE_STATEMENT];

    keep_end(writer, log);
    sqlite3_bind_int64(replace, 1, log->place);
    sqlite3_bind_int64(replace, 2, log->written);
    sqlite3_bind_blob64(replace, 3, log->text.bytes, log->text.length, SQLITE_STATIC);
    return sqlite_finish(replace);
}

void sqlite_logs_drop(struct sqlite_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++)
        buffer_fini(&logs->open[i].text);
    logs->count = 0;
}

bool sqlite_logs_flush(struct sqlite_writer *writer)
{
    struct sqlite_logs *logs = &writer->logs;
    bool right = true;

    for (size_t i = 0; i < logs->count && right; i++)
        right = write_log(writer, &logs->open[i]);
    sqlite_logs_drop(logs);
    return right;
}

static struct sqlite_log *find_open(struct sqlite_logs *logs, int64_t place)
{
    for (size_t i = 0; i < logs->count; i++)
        if (logs->open[i].place == place)
            return &logs->open[i];
    return NULL;
}

/* Opens one as it is in the file; NULL if SQLite fails. */
static struct sqlite_log *open_log(struct sqlite_writer *writer, int64_t place)
{
    struct sqlite_logs *logs = &writer->logs;
    sqlite3_stmt *select = writer->statements[SQLITE_LOG_SELECT_STATEMENT];
    int64_t written;

    if (logs->count == SQLITE_LOGS_OPEN && !sqlite_logs_flush(writer))
        return NULL;
    sqlite3_bind_int64(select, 1, place);
    if (!sqlite_take(writer, select, &written))
        return NULL;
    struct sqlite_log *log = &logs->open[logs->count++];
    *log = (struct sqlite_log){.place = place, .written = written, .text = BUFFER_EMPTY};
    buffer_append(&log->text, writer->scratch.bytes, writer->scratch.length);
    return log;
}

bool sqlite_log_append(struct sqlite_writer *writer, int64_t place, const char *text, size_t length)
{
    struct sqlite_log *log = find_open(&writer->logs, place);

    if (log == NULL)
        log = open_log(writer, place);
    if (log == NULL)
        return false;
    buffer_append(&log->text, text, length);
    log->written += (int64_t)length;
    if (log->text.length > 2 * (size_t)writer->limits.log_max_bytes)
        keep_end(writer, log);
    return true;
}

uint64_t sqlite_log_bytes(struct sqlite_writer *writer, int64_t place)
{
    sqlite3_stmt *select = writer->statements[SQLITE_LOG_SELECT_STATEMENT];
    const struct sqlite_log *log = find_open(&writer->logs, place);
    uint64_t bytes = 0;

    if (log != NULL)
        return kept_bytes(writer, log);
    sqlite3_bind_int64(select, 1, place);
    if (sqlite3_step(select) == SQLITE_ROW)
        bytes = (uint64_t)sqlite3_column_bytes(select, 1);
    sqlite3_reset(select);
    return bytes;
}

size_t sqlite_log_shown(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    const char *end = text + length, *cut = end - most;
    const char *newline = cut[-1] == '\n' ? cut - 1 : memchr(cut, '\n', most);
    return newline == NULL || newline + 1 == end ? most : (size_t)(end - (newline + 1));
}
