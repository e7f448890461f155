/* memory_ids: finds tasks of a job by their ids. It keeps a hash and a number of each and no
 * id, so whoever asks compares. Costs nothing until somebody asks; then the tasks are added in
 * their order, in as many steps as one likes. Ids never change, so nothing is ever taken out: a
 * number whose task is gone is an answer that is wrong. Embedded in memory_job, guarded by the
 * store's lock; or in a reader of store_sqlite. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_ids_table;

struct memory_ids {
    struct memory_ids_table *newest; /* the others behind it */
    uint32_t next_number;            /* those below are in */
};

/* Frees everything; what is all zero is empty. */
void memory_ids_fini(struct memory_ids *ids);

/* Adds the task next_number or one above. `expected`: how many may have to be in, for the room
 * that is made if there is none; running out of memory aborts. */
void memory_ids_add(struct memory_ids *ids, uint32_t number, const char *id, uint32_t expected);

/* Finds the first number at *number or behind whose id may be this one; false: there is none. */
bool memory_ids_next(const struct memory_ids *ids, const char *id, uint32_t *number);
