#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/sqlite_write.h"
#include "support/memory.h"

enum { DELETE_AT_ONCE_MOST = 1024 }; /* tasks; of a larger job they go slice by slice */

static struct sqlite_row *find_in_index(struct sqlite_writer *writer, uint64_t key)
{
    MUTEX_GUARD(&writer->sqlite->lock);
    struct sqlite_job *job = sqlite_index_find(&writer->sqlite->index, key);
    return job == NULL ? NULL : &job->row;
}

static bool load(struct sqlite_writer *writer, uint64_t key, struct sqlite_row **row)
{
    sqlite3_stmt *select = writer->statements[SQLITE_JOB_SELECT_STATEMENT];

    sqlite3_bind_int64(select, 1, (int64_t)key);
    int code = sqlite3_step(select);
    if (code == SQLITE_ROW) {
        struct sqlite_row **bucket = &writer->loaded[key % SQLITE_LOADED_BUCKETS];
        struct sqlite_row *made = memory_grow(NULL, 1, sizeof(*made));
        *made = (struct sqlite_row){.key = key, .now.is_there = true, .next_loaded = *bucket};
        sqlite_facts_read(select, 1, &made->now.facts);
        made->durable = made->now;
        *bucket = *row = made;
        code = SQLITE_DONE;
    }
    sqlite3_reset(select);
    return code == SQLITE_DONE;
}

bool sqlite_row_get(struct sqlite_writer *writer, uint64_t key, struct sqlite_row **row)
{
    *row = writer->in_hand;
    if (*row != NULL && (*row)->key == key)
        return true;
    *row = writer->loaded[key % SQLITE_LOADED_BUCKETS];
    while (*row != NULL && (*row)->key != key)
        *row = (*row)->next_loaded;
    if (*row == NULL)
        *row = find_in_index(writer, key);
    bool right = *row != NULL || load(writer, key, row);
    writer->in_hand = *row;
    return right;
}

void sqlite_row_replace(struct sqlite_writer *writer, struct sqlite_row *read,
                        struct sqlite_row *lasting)
{
    struct sqlite_row **place = &writer->loaded[read->key % SQLITE_LOADED_BUCKETS];

    assert(!read->is_touched);
    while (*place != read)
        place = &(*place)->next_loaded;
    *place = read->next_loaded;
    lasting->now = read->now;
    lasting->durable = read->durable;
    writer->in_hand = lasting;
    free(read);
}

void sqlite_row_touch(struct sqlite_writer *writer, struct sqlite_row *row)
{
    row->is_dirty = true;
    if (row->is_touched)
        return;
    row->is_touched = true;
    row->next = writer->touched;
    writer->touched = row;
}

void sqlite_row_unkeep(struct sqlite_writer *writer, struct sqlite_row *row)
{
    writer->meta.over_count -= row->now.facts.over_seq > 0;
    row->now.facts.over_seq = 0;
}

void sqlite_row_settle(struct sqlite_writer *writer, struct sqlite_row *row)
{
    struct sqlite_facts *facts = &row->now.facts;

    if (!facts->sealed || facts->by_state[STORE_UNFINISHED] > 0)
        return;
    if (!facts->over) {
        facts->over = facts->sparse = true;
        if (writer->limits.finished_max > 0) {
            facts->over_seq = writer->meta.over_next++;
            writer->meta.over_count++;
        }
    }
    if (facts->over_seq == 0 && facts->kept == 0)
        row->now.is_gone = true;
}

bool sqlite_delete_range(struct sqlite_writer *writer, uint8_t extras, int64_t first, int64_t last)
{
    return sqlite_logs_flush(writer) && SQLITE_RUN(writer, CHUNK_DELETE, first, last) &&
           SQLITE_RUN(writer, ENDED_DELETE, first, last) &&
           ((extras & SQLITE_HAS_PENDING) == 0 ||
            SQLITE_RUN(writer, PENDING_DELETE, first, last)) &&
           ((extras & SQLITE_HAS_LOG) == 0 || SQLITE_RUN(writer, LOG_DELETE, first, last)) &&
           ((extras & SQLITE_HAS_DEAD) == 0 || SQLITE_RUN(writer, DEAD_DELETE, first, last)) &&
           ((extras & SQLITE_HAS_DONE) == 0 || SQLITE_RUN(writer, DONE_DELETE, first, last));
}

