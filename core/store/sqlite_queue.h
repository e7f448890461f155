/* sqlite_queue: what was said to store_sqlite and is not written yet, as compact records in the
 * order it was said, in buffers that are used again. Callers push under the store's lock; the
 * ledger reads without it what was there when it last looked. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sqlite_job;
struct sqlite_queue_block;

enum sqlite_record_kind {
    SQLITE_RECORD_JOB,
    SQLITE_RECORD_CHUNK,
    SQLITE_RECORD_SEAL,
    SQLITE_RECORD_END,
    SQLITE_RECORD_BLOCK_ENDED,
    SQLITE_RECORD_RETRY,
    SQLITE_RECORD_LOG,
    SQLITE_RECORD_STOP,
    SQLITE_RECORD_CLAIM,
    SQLITE_RECORD_RELEASE,
    SQLITE_RECORD_FORGET,
};

struct sqlite_record {
    uint32_t bytes; /* of all of it, a multiple of 8; 0: it goes on in the next block */
    enum sqlite_record_kind kind;
    struct sqlite_job *job; /* NULL: none */
    char payload[];
};

/* Where the ledger reads. */
struct sqlite_cursor {
    struct sqlite_queue_block *block;
    size_t offset;
    uint64_t passed; /* records so far */
    uint64_t passed_bytes;
};

struct sqlite_queue {
    struct sqlite_queue_block *head, *tail, *spare;
    size_t spare_count;
    uint64_t pushed;       /* records ever */
    uint64_t pushed_bytes; /* of them */
};

/* Makes an empty queue, and frees all of it. */
void sqlite_queue_init(struct sqlite_queue *queue);
/* As above. */
void sqlite_queue_fini(struct sqlite_queue *queue);

/* Appends a record and returns it; its payload is to be filled in before the lock is given back. */
struct sqlite_record *sqlite_queue_push(struct sqlite_queue *queue, enum sqlite_record_kind kind,
                                        struct sqlite_job *job, size_t payload_bytes);

/* Returns a cursor at the first record. */
struct sqlite_cursor sqlite_queue_begin(const struct sqlite_queue *queue);

/* Returns the next record; there must be one: cursor->passed is below what `pushed` was. */
struct sqlite_record *sqlite_queue_next(struct sqlite_cursor *cursor);

/* Lets go of the blocks in front of a cursor. With the store's lock. */
void sqlite_queue_forget(struct sqlite_queue *queue, const struct sqlite_cursor *cursor);
