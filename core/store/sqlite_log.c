#include "store/sqlite_log.h"

#include <string.h>

#include "store/sqlite_write.h"

bool sqlite_log_append(struct sqlite_writer *writer, int64_t place, const char *text, size_t length)
{
    sqlite3_stmt *replace = writer->statements[SQLITE_LOG_REPLACE_STATEMENT];
    size_t most = writer->limits.log_max_bytes + 1;
    sqlite3_stmt *select = writer->statements[SQLITE_LOG_SELECT_STATEMENT];
    int64_t written;

    sqlite3_bind_int64(select, 1, place);
    if (!sqlite_take(writer, select, &written))
        return false;
    buffer_append(&writer->scratch, text, length);
    size_t skip = writer->scratch.length > most ? writer->scratch.length - most : 0;
    sqlite3_bind_int64(replace, 1, place);
    sqlite3_bind_int64(replace, 2, written + (int64_t)length);
    sqlite3_bind_blob64(replace, 3, writer->scratch.bytes + skip, writer->scratch.length - skip,
                        SQLITE_STATIC);
    return sqlite_finish(replace);
}

uint64_t sqlite_log_bytes(struct sqlite_writer *writer, int64_t place)
{
    sqlite3_stmt *select = writer->statements[SQLITE_LOG_SELECT_STATEMENT];
    uint64_t bytes = 0;

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