/* Delayed tasks of a job that goes before they have ended are no longer to be counted. */
static bool count_delayed_out(struct sqlite_writer *writer, const struct sqlite_row *row)
{
    sqlite3_stmt *select = writer->statements[SQLITE_PENDING_DUE_STATEMENT];

    if (row->now.facts.over || (row->now.facts.extras & SQLITE_HAS_PENDING) == 0)
        return true;
    sqlite3_bind_int64(select, 1, sqlite_place(row->key, 0));
    sqlite3_bind_int64(select, 2, sqlite_place(row->key, SQLITE_NUMBER_MOST));
    bool right = sqlite3_step(select) == SQLITE_ROW;
    if (right)
        writer->meta.delayed -= (uint64_t)sqlite3_column_int64(select, 0);
    sqlite3_reset(select);
    return right;
}

/* What is kept of a job that goes all the same is to be counted no more. */
static bool count_kept_out(struct sqlite_writer *writer, const struct sqlite_row *row)
{
    sqlite3_stmt *select = writer->statements[SQLITE_ENDED_KEPT_STATEMENT];
    int code = SQLITE_DONE;

    if (row->now.facts.kept == 0)
        return true;
    sqlite3_bind_int64(select, 1, sqlite_place(row->key, 0));
    sqlite3_bind_int64(select, 2, sqlite_place(row->key, SQLITE_NUMBER_MOST));
    while ((code = sqlite3_step(select)) == SQLITE_ROW) {
        uint64_t seq = (uint64_t)sqlite3_column_int64(select, 0);
        enum sqlite_class class = sqlite_class_of(sqlite_state_read(select, 1));
        if (seq >= writer->meta.lines[class].floor && !sqlite_line_void(writer, class, seq))
            break;
    }
    sqlite3_reset(select);
    return code == SQLITE_DONE;
}

static bool forget(struct sqlite_writer *writer, struct sqlite_row *row)
{
    struct sqlite_facts *facts = &row->now.facts;
    uint32_t count = facts->tasks_count;
    int64_t first = sqlite_place(row->key, 0), last = sqlite_place(row->key, count - 1);

    writer->meta.jobs--;
    writer->meta.held[STORE_UNFINISHED] -= facts->by_state[STORE_UNFINISHED];
    sqlite_row_unkeep(writer, row);
    if (row->now.is_there && !SQLITE_RUN(writer, JOB_DELETE, (int64_t)row->key))
        return false;
    row->now.is_there = false;
    if (count == 0)
        return true;
    if (!count_delayed_out(writer, row) || !count_kept_out(writer, row))
        return false;
    if (count > DELETE_AT_ONCE_MOST) {
        writer->has_more = true;
        return SQLITE_RUN(writer, SWEEP_INSERT, (int64_t)row->key, 1, count);
    }
    return sqlite_delete_range(writer, facts->extras, first, last);
}

/* Of a job that is over nobody recalls what is hidden. */
static bool forget_hidden(struct sqlite_writer *writer, struct sqlite_row *row)
{
    struct sqlite_facts *facts = &row->now.facts;

    if (!facts->over || (facts->extras & SQLITE_HAS_HIDDEN) == 0)
        return true;
    facts->extras &= (uint8_t)~SQLITE_HAS_HIDDEN;
    writer->has_more = true;
    return SQLITE_RUN(writer, SWEEP_INSERT, (int64_t)row->key, 0, facts->tasks_count);
}

/* Of a job that is over, and none of whose tasks is kept, nobody asks what they were: only the job
 * itself is known from then on. */
static bool forget_tasks(struct sqlite_writer *writer, struct sqlite_row *row)
{
    struct sqlite_facts *facts = &row->now.facts;
    uint32_t count = facts->tasks_count;

    if (!facts->over || facts->kept > 0 || facts->chunk_bytes == 0)
        return true;
    facts->chunk_bytes = 0;
    if (count <= DELETE_AT_ONCE_MOST)
        return sqlite_delete_range(writer, facts->extras, sqlite_place(row->key, 0),
                                   sqlite_place(row->key, count - 1));
    writer->has_more = true;
    return SQLITE_RUN(writer, SWEEP_INSERT, (int64_t)row->key, 1, count);
}

static int bind_facts(sqlite3_stmt *statement, int at, const struct sqlite_facts *facts)
{
#define FACT(column, member) sqlite3_bind_int64(statement, at++, (int64_t)facts->member);
#include "store/sqlite_facts.def"
#undef FACT
    return at;
}

