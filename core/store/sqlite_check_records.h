/* sqlite_check_records: the part of store_check that looks into chunks: whether there is a record
 * of each task, and what it says can be used. Mended, a task has a record that says nothing, and
 * has failed unless it had ended before. One thread, inside a transaction of the caller's. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/store_check.h"

struct sqlite_records {
    uint64_t missing;  /* records that are not there, or cannot be read */
    uint64_t unusable; /* of tasks that have not ended: what they say is of no use */
    uint64_t left;     /* of both: not mended */
};

/* Goes through all chunks, and mends what it finds if the check is to. False: SQLite has failed. */
bool sqlite_records_check(sqlite3 *db, const struct store_check *check,
                          struct sqlite_records *records);
