/* sqlite_record: how store_sqlite packs what SQL is not to look into: the tasks of a chunk, the
 * attempts of a task, the places of a line. Numbers are base 128, low groups first, signed ones
 * with the sign in the lowest bit; texts end in NUL. What is read may come from a damaged file:
 * every read checks its bounds. Stateless; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/stored.h"
#include "support/buffer.h"

/* A chunk ends with the task that brings it to so many bytes, since it is read as a whole. */
enum { SQLITE_CHUNK_TASKS = 256, SQLITE_CHUNK_BYTES = 1024 * 1024 };

/* Adds a task at the end of a chunk: u32 length of the rest, then its members. */
void sqlite_record_put_task(struct buffer *chunk, const struct store_task_given *given,
                            int64_t due_wall_ns);

struct sqlite_record_reader {
    const unsigned char *at, *end;
};

/* What a task of a chunk was given; texts lie in the chunk. */
struct sqlite_record_task {
    struct store_task_given given;
    int64_t due_wall_ns;
    struct sluice_map labels; /* given.labels, if it has any */
    struct sluice_pair *pairs;
    size_t pairs_capacity;
};

/* Frees what reading has allocated. */
void sqlite_record_task_fini(struct sqlite_record_task *task);

/* Begins to read. */
static inline struct sqlite_record_reader sqlite_record_read(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    return (struct sqlite_record_reader){at, length == 0 ? at : at + length};
}

/* Passes over the next task of a chunk; false if there is none. */
bool sqlite_record_skip_task(struct sqlite_record_reader *reader);

/* Reads the next task of a chunk; false if there is none or it is damaged. */
bool sqlite_record_next_task(struct sqlite_record_reader *reader, struct sqlite_record_task *task);

/* Adds one attempt behind others. */
void sqlite_record_put_attempt(struct buffer *attempts, const struct store_attempt *attempt);

/* Reads packed attempts, of which only the last `most` are kept; returns how many. Texts lie in the
 * record. */
size_t sqlite_record_attempts(const void *record, size_t bytes, struct store_attempt *attempts,
                              size_t most);

/* One ended task in a line: which, in what state, how much it holds. */
struct sqlite_record_end {
    uint64_t place;
    uint64_t bytes;
    enum store_state state;
};

/* Adds an entry behind one at `before` (0: it is the first). */
void sqlite_record_put_end(struct buffer *line, const struct sqlite_record_end *end,
                           uint64_t before);

/* Reads the next entry; end->place holds that of the one before (0: none). False at the end. */
bool sqlite_record_next_end(struct sqlite_record_reader *reader, struct sqlite_record_end *end);
