/* sqlite_place: where the rows of a task are in store_sqlite: the key of its job and its number in
 * one integer, so that the tasks of a job lie one behind the other. As the texts of statements have
 * it, too. Stateless. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/stored.h"

/* The keys have the other 39 bits: enough for 15,000 jobs a second over a year. */
#define SQLITE_NUMBER_BITS 24
#define SQLITE_KEY_MOST    ((UINT64_C(1) << (63 - SQLITE_NUMBER_BITS)) - 1)

enum { SQLITE_NUMBER_MOST = (1 << SQLITE_NUMBER_BITS) - 1 };

static_assert(SQLITE_NUMBER_MOST == STORE_TASKS_MOST - 1,
              "each task that may be there has a place");

/* Returns the place of a task. */
static inline int64_t sqlite_place(uint64_t key, uint32_t number)
{
    return (int64_t)((key << SQLITE_NUMBER_BITS) + number);
}

/* Returns whether a task could have a place. */
static inline bool sqlite_place_exists(uint64_t key, uint32_t number)
{
    return key > 0 && key <= SQLITE_KEY_MOST && number <= SQLITE_NUMBER_MOST;
}

/* Returns the key of the job of the task at a place. */
static inline uint64_t sqlite_place_key(int64_t place)
{
    return (uint64_t)place >> SQLITE_NUMBER_BITS;
}

/* Returns the number of the task at a place. */
static inline uint32_t sqlite_place_number(int64_t place)
{
    return (uint32_t)(place & SQLITE_NUMBER_MOST);
}

#define SQLITE_AS_TEXT(number)  SQLITE_AS_TEXT_(number)
#define SQLITE_AS_TEXT_(number) #number

/* The same in SQL: of the key of a job its first and its last place, of a place key and number. */
#define SQLITE_FIRST_PLACE_SQL(key) "(" key " << " SQLITE_AS_TEXT(SQLITE_NUMBER_BITS) ")"
#define SQLITE_LAST_PLACE_SQL(key)  "((" key " + 1 << " SQLITE_AS_TEXT(SQLITE_NUMBER_BITS) ") - 1)"
#define SQLITE_PLACE_KEY_SQL(place) "(" place " >> " SQLITE_AS_TEXT(SQLITE_NUMBER_BITS) ")"
#define SQLITE_PLACE_NUMBER_SQL(place)                                                             \
    "(" place " & (1 << " SQLITE_AS_TEXT(SQLITE_NUMBER_BITS) ") - 1)"