static bool insert(struct sqlite_writer *writer, struct sqlite_row *row)
{
    sqlite3_stmt *statement = writer->statements[SQLITE_JOB_INSERT_STATEMENT];
    const struct store_job_given *given = &row->job->given;

    sqlite3_bind_int64(statement, 1, (int64_t)row->key);
    sqlite3_bind_text(statement, 2, given->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, given->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, given->file, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, given->document);
    sqlite3_bind_int64(statement, 6, given->submitted_wall_ns);
    sqlite3_bind_int64(statement, 7, given->max_weight);
    sqlite3_bind_int64(statement, 8, given->fail_fast);
    sqlite3_bind_text(statement, 9, given->origin, -1, SQLITE_STATIC); /* NULL stays NULL */
    bind_facts(statement, 10, &row->now.facts);
    row->now.is_there = sqlite_finish(statement);
    if (row->now.is_there || (sqlite3_errcode(writer->db) & 0xff) != SQLITE_CONSTRAINT)
        return row->now.is_there;
    row->now.is_gone = row->now.is_refused = true;
    return forget(writer, row);
}

static bool update(struct sqlite_writer *writer, struct sqlite_row *row)
{
    sqlite3_stmt *statement = writer->statements[SQLITE_JOB_UPDATE_STATEMENT];
    int at = bind_facts(statement, 1, &row->now.facts);

    sqlite3_bind_int64(statement, at, (int64_t)row->key);
    return sqlite_finish(statement);
}

bool sqlite_row_write(struct sqlite_writer *writer, struct sqlite_row *row)
{
    if (!row->is_dirty || (row->job != NULL && row->job->given_up && !row->now.is_gone))
        return true;
    row->is_dirty = false;
    if (row->now.is_gone)
        return forget(writer, row);
    return forget_hidden(writer, row) && forget_tasks(writer, row) &&
           (row->now.is_there ? update(writer, row) : insert(writer, row));
}

bool sqlite_row_unkeep_first(struct sqlite_writer *writer, sqlite3_stmt *select, bool *found)
{
    struct sqlite_row *row;
    int code = sqlite3_step(select);
    uint64_t key = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(select, 0) : 0;

    sqlite3_reset(select);
    *found = code == SQLITE_ROW;
    if (!*found)
        return code == SQLITE_DONE;
    if (!sqlite_row_get(writer, key, &row))
        return false;
    assert(row != NULL);
    sqlite_row_touch(writer, row);
    sqlite_row_unkeep(writer, row);
    sqlite_row_settle(writer, row);
    return sqlite_row_write(writer, row);
}

bool sqlite_rows_write(struct sqlite_writer *writer)
{
    for (struct sqlite_row *row = writer->touched; row != NULL; row = row->next)
        if (!sqlite_row_write(writer, row))
            return false;
    return true;
}

/* Frees what was read for this transaction, and forgets what was touched. */
static void rows_forget(struct sqlite_writer *writer)
{
    writer->touched = writer->in_hand = NULL;
    for (size_t i = 0; i < SQLITE_LOADED_BUCKETS; i++)
        while (writer->loaded[i] != NULL) {
            struct sqlite_row *row = writer->loaded[i];
            writer->loaded[i] = row->next_loaded;
            free(row);
        }
}

static bool is_said_all(const struct sqlite_job *job, uint64_t written)
{
    return (job->given_up || job->row.now.facts.over || job->row.now.is_gone) &&
           job->said_at <= written;
}

void sqlite_rows_committed(struct sqlite_writer *writer)
{
    struct sqlite_row *next;

    MUTEX_GUARD(&writer->sqlite->lock);
    for (struct sqlite_row *row = writer->touched; row != NULL; row = next) {
        struct sqlite_job *job = row->job;
        next = row->next;
        row->durable = row->now;
        row->is_touched = false;
        if (job != NULL && row->now.is_refused && !job->is_out)
            sqlite_index_give_up(&writer->sqlite->index, job);
        if (job == NULL || !is_said_all(job, writer->written))
            continue;
        if (!job->is_out)
            sqlite_index_remove(&writer->sqlite->index, job);
        sqlite_job_destroy(&job);
    }
    rows_forget(writer);
}

void sqlite_rows_undone(struct sqlite_writer *writer)
{
    for (struct sqlite_row *row = writer->touched; row != NULL; row = row->next) {
        row->now = row->durable;
        row->is_touched = row->is_dirty = false;
    }
    rows_forget(writer);
}
