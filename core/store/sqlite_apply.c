/* What each kind of record changes in the file. */
#include <stdlib.h>
#include <string.h>

#include "store/sqlite_log.h"
#include "store/sqlite_query.h"
#include "store/sqlite_said.h"
#include "store/sqlite_write.h"

static bool apply_job(struct sqlite_writer *writer, struct sqlite_row *row)
{
    row->now =
        (struct sqlite_state){.facts = {.last_end_wall_ns = row->job->given.submitted_wall_ns}};
    writer->meta.jobs++;
    if (row->key >= writer->meta.next_key)
        writer->meta.next_key = row->key + 1;
    return true;
}

/* Tasks with a due time have a row of their own from the start, so that they are found by it. */
static bool add_due(struct sqlite_writer *writer, struct sqlite_row *row,
                    const struct sqlite_said_chunk *said)
{
    struct sqlite_record_reader reader = sqlite_record_read(said->tasks, said->bytes);
    struct sqlite_record_task task = {0};
    bool right = true;

    for (uint32_t i = 0; right && sqlite_record_next_task(&reader, &task); i++)
        if (task.due_wall_ns != 0)
            right = SQLITE_RUN(writer, PENDING_REPLACE, sqlite_place(row->key, said->first + i), 1,
                               0, task.due_wall_ns);
    sqlite_record_task_fini(&task);
    row->now.facts.extras |= SQLITE_HAS_PENDING;
    writer->meta.delayed += said->due_count;
    return right;
}

static bool apply_chunk(struct sqlite_writer *writer, struct sqlite_row *row,
                        const struct sqlite_said_chunk *said)
{
    sqlite3_stmt *insert = writer->statements[SQLITE_CHUNK_INSERT_STATEMENT];
    struct sqlite_facts *facts = &row->now.facts;

    facts->tasks_count += said->count;
    facts->by_state[STORE_UNFINISHED] += said->count;
    facts->chunk_bytes += said->bytes;
    writer->meta.held[STORE_UNFINISHED] += said->count;
    sqlite3_bind_int64(insert, 1, sqlite_place(row->key, said->first));
    sqlite3_bind_blob64(insert, 2, said->tasks, said->bytes, SQLITE_STATIC);
    if (!sqlite_finish(insert))
        return false;
    if (said->due_count == 0)
        return true;
    sqlite3_clear_bindings(writer->statements[SQLITE_PENDING_REPLACE_STATEMENT]);
    return add_due(writer, row, said);
}

/* What was known of an unfinished task, besides its chunk. Attempts lie in writer->scratch. */
struct past {
    uint32_t charged;
    int64_t due_wall_ns;
};

static bool past_read(struct sqlite_writer *writer, int64_t place, uint32_t word, struct past *past)
{
    sqlite3_stmt *select = writer->statements[SQLITE_PENDING_SELECT_STATEMENT];

    *past = (struct past){0};
    writer->scratch.length = 0;
    if ((word & SQLITE_WORD_PENDING) == 0)
        return true;
    sqlite3_bind_int64(select, 1, place);
    int code = sqlite3_step(select);
    if (code == SQLITE_ROW) {
        past->charged = (uint32_t)sqlite3_column_int64(select, 1);
        past->due_wall_ns = sqlite3_column_int64(select, 2);
        buffer_append(&writer->scratch, sqlite3_column_blob(select, 3),
                      (size_t)sqlite3_column_bytes(select, 3));
        code = SQLITE_DONE;
    }
    sqlite3_reset(select);
    writer->meta.delayed -= past->due_wall_ns != 0;
    return code == SQLITE_DONE;
}

/* Cuts the packed attempts in scratch down to the latest; returns how many bytes they count for. */
static size_t past_cut(struct sqlite_writer *writer, size_t most)
{
    struct store_attempt attempts[STORE_ATTEMPTS_MOST];
    struct buffer *packed = &writer->scratch;
    size_t count = sqlite_record_attempts(packed->bytes, packed->length, attempts, most);
    struct buffer kept = BUFFER_EMPTY;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += sizeof(attempts[i]) + strlen(attempts[i].reason) + strlen(attempts[i].message) + 2;
        sqlite_record_put_attempt(&kept, &attempts[i]);
    }
    buffer_fini(packed);
    *packed = kept;
    return bytes;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text[0] == '\0')
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *statement, int at, const void *bytes, size_t length)
{
    if (length == 0)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_blob64(statement, at, bytes, length, SQLITE_STATIC);
}

