/* job_groups: the tasks that each for_each of a job has made, by the name that they share: what
 * stands in `needs` for all of them. Embedded in its job_reader; the reader's thread. Of a streamed
 * file only the last JOB_STREAM_WINDOW or more are known. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/name_table.h"

struct job_reader;

/* Tasks with numbers in a row, or none. */
struct job_group {
    uint32_t first, count;
    bool is_cut; /* something in its for_each is wrong, which is reported: it has other tasks */
};

/* How a for_each has ended. */
enum job_group_end { JOB_GROUP_WHOLE, JOB_GROUP_CUT };

struct job_group_list {
    struct name_table names; /* name -> index */
    struct job_group *items;
    size_t capacity;
};

struct job_groups {
    struct job_group_list now, before; /* in a streamed file, before gets what is too much in now */
};

/* Frees everything. */
void job_groups_fini(struct job_groups *groups);

/* Notes that a task was added as the next of a group, or as the first of a new one. */
void job_groups_note(struct job_reader *reader, const char *name, size_t length, uint32_t number);

/* Notes that a for_each is over: one that made no task has a name as well. */
void job_groups_close(struct job_reader *reader, const char *name, size_t length,
                      enum job_group_end how);

/* Finds the group whose task an id names, NAME[NUMBER]; NULL if there is none. As below. */
const struct job_group *job_groups_find_of(const struct job_reader *reader, const char *id,
                                           size_t length);

/* Finds a group by its name; NULL if there is none. Valid until the next one is noted. In a file
 * that is read again those that come later are found as well: their numbers are the same. */
const struct job_group *job_groups_find(const struct job_reader *reader, const char *name,
                                        size_t length);
