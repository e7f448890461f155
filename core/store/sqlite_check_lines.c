#include "store/sqlite_check_lines.h"

#include <stdio.h>

#include "store/sqlite_file.h"
#include "store/sqlite_place.h"
#include "store/sqlite_record.h"

enum { ROW_ENTRIES = 1024 };

/* What others may see, in the order it ended: seq, place, state, about how many bytes. */
static const char kept_text[] =
    "SELECT seq, place, state, 66 + coalesce(length(reason), 0) + coalesce(length(message), 0) +"
    " coalesce(length(outputs), 0) + coalesce(length(attempts), 0) + chunk_bytes / max(tasks, 1)"
    " FROM ended JOIN job ON key = " SQLITE_PLACE_KEY_SQL(
        "place") " WHERE seq >= ?1 AND (state BETWEEN 2 AND 4) = ?2 ORDER BY seq";

/* Entries of a line, read from its rows one after the other. */
struct entries {
    sqlite3_stmt *rows;
    struct sqlite_record_reader reader;
    struct sqlite_record_end end;
    uint64_t seq; /* of `end` */
};

static bool entries_next_row(struct entries *entries)
{
    if (sqlite3_step(entries->rows) != SQLITE_ROW)
        return false;
    entries->seq = (uint64_t)sqlite3_column_int64(entries->rows, 0) - 1;
    entries->reader = sqlite_record_read(sqlite3_column_blob(entries->rows, 1),
                                         (size_t)sqlite3_column_bytes(entries->rows, 1));
    entries->end = (struct sqlite_record_end){0};
    return true;
}

/* Goes to the next entry that is not void, from a number on; false at the end. */
static bool entries_next(struct entries *entries, uint64_t floor)
{
    do {
        while (!sqlite_record_next_end(&entries->reader, &entries->end))
            if (!entries_next_row(entries))
                return false;
        entries->seq++;
    } while (entries->seq < floor || entries->end.state == STORE_UNFINISHED);
    return true;
}

static bool is_same(const struct entries *entries, sqlite3_stmt *kept)
{
    return entries->seq == (uint64_t)sqlite3_column_int64(kept, 0) &&
           (int64_t)entries->end.place == sqlite3_column_int64(kept, 1) &&
           (int)entries->end.state == sqlite3_column_int(kept, 2);
}

