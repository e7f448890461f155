/* memory_walk: a walk over the tasks of a query in their order. It keeps numbers, not pointers, of
 * where it goes on: what it has found may be forgotten, and every slice of its way it passes the
 * lock on. On the stack of the call, which holds the lock. */
#pragma once

#include "store/memory.h"

enum {
    MEMORY_SLICE_LOOKS = 512, /* at jobs and tasks, before the lock is passed on */
    MEMORY_SLICE_VISITS = 64, /* the same: a visit takes as long as so many fewer looks */
};

struct memory_walk {
    struct memory *memory;
    const struct store_query *query;
    uint32_t next_job; /* the next task to look at: its job's key - 1, and its number */
    uint32_t next_number;
    uint32_t found_count;
    uint32_t looks_left; /* in this slice */
    uint32_t near_left; /* an id is sought: so many are looked at before the job\'s ids are asked */
    struct memory_job *job; /* the task that was found last, until the next call */
    struct store_task task;
};

/* Begins one for a query, which is borrowed. */
struct memory_walk memory_walk_begin(struct store *store, const struct store_query *query);

/* Finds the next one; false at the end or the query's limit. May pass the lock on first. */
bool memory_walk_next(struct memory_walk *walk);

/* Returns the record of the one that was found last; NULL if it is a bare handle. */
struct memory_record *memory_walk_record(const struct memory_walk *walk);
