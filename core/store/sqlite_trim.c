#include <assert.h>

#include "store/sqlite.h"
#include "store/sqlite_write.h"

/* At most so many entries, or places of a sweep, in one transaction: none is to hold up those that
 * wait for a commit. */
enum { TRIM_SLICE = 4096, SWEEP_SLICE = 4096 };

static_assert(STORE_DEAD_SET == (STORE_SET(STORE_FAILED) | STORE_SET(STORE_TIMED_OUT) |
                                 STORE_SET(STORE_CRASHED)) &&
                  STORE_CRASHED == STORE_FAILED + 2,
              "HIDDEN_DELETE tells dead letters by a range");

/* Ended tasks of one job that is over, one behind the other, which are to be deleted. */
struct run {
    struct sqlite_row *row; /* NULL: none */
    int64_t first, last;
};

static bool run_delete(struct sqlite_writer *writer, struct run *run)
{
    struct sqlite_row *row = run->row;

    run->row = NULL;
    if (row == NULL || row->now.is_gone)
        return true;
    return SQLITE_RUN(writer, ENDED_DELETE, run->first, run->last) &&
           ((row->now.facts.extras & SQLITE_HAS_LOG) == 0 ||
            SQLITE_RUN(writer, LOG_DELETE, run->first, run->last));
}

static bool run_add(struct sqlite_writer *writer, struct run *run, struct sqlite_row *row,
                    int64_t place)
{
    if (run->row == row && place == run->last + 1) {
        run->last = place;
        return true;
    }
    if (!run_delete(writer, run))
        return false;
    *run = (struct run){row, place, place};
    return true;
}

/* Nobody is to see a task any more: its row goes if its job is over. */
static bool give_up(struct sqlite_writer *writer, const struct sqlite_record_end *end,
                    struct run *run)
{
    int64_t place = (int64_t)end->place;
    struct sqlite_row *row;

    sqlite_line_count_out(writer, end);
    writer->dropped[sqlite_class_of(end->state)]++;
    if (!sqlite_row_get(writer, sqlite_place_key(place), &row))
        return false;
    if (row == NULL)
        return true; /* its job was given up */
    sqlite_row_touch(writer, row);
    row->now.facts.kept--;
    if (sqlite_class_of(end->state) == SQLITE_DEAD &&
        !SQLITE_RUN(writer, DEAD_DELETE, place, place))
        return false;
    if (!row->now.facts.over) {
        row->now.facts.extras |= SQLITE_HAS_HIDDEN;
        return true;
    }
    sqlite_row_settle(writer, row);
    return run_add(writer, run, row, place);
}

static bool is_over_limit(const struct sqlite_writer *writer, enum sqlite_class class)
{
    const struct store_options *limits = &writer->limits;
    const struct sqlite_line *line = &writer->meta.lines[class];
    uint64_t most = class == SQLITE_DEAD ? limits->dead_max : limits->finished_max;
    uint64_t bytes = class == SQLITE_DEAD ? limits->dead_max_bytes : limits->finished_max_bytes;

    return line->floor < line->next && (line->count > most || (bytes != 0 && line->bytes > bytes));
}

/* Goes through the entries of the row of a line that begins at `first`, from the floor on. */
static bool trim_row(struct sqlite_writer *writer, enum sqlite_class class, uint64_t first,
                     uint32_t *budget)
{
    struct sqlite_record_reader reader =
        sqlite_record_read(writer->scratch.bytes, writer->scratch.length);
    struct sqlite_line *line = &writer->meta.lines[class];
    struct sqlite_record_end end = {0};
    struct run run = {0};

    for (uint64_t seq = first; sqlite_record_next_end(&reader, &end); seq++) {
        if (seq < line->floor)
            continue;
        if (*budget == 0 || !is_over_limit(writer, class))
            return run_delete(writer, &run);
        line->floor++;
        (*budget)--;
        if (end.state != STORE_UNFINISHED && !give_up(writer, &end, &run))
            return false;
    }
    return run_delete(writer, &run) &&
           SQLITE_RUN(writer, LINE_DELETE, (int64_t) class, (int64_t)first);
}

/* Nothing has the number of the floor, for the file was damaged: goes on at the next row. */
static bool skip_gap(struct sqlite_writer *writer, enum sqlite_class class)
{
    sqlite3_stmt *select = writer->statements[SQLITE_LINE_NEXT_STATEMENT];
    struct sqlite_line *line = &writer->meta.lines[class];

    sqlite3_bind_int(select, 1, (int)class);
    sqlite3_bind_int64(select, 2, (int64_t)line->floor);
    int code = sqlite3_step(select);
    line->floor = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(select, 0) : line->next;
    sqlite3_reset(select);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

static bool trim_line(struct sqlite_writer *writer, enum sqlite_class class, uint32_t *budget)
{
    struct sqlite_line *line = &writer->meta.lines[class];
    uint64_t first;

    while (is_over_limit(writer, class) && *budget > 0) {
        uint64_t floor = line->floor;
        if (!sqlite_line_read(writer, class, floor, &first))
            return false;
        if (first > 0 && !trim_row(writer, class, first, budget))
            return false;
        if (line->floor == floor && *budget > 0 && !skip_gap(writer, class))
            return false;
    }
    return true;
}

static bool trim_jobs(struct sqlite_writer *writer, uint32_t *budget)
{
    sqlite3_stmt *select = writer->statements[SQLITE_JOB_OLDEST_STATEMENT];
    bool found = true;

    for (; found && writer->meta.over_count > writer->limits.finished_max && *budget > 0;
         (*budget)--)
        if (!sqlite_row_unkeep_first(writer, select, &found))
            return false;
    return true;
}

bool sqlite_trim(struct sqlite_writer *writer)
{
    uint32_t budget = TRIM_SLICE;
    bool right = trim_line(writer, SQLITE_FINISHED, &budget) &&
                 trim_line(writer, SQLITE_DEAD, &budget) && trim_jobs(writer, &budget);

    writer->has_more |= budget == 0;
    return right;
}

/* Deletes one slice of what the first row of `sweep` names. */
static bool sweep_slice(struct sqlite_writer *writer, uint64_t key, bool whole, int64_t next)
{
    int64_t first = sqlite_place(key, 0) + next, last = first + SWEEP_SLICE - 1;

    if (whole)
        return sqlite_delete_range(writer, UINT8_MAX, first, last);
    return SQLITE_RUN(writer, HIDDEN_DELETE, first, last, STORE_FAILED, STORE_CRASHED,
                      (int64_t)writer->meta.lines[SQLITE_FINISHED].floor,
                      (int64_t)writer->meta.lines[SQLITE_DEAD].floor);
}

bool sqlite_sweep(struct sqlite_writer *writer)
{
    sqlite3_stmt *select = writer->statements[SQLITE_SWEEP_SELECT_STATEMENT];
    int code = sqlite3_step(select);
    int64_t key = sqlite3_column_int64(select, 0), next = sqlite3_column_int64(select, 2);
    int64_t tasks = sqlite3_column_int64(select, 3);
    bool whole = sqlite3_column_int(select, 1) != 0;

    sqlite3_reset(select);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE;
    writer->has_more = true;
    if (!sweep_slice(writer, (uint64_t)key, whole, next))
        return false;
    next += SWEEP_SLICE;
    return next < tasks ? SQLITE_RUN(writer, SWEEP_UPDATE, key, next)
                        : SQLITE_RUN(writer, SWEEP_DELETE, key);
}