static bool open_kept(sqlite3 *db, enum sqlite_class class, uint64_t floor, sqlite3_stmt **kept)
{
    if (sqlite3_prepare_v2(db, kept_text, -1, kept, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_int64(*kept, 1, (int64_t)floor);
    sqlite3_bind_int(*kept, 2, (int)class);
    return true;
}

/* Walks over both at once. */
static bool compare(struct entries *entries, sqlite3_stmt *kept, const struct sqlite_line *line)
{
    uint64_t count = 0;

    for (; entries_next(entries, line->floor); count++)
        if (sqlite3_step(kept) != SQLITE_ROW || !is_same(entries, kept))
            return false;
    return sqlite3_step(kept) == SQLITE_DONE && count == line->count;
}

static bool check_line(sqlite3 *db, enum sqlite_class class, const struct sqlite_line *line,
                       bool *is_right)
{
    sqlite3_stmt *kept = NULL;
    struct entries entries = {.reader = sqlite_record_read("", 0)};
    bool done =
        open_kept(db, class, line->floor, &kept) &&
        sqlite3_prepare_v2(db, "SELECT seq, entries FROM line WHERE class = ?1 ORDER BY seq", -1,
                           &entries.rows, NULL) == SQLITE_OK;

    if (done) {
        sqlite3_bind_int(entries.rows, 1, (int)class);
        *is_right = *is_right && compare(&entries, kept, line);
    }
    sqlite3_finalize(kept);
    sqlite3_finalize(entries.rows);
    return done;
}

bool sqlite_lines_check(sqlite3 *db, bool *is_right)
{
    struct sqlite_meta meta;

    *is_right = true;
    return sqlite_meta_read(db, &meta, NULL) &&
           check_line(db, SQLITE_FINISHED, &meta.lines[SQLITE_FINISHED], is_right) &&
           check_line(db, SQLITE_DEAD, &meta.lines[SQLITE_DEAD], is_right);
}

/* A line that is being written. */
struct maker {
    sqlite3 *db;
    enum sqlite_class class;
    struct sqlite_line line;
    struct buffer entries;
    uint64_t first; /* of entries */
    uint64_t before;
    uint32_t count;
};

static bool maker_flush(struct maker *maker)
{
    sqlite3_stmt *insert = NULL;
    bool done =
        maker->count == 0 || sqlite3_prepare_v2(maker->db, "INSERT INTO line VALUES(?1, ?2, ?3)",
                                                -1, &insert, NULL) == SQLITE_OK;

    if (done && insert != NULL) {
        sqlite3_bind_int(insert, 1, (int)maker->class);
        sqlite3_bind_int64(insert, 2, (int64_t)maker->first);
        sqlite3_bind_blob64(insert, 3, maker->entries.bytes, maker->entries.length, SQLITE_STATIC);
        done = sqlite3_step(insert) == SQLITE_DONE;
    }
    sqlite3_finalize(insert);
    maker->first += maker->count;
    maker->entries.length = maker->before = maker->count = 0;
    return done;
}

static bool maker_add(struct maker *maker, const struct sqlite_record_end *end)
{
    sqlite_record_put_end(&maker->entries, end, maker->before);
    maker->before = end->place;
    return ++maker->count < ROW_ENTRIES || maker_flush(maker);
}

/* Adds a task that is kept, under the next number. */
static bool maker_add_kept(struct maker *maker, sqlite3_stmt *kept, sqlite3_stmt *number)
{
    struct sqlite_record_end end = {(uint64_t)sqlite3_column_int64(kept, 1),
                                    (uint64_t)sqlite3_column_int64(kept, 3),
                                    (enum store_state)sqlite3_column_int(kept, 2)};

    sqlite3_bind_int64(number, 1, (int64_t)end.place);
    sqlite3_bind_int64(number, 2, (int64_t)(maker->first + maker->count));
    bool done = sqlite3_step(number) == SQLITE_DONE;
    sqlite3_reset(number);
    maker->line.count++;
    maker->line.bytes += end.bytes;
    return done && maker_add(maker, &end);
}

static bool write_counts(sqlite3 *db, enum sqlite_class class, const struct sqlite_line *line)
{
    char text[256];
    const char *name = class == SQLITE_DEAD ? "dead" : "finished";

    snprintf(text, sizeof(text), "UPDATE meta SET %s_count = %llu, %s_bytes = %llu, %s_next = %llu",
             name, (unsigned long long)line->count, name, (unsigned long long)line->bytes, name,
             (unsigned long long)line->next);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* The tasks are numbered anew: numbers may be there twice, or far apart. Those that are kept are
 * all read before the first of them changes, for they are sorted. */
static bool mend_line(sqlite3 *db, enum sqlite_class class, uint64_t floor)
{
    struct maker maker = {.db = db, .class = class, .first = floor};
    sqlite3_stmt *kept = NULL, *number = NULL;
    bool done = open_kept(db, class, floor, &kept) &&
                sqlite3_prepare_v2(db, "UPDATE ended SET seq = ?2 WHERE place = ?1", -1, &number,
                                   NULL) == SQLITE_OK;
    int code = SQLITE_DONE;

    while (done && (code = sqlite3_step(kept)) == SQLITE_ROW)
        done = maker_add_kept(&maker, kept, number);
    sqlite3_finalize(kept);
    sqlite3_finalize(number);
    maker.line.next = maker.first + maker.count;
    done =
        done && code == SQLITE_DONE && maker_flush(&maker) && write_counts(db, class, &maker.line);
    buffer_fini(&maker.entries);
    return done;
}

bool sqlite_lines_mend(sqlite3 *db)
{
    struct sqlite_meta meta;

    return sqlite_meta_read(db, &meta, NULL) &&
           sqlite3_exec(db, "DELETE FROM line", NULL, NULL, NULL) == SQLITE_OK &&
           mend_line(db, SQLITE_FINISHED, meta.lines[SQLITE_FINISHED].floor) &&
           mend_line(db, SQLITE_DEAD, meta.lines[SQLITE_DEAD].floor);
}
