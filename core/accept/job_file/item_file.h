/* item_file: a file whose lines, or whose rows as CSV (RFC 4180, the first one names the columns),
 * are the items of a for_each: read one by one in constant memory. Embedded in a job_loop; the
 * reader's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"
#include "support/error.h"

enum { ITEM_MOST_BYTES = 1024 * 1024, ITEM_COLUMNS_MOST = 1024 };

enum item_format { ITEM_LINES, ITEM_CSV };

enum item_answer { ITEM_READ, ITEM_END, ITEM_WRONG };

struct item_file {
    enum item_format format;
    int fd;
    char *block; /* what was read and not yet used is from at to filled */
    size_t at, filled;
    bool failed;           /* reading did, with error_number */
    int error_number;      /* of errno */
    uint64_t line, begins; /* being read, from 1; where the newest item begins */
    struct buffer columns; /* ITEM_CSV: their names, each with its NUL */
    uint32_t columns_count;
    struct buffer fields; /* of the newest item, each with its NUL */
    uint32_t fields_count;
    bool quoted; /* one of them is: an item even if nothing is in it */
};

/* Takes over a descriptor that is open for reading (or -1, with errno) and reads the names of its
 * columns, if it has any; false with a message if it is no regular file. item_file_close is due
 * either way. */
bool item_file_take(struct item_file *file, int fd, enum item_format format, struct error *error);

/* Opens a file and takes it. */
bool item_file_open(struct item_file *file, const char *path, enum item_format format,
                    struct error *error);

/* Closes it and frees everything. */
void item_file_close(struct item_file *file);

/* Goes back to before the first item; false with a message. */
bool item_file_rewind(struct item_file *file, struct error *error);

/* Reads the next item; empty lines are none. On ITEM_WRONG with a message that names the line. */
enum item_answer item_file_next(struct item_file *file, struct error *error);

/* Returns the newest item's text in a column until the next is read; NULL if there is no such
 * column. ITEM_LINES: the line, for the empty name. */
const char *item_file_find(const struct item_file *file, const char *column, size_t length);
