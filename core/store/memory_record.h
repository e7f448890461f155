/* memory_record: what store_memory itself holds of a task: of an unfinished one that was delayed,
 * tried again or wrote a log, and of an ended one that is kept. Guarded by the store's lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "store/stored.h"
#include "support/buffer.h"

struct memory_job;

/* Nearly every record is that of a small task with one attempt without texts: that stands in the
 * record itself. */
struct memory_record {
    TAILQ_ENTRY(memory_record) link;
    struct memory_records *list; /* NULL: in none */
    struct memory_job *job;
    const void *handle; /* borrowed; NULL: task.given points into given_copy */
    void *given_copy;   /* given_room, or allocated */
    struct buffer log;  /* at most twice what is shown of it, so that it is seldom moved */
    struct store_attempt *attempts; /* task.attempts: only_attempt, or allocated */
    size_t bytes;
    struct store_task task; /* without job */
    struct store_attempt only_attempt;
    _Alignas(8) char given_room[64];
};

struct memory_records { /* in the order they came */
    TAILQ_HEAD(, memory_record) head;
    uint64_t count;
    uint64_t bytes;
};

/* Returns a record of an unfinished task in no list that borrows the handle; running out of memory
 * aborts, here and below. */
struct memory_record *memory_record_create(struct memory_job *job, const void *handle);

/* Takes it out of its list and frees it; clears the pointer; accepts NULL. */
void memory_record_destroy(struct memory_record **record);

/* Copies what the handle stands for, and lets go of the handle. */
void memory_record_copy_given(struct memory_record *record, const struct store_task_given *given);

/* Adds a copy of an attempt behind the others; of too many the oldest goes. */
void memory_record_add_attempt(struct memory_record *record, const struct store_attempt *attempt);

/* Replaces the outputs by a copy; NULL or 0 bytes: by none. */
void memory_record_set_outputs(struct memory_record *record, const void *outputs, size_t bytes);

/* Adds text to the log, of which at most `most` bytes stay visible. */
void memory_record_add_log(struct memory_record *record, const char *text, size_t length,
                           size_t most);

/* Makes an empty list. */
void memory_records_init(struct memory_records *list);

/* Puts a record that is in no list at the end. */
void memory_records_push(struct memory_records *list, struct memory_record *record);

/* Takes a record out of the list in which it is, if any. */
void memory_record_unlink(struct memory_record *record);