static bool insert_ended(struct sqlite_writer *writer, int64_t place, uint64_t seq,
                         const struct sqlite_said_end *said, uint32_t charged)
{
    sqlite3_stmt *insert = writer->statements[SQLITE_ENDED_INSERT_STATEMENT];

    sqlite3_bind_int64(insert, 1, place);
    sqlite3_bind_int64(insert, 2, (int64_t)seq);
    sqlite3_bind_int(insert, 3, (int)said->state);
    sqlite3_bind_int64(insert, 4, said->word & SQLITE_WORD_ATTEMPT);
    sqlite3_bind_int64(insert, 5, charged);
    sqlite3_bind_int64(insert, 6, said->started_wall_ns);
    sqlite3_bind_int64(insert, 7, said->ended_wall_ns);
    bind_text(insert, 8, said->texts);
    bind_text(insert, 9, said->texts + said->message_at);
    bind_blob(insert, 10, said->texts + said->outputs_at, said->outputs_bytes);
    bind_blob(insert, 11, writer->scratch.bytes, writer->scratch.length);
    return sqlite_finish(insert);
}

static bool insert_dead(struct sqlite_writer *writer, int64_t place,
                        const struct sqlite_said_end *said)
{
    sqlite3_stmt *insert = writer->statements[SQLITE_DEAD_INSERT_STATEMENT];

    sqlite3_bind_int64(insert, 1, place);
    sqlite3_bind_text(insert, 2, sqlite_reader_type(writer->reader, place), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, 3, said->texts, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, said->ended_wall_ns);
    return sqlite_finish(insert);
}

/* How many bytes a record counts for: its row, and its share of what its job's chunks hold. */
static uint64_t ended_bytes(struct sqlite_writer *writer, const struct sqlite_facts *facts,
                            const struct sqlite_said_end *said, int64_t place)
{
    enum { ROW_BYTES = 64 };
    uint64_t bytes = ROW_BYTES + said->outputs_at + said->outputs_bytes +
                     facts->chunk_bytes / facts->tasks_count;

    if ((said->word & SQLITE_WORD_LOG) != 0)
        bytes += sqlite_log_bytes(writer, place);
    return bytes;
}

/* Makes an ended task one that others may see; returns its number in the line, 0 if none of its
 * kind are to be kept. */
static bool keep(struct sqlite_writer *writer, struct sqlite_row *row,
                 const struct sqlite_said_end *said, size_t past_bytes, uint64_t *seq)
{
    enum sqlite_class class = sqlite_class_of(said->state);
    int64_t place = sqlite_place(row->key, said->number);
    struct sqlite_facts *facts = &row->now.facts;
    uint64_t most = class == SQLITE_DEAD ? writer->limits.dead_max : writer->limits.finished_max;

    *seq = 0;
    if (most == 0) {
        facts->extras |= SQLITE_HAS_HIDDEN;
        return true;
    }
    *seq = writer->meta.lines[class].next;
    uint64_t bytes = ended_bytes(writer, facts, said, place) + past_bytes;
    sqlite_line_add(writer, &(struct sqlite_record_end){(uint64_t)place, bytes, said->state});
    facts->kept++;
    if (class != SQLITE_DEAD)
        return true;
    facts->extras |= SQLITE_HAS_DEAD;
    return insert_dead(writer, place, said);
}

static bool apply_end(struct sqlite_writer *writer, struct sqlite_row *row,
                      const struct sqlite_said_end *said)
{
    int64_t place = sqlite_place(row->key, said->number);
    struct sqlite_facts *facts = &row->now.facts;
    struct past past;
    uint64_t seq;
    size_t past_bytes = 0;

    if (!past_read(writer, place, said->word, &past))
        return false;
    if ((said->word & SQLITE_WORD_PENDING) != 0) {
        past_bytes = past_cut(writer, STORE_ATTEMPTS_MOST - 1);
        if (!SQLITE_RUN(writer, PENDING_DELETE, place, place))
            return false;
    }
    facts->by_state[STORE_UNFINISHED]--;
    facts->by_state[said->state]++;
    writer->meta.held[STORE_UNFINISHED]--;
    if (said->ended_wall_ns > facts->last_end_wall_ns)
        facts->last_end_wall_ns = said->ended_wall_ns;
    bool right =
        keep(writer, row, said, past_bytes, &seq) &&
        insert_ended(writer, place, seq, said, past.charged + (said->started_wall_ns != 0));
    sqlite_row_settle(writer, row);
    return right;
}

/* Writes what is known of an unfinished task, with the attempts in writer->scratch. */
static bool replace_pending(struct sqlite_writer *writer, int64_t place, uint32_t attempt,
                            const struct past *past)
{
    sqlite3_stmt *replace = writer->statements[SQLITE_PENDING_REPLACE_STATEMENT];

    sqlite3_bind_int64(replace, 1, place);
    sqlite3_bind_int64(replace, 2, attempt);
    sqlite3_bind_int64(replace, 3, past->charged);
    sqlite3_bind_int64(replace, 4, past->due_wall_ns);
    bind_blob(replace, 5, writer->scratch.bytes, writer->scratch.length);
    return sqlite_finish(replace);
}

