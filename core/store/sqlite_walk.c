#include "store/sqlite.h"
#include "store/sqlite_reader.h"

enum { ALL_STATES = STORE_SET(STORE_STATE_COUNT) - 1 };

/* A walk over the tasks of a query in their order. */
struct walk {
    struct sqlite_reader *reader;
    const struct store_query *query;
    store_visit_task *visit;
    void *context;
    uint32_t states; /* that are asked for */
    uint32_t found_count;
    bool is_over; /* by the visitor or the limit */
    bool has_failed;
    int64_t done_block; /* the block that is_done was asked for last; -1: none */
    bool is_block_done;
};

/* Rows of a statement in the order of places. */
struct cursor {
    sqlite3_stmt *rows; /* NULL: there are none */
    int64_t place;      /* INT64_MAX: at the end */
};

static void cursor_step(struct walk *walk, struct cursor *cursor)
{
    int code = cursor->rows == NULL ? SQLITE_DONE : sqlite3_step(cursor->rows);

    cursor->place = code == SQLITE_ROW ? sqlite3_column_int64(cursor->rows, 0) : INT64_MAX;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        walk->has_failed = walk->is_over = true;
}

static struct cursor cursor_open(struct walk *walk, enum sqlite_read name, int64_t first,
                                 int64_t last)
{
    struct cursor cursor = {.rows = walk->reader->statements[name]};

    sqlite_read_bind(cursor.rows, 2, (const int64_t[]){first, last});
    cursor_step(walk, &cursor);
    return cursor;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text == NULL)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* Dead letters are found by what `dead` has of them, before anything else is read. */
static struct cursor ended_open(struct walk *walk, int64_t first, int64_t last)
{
    sqlite3_stmt *dead = walk->reader->statements[SQLITE_READ_DEAD];

    if ((walk->states & ~STORE_SET(STORE_UNFINISHED)) == 0)
        return (struct cursor){.place = INT64_MAX};
    if ((walk->states & ~(uint32_t)STORE_DEAD_SET) != 0)
        return cursor_open(walk, SQLITE_READ_ENDED, first, last);
    sqlite3_reset(dead);
    bind_text(dead, 3, walk->query->type);
    bind_text(dead, 4, walk->query->reason);
    sqlite3_bind_int64(dead, 5, walk->query->since_wall_ns);
    return cursor_open(walk, SQLITE_READ_DEAD, first, last);
}

static struct cursor pending_open(struct walk *walk, bool wanted, int64_t first, int64_t last)
{
    if (!wanted || (walk->states & STORE_SET(STORE_UNFINISHED)) == 0)
        return (struct cursor){.place = INT64_MAX};
    return cursor_open(walk, SQLITE_READ_PENDING, first, last);
}

static void emit(struct walk *walk, const struct store_task *task)
{
    if (!store_query_matches(walk->query, task))
        return;
    walk->found_count++;
    if (!walk->visit(walk->context, task) || walk->found_count == walk->query->limit)
        walk->is_over = true;
}

static void emit_ended(struct walk *walk, const struct cursor *ended)
{
    struct store_task task;
    bool is_wanted = (walk->states & STORE_SET(sqlite_state_read(ended->rows, 2))) != 0;

    if (!is_wanted || !sqlite_read_is_kept(walk->reader, ended->rows) ||
        !sqlite_read_task(walk->reader, ended->place, &task))
        return;
    sqlite_read_ended(walk->reader, ended->rows, &task);
    emit(walk, &task);
}

/* Shows an unfinished task; pending may stand on its row. */
static void emit_unfinished(struct walk *walk, int64_t place, const struct cursor *pending)
{
    struct store_task task;

    if (!sqlite_read_task(walk->reader, place, &task))
        return;
    if (pending->place == place)
        sqlite_read_pending(walk->reader, pending->rows, &task);
    emit(walk, &task);
}

/* Walks over rows of tasks from one place to another, of one job or many; rows of `pending` count
 * only for a sparse job. */
