#include "store/sqlite_ended.h"

#include "support/memory.h"

bool sqlite_note_place(void *context, const struct store_task *task)
{
    struct sqlite_places *places = context;

    if ((places->count & (places->count - 1)) == 0)
        places->at = memory_grow(places->at, places->count == 0 ? 1 : 2 * places->count,
                                 sizeof(places->at[0]));
    places->at[places->count++] = sqlite_place(task->job->key, task->number);
    return true;
}

bool sqlite_find_ended(struct sqlite_writer *writer, int64_t place, struct sqlite_found *found)
{
    sqlite3_stmt *row = writer->statements[SQLITE_ENDED_SELECT_STATEMENT];
    bool right = true;

    *found = (struct sqlite_found){0};
    sqlite3_bind_int64(row, 1, place);
    int code = sqlite3_step(row);
    if (code == SQLITE_ROW) {
        found->seq = (uint64_t)sqlite3_column_int64(row, 0);
        found->state = sqlite_state_read(row, 1);
        found->attempt = (uint32_t)sqlite3_column_int64(row, 2);
        if (found->seq >= writer->meta.lines[sqlite_class_of(found->state)].floor)
            right = sqlite_row_get(writer, sqlite_place_key(place), &found->row);
        sqlite_attempts_of_ended(writer, row);
    }
    sqlite3_reset(row);
    return right && (code == SQLITE_ROW || code == SQLITE_DONE);
}

bool sqlite_take_out(struct sqlite_writer *writer, int64_t place, const struct sqlite_found *found)
{
    enum sqlite_class class = sqlite_class_of(found->state);

    sqlite_row_touch(writer, found->row);
    found->row->now.facts.kept--;
    return sqlite_line_void(writer, class, found->seq) &&
           (class != SQLITE_DEAD || SQLITE_RUN(writer, DEAD_DELETE, place, place));
}