void sqlite_attempts_of_ended(struct sqlite_writer *writer, sqlite3_stmt *row)
{
    const char *reason = (const char *)sqlite3_column_text(row, 5);
    const char *message = (const char *)sqlite3_column_text(row, 6);
    struct store_attempt last = {.attempt = (uint32_t)sqlite3_column_int64(row, 2),
                                 .started_wall_ns = sqlite3_column_int64(row, 3),
                                 .ended_wall_ns = sqlite3_column_int64(row, 4),
                                 .reason = reason == NULL ? "" : reason,
                                 .message = message == NULL ? "" : message};

    last.charged = last.started_wall_ns != 0;
    writer->scratch.length = 0;
    buffer_append(&writer->scratch, sqlite3_column_blob(row, 7),
                  (size_t)sqlite3_column_bytes(row, 7));
    sqlite_record_put_attempt(&writer->scratch, &last);
}

bool sqlite_pending_write(struct sqlite_writer *writer, int64_t place, uint32_t attempt)
{
    return replace_pending(writer, place, attempt, &(struct past){0});
}

static bool apply_retry(struct sqlite_writer *writer, struct sqlite_row *row,
                        const struct sqlite_said_retry *said)
{
    int64_t place = sqlite_place(row->key, said->number);
    struct past past;

    if (!past_read(writer, place, said->word, &past))
        return false;
    sqlite_record_put_attempt(&writer->scratch,
                              &(struct store_attempt){.attempt = said->word & SQLITE_WORD_ATTEMPT,
                                                      .charged = said->charged,
                                                      .started_wall_ns = said->started_wall_ns,
                                                      .ended_wall_ns = said->ended_wall_ns,
                                                      .reason = said->texts,
                                                      .message = said->texts + said->message_at});
    past_cut(writer, STORE_ATTEMPTS_MOST);
    row->now.facts.extras |= SQLITE_HAS_PENDING;
    writer->meta.delayed += said->due_wall_ns != 0;
    past.charged += said->charged;
    past.due_wall_ns = said->due_wall_ns;
    return replace_pending(writer, place, (said->word & SQLITE_WORD_ATTEMPT) + 1, &past);
}

static bool apply_block(struct sqlite_writer *writer, struct sqlite_row *row,
                        const struct sqlite_said_block *said)
{
    row->now.facts.extras |= SQLITE_HAS_DONE;
    return SQLITE_RUN(writer, DONE_INSERT,
                      sqlite_place(row->key, said->block * SQLITE_WORDS_IN_BLOCK));
}

static bool apply_log(struct sqlite_writer *writer, struct sqlite_row *row,
                      const struct sqlite_said_log *said)
{
    row->now.facts.extras |= SQLITE_HAS_LOG;
    return sqlite_log_append(writer, sqlite_place(row->key, said->number), said->text,
                             said->length);
}

static bool apply_claim(struct sqlite_writer *writer, const struct sqlite_record *record)
{
    const struct sqlite_said_claim *said = (const void *)record->payload;
    bool is_claim = record->kind == SQLITE_RECORD_CLAIM;
    sqlite3_stmt *statement =
        writer
            ->statements[is_claim ? SQLITE_CLAIM_INSERT_STATEMENT : SQLITE_CLAIM_DELETE_STATEMENT];

    sqlite3_bind_text(statement, 1, said->texts, -1, SQLITE_STATIC);
    if (is_claim)
        sqlite3_bind_text(statement, 2, said->texts + said->id_at, -1, SQLITE_STATIC);
    return sqlite_finish(statement);
}

bool sqlite_writer_apply(struct sqlite_writer *writer, const struct sqlite_record *record)
{
    struct sqlite_row *row = record->job == NULL ? NULL : &record->job->row;
    const void *said = record->payload;

    if (row != NULL)
        sqlite_row_touch(writer, row);
    if (row != NULL && record->job->given_up && record->kind != SQLITE_RECORD_FORGET)
        return true;
    writer->has_said = true;
    switch (record->kind) {
    case SQLITE_RECORD_JOB:
        return apply_job(writer, row);
    case SQLITE_RECORD_CHUNK:
        return apply_chunk(writer, row, said);
    case SQLITE_RECORD_SEAL:
        row->now.facts.sealed = true;
        sqlite_row_settle(writer, row);
        return true;
    case SQLITE_RECORD_END:
        return apply_end(writer, row, said);
    case SQLITE_RECORD_BLOCK_ENDED:
        return apply_block(writer, row, said);
    case SQLITE_RECORD_RETRY:
        return apply_retry(writer, row, said);
    case SQLITE_RECORD_LOG:
        return apply_log(writer, row, said);
    case SQLITE_RECORD_STOP:
        row->now.facts.stopped = true;
        return true;
    case SQLITE_RECORD_CLAIM:
    case SQLITE_RECORD_RELEASE:
        return apply_claim(writer, record);
    case SQLITE_RECORD_FORGET:
        row->now.is_gone = true;
        return true;
    }
    abort();
}