static void walk_rows(struct walk *walk, int64_t first, int64_t last, bool with_pending)
{
    struct cursor ended = ended_open(walk, first, last);
    struct cursor pending = pending_open(walk, with_pending, first, last);

    while (!walk->is_over && (ended.place != INT64_MAX || pending.place != INT64_MAX)) {
        bool is_ended = ended.place <= pending.place;
        struct cursor *next = is_ended ? &ended : &pending;
        uint64_t key = sqlite_place_key(next->place);
        if (!sqlite_read_job_find(walk->reader, key)) { /* it is gone, and its rows soon */
            ended = ended_open(walk, sqlite_place(key + 1, 0), last);
            continue;
        }
        if (is_ended)
            emit_ended(walk, &ended);
        else
            emit_unfinished(walk, pending.place, &pending);
        if (!walk->is_over)
            cursor_step(walk, next);
    }
}

/* Walks over tasks of one chunk. */
static void walk_chunk(struct walk *walk, int64_t first, int64_t last)
{
    bool has_pending = (walk->reader->facts.extras & SQLITE_HAS_PENDING) != 0;
    bool wants_unfinished = (walk->states & STORE_SET(STORE_UNFINISHED)) != 0;
    struct cursor ended = cursor_open(walk, SQLITE_READ_ENDED, first, last);
    struct cursor pending = pending_open(walk, has_pending, first, last);

    for (int64_t place = first; place <= last && !walk->is_over; place++) {
        while (pending.place < place)
            cursor_step(walk, &pending);
        if (ended.place == place) {
            emit_ended(walk, &ended);
            if (!walk->is_over)
                cursor_step(walk, &ended);
        } else if (wants_unfinished) {
            emit_unfinished(walk, place, &pending);
        }
    }
}

/* Returns whether all tasks of the block with a place have ended. */
static bool is_done(struct walk *walk, int64_t place)
{
    int64_t block = place / SQLITE_WORDS_IN_BLOCK;

    if ((walk->reader->facts.extras & SQLITE_HAS_DONE) == 0)
        return false;
    if (block != walk->done_block) {
        sqlite3_stmt *row = walk->reader->statements[SQLITE_READ_DONE];
        SQLITE_READ_BIND(walk->reader, DONE, block * SQLITE_WORDS_IN_BLOCK);
        walk->is_block_done = sqlite3_step(row) == SQLITE_ROW;
        walk->done_block = block;
        sqlite3_reset(row);
    }
    return walk->is_block_done;
}

/* Walks over the tasks of the job at hand, chunk by chunk. */
static void walk_chunks(struct walk *walk, int64_t first, int64_t last)
{
    const struct sqlite_reader *reader = walk->reader;
    bool only_unfinished = walk->states == STORE_SET(STORE_UNFINISHED);

    for (int64_t place = first; place <= last && !walk->is_over;) {
        if (only_unfinished && is_done(walk, place)) {
            place = (place / SQLITE_WORDS_IN_BLOCK + 1) * SQLITE_WORDS_IN_BLOCK;
            continue;
        }
        if (!sqlite_read_chunk(walk->reader, place)) {
            walk->has_failed = walk->is_over = true;
            break;
        }
        int64_t chunk_last = reader->chunk_place + reader->chunk_count - 1;
        walk_chunk(walk, place, chunk_last < last ? chunk_last : last);
        place = chunk_last + 1;
    }
}

static bool job_may_match(const struct walk *walk)
{
    for (unsigned state = 0; state < STORE_STATE_COUNT; state++)
        if (walk->reader->job.by_state[state] > 0 && (walk->states & STORE_SET(state)) != 0)
            return true;
    return false;
}

static void walk_job(struct walk *walk)
{
    const struct store_query *query = walk->query;
    const struct sqlite_reader *reader = walk->reader;
    bool goes_on = query->resume && query->after.job == reader->job.key;
    int64_t place = sqlite_place(reader->job.key, 0);
    int64_t first = place + (goes_on ? (int64_t)query->after.number + 1 : 0);
    int64_t last = place + reader->job.tasks_count - 1;

    if (!job_may_match(walk) || first > last)
        return;
    if (reader->facts.sparse)
        walk_rows(walk, first, last, true);
    else
        walk_chunks(walk, first, last);
}

