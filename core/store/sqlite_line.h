/* sqlite_line: the lines of store_sqlite, in which stands what is kept of ended tasks in the order
 * in which they ended: rows of entries, one row a commit. The ledger's thread alone. A false answer
 * means that SQLite has failed, as in sqlite_write.h. */
#pragma once

#include "store/sqlite_file.h"
#include "store/sqlite_record.h"
#include "support/buffer.h"

struct sqlite_writer;

/* What the transaction has of a line besides the file. */
struct sqlite_line_hand {
    struct buffer entries; /* that are not in the file yet */
    uint64_t first, last_place;
    struct { /* a row of the file, read */
        struct sqlite_record_end *ends;
        size_t count, capacity;
        uint64_t first;  /* the number of its first entry */
        bool is_changed; /* and not written yet */
    } row;
};

/* Frees what one holds; a zeroed one is empty. */
void sqlite_line_fini(struct sqlite_line_hand *hand);

/* Forgets what the transaction has changed. */
void sqlite_line_undo(struct sqlite_line_hand *hand);

/* Adds an entry at the end of the line of its class, and counts it. */
void sqlite_line_add(struct sqlite_writer *writer, const struct sqlite_record_end *end);

/* Takes one entry out of its line, whose record holds something else from now on. A row is read and
 * written once for all of its entries that are taken out one behind the other. */
bool sqlite_line_void(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq);

/* Reads the row of a line that has the entry with a number into writer->scratch. *first: the number
 * of its first entry, 0 if there is no such row. */
bool sqlite_line_read(struct sqlite_writer *writer, enum sqlite_class class, uint64_t seq,
                      uint64_t *first);

/* Counts an entry no longer. */
void sqlite_line_count_out(struct sqlite_writer *writer, const struct sqlite_record_end *end);

/* Writes what is not in the file yet. */
bool sqlite_lines_flush(struct sqlite_writer *writer);
