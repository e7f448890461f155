/* sqlite_ended: tasks that have ended, as orders to the ledger change them. */
#pragma once

#include "store/sqlite.h"
#include "store/sqlite_write.h"

/* Ended tasks by their places. */
struct sqlite_places {
    int64_t *at;
    size_t count;
};

/* An ended task as it is in the file. */
struct sqlite_found {
    struct sqlite_row *row;
    uint64_t seq;
    enum store_state state;
    uint32_t attempt;
};

/* Adds the place of a task to struct sqlite_places; see store_visit_task. */
bool sqlite_note_place(void *places, const struct store_task *task);

/* Finds an ended task that others may see; its attempts are put into writer->scratch. found->row is
 * NULL if there is none. False if the file cannot be read. On the ledger. */
bool sqlite_find_ended(struct sqlite_writer *writer, int64_t place, struct sqlite_found *found);

/* Takes an ended task out of its line and of the dead letters; false if that fails. On the
 * ledger. */
bool sqlite_take_out(struct sqlite_writer *writer, int64_t place, const struct sqlite_found *found);