/* Unfinished tasks have no rows of their own: walks job by job. */
static void walk_jobs(struct walk *walk, uint64_t from)
{
    bool only_unfinished = walk->states == STORE_SET(STORE_UNFINISHED);
    struct cursor jobs = {
        .rows =
            walk->reader->statements[only_unfinished ? SQLITE_READ_JOBS_OPEN : SQLITE_READ_JOBS]};

    sqlite_read_bind(jobs.rows, 1, (const int64_t[]){(int64_t)from});
    for (cursor_step(walk, &jobs); jobs.place != INT64_MAX && !walk->is_over;
         cursor_step(walk, &jobs)) {
        if (walk->query->job != 0 && walk->query->job != (uint64_t)jobs.place)
            break;
        sqlite_read_job(walk->reader, jobs.rows);
        walk_job(walk);
    }
}

/* Looks only at tasks of a job whose id may be the one that is asked for. */
static void walk_id(struct walk *walk, struct store_position from)
{
    struct sqlite_reader *reader = walk->reader;
    bool by_rows = (walk->states & STORE_SET(STORE_UNFINISHED)) == 0;
    uint32_t number = from.number;

    sqlite_read_ids(reader);
    for (; !walk->is_over && memory_ids_next(&reader->ids, walk->query->id, &number); number++) {
        int64_t place = sqlite_place(from.job, number);
        if (by_rows || reader->facts.sparse)
            walk_rows(walk, place, place, true);
        else
            walk_chunks(walk, place, place);
    }
}

/* Returns whether it pays to find out which tasks of a job have which id. */
static bool goes_by_id(struct walk *walk)
{
    const struct store_query *query = walk->query;

    return query->job != 0 && query->id != NULL && query->job <= SQLITE_KEY_MOST &&
           sqlite_read_job_find(walk->reader, query->job) &&
           walk->reader->job.tasks_count > SQLITE_CHUNK_TASKS;
}

static struct store_position position_behind(const struct store_position *at)
{
    if (at->number >= SQLITE_NUMBER_MOST)
        return (struct store_position){at->job + 1, 0};
    return (struct store_position){at->job, at->number + 1};
}

static void walk_all(struct walk *walk)
{
    const struct store_query *query = walk->query;
    struct store_position from = {query->job, 0};
    int64_t last = query->job == 0 ? INT64_MAX : sqlite_place(query->job, SQLITE_NUMBER_MOST);

    if (query->resume && query->after.job >= from.job)
        from = position_behind(&query->after);
    if (from.job > SQLITE_KEY_MOST || (query->job != 0 && from.job != query->job))
        return;
    if (goes_by_id(walk))
        walk_id(walk, from);
    else if ((walk->states & STORE_SET(STORE_UNFINISHED)) != 0)
        walk_jobs(walk, from.job);
    else
        walk_rows(walk, sqlite_place(from.job, from.number), last, false);
}

bool sqlite_read_floors(struct sqlite_reader *reader)
{
    sqlite3_stmt *row = reader->statements[SQLITE_READ_FLOORS];
    bool right = sqlite3_step(row) == SQLITE_ROW;

    reader->floors[SQLITE_FINISHED] = (uint64_t)sqlite3_column_int64(row, 0);
    reader->floors[SQLITE_DEAD] = (uint64_t)sqlite3_column_int64(row, 1);
    sqlite3_reset(row);
    return right;
}

bool sqlite_read_tasks(struct sqlite_reader *reader, const struct store_query *query,
                       store_visit_task *visit, void *context, struct error *error)
{
    struct walk walk = {.reader = reader,
                        .query = query,
                        .visit = visit,
                        .context = context,
                        .states = query->states == 0 ? ALL_STATES : query->states,
                        .done_block = -1};

    walk.has_failed = !sqlite_read_floors(reader);
    if (!walk.has_failed)
        walk_all(&walk);
    if (walk.has_failed)
        sqlite_file_failed(reader->db, reader->sqlite->path, "cannot read the store", error);
    sqlite_read_reset(reader);
    return !walk.has_failed;
}
