/* stage: one open store and tasks to put into it, for tests that read like a story. One process, one
 * stage; the main thread unless said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum { STAGE_TASKS_MOST = 400000, STAGE_SEEN_MOST = 256 };

extern struct store *stage;
extern const char *stage_place; /* what the next one is opened with, unless its options say */
extern int stage_described;     /* calls of describe so far */

extern const char *stage_origin; /* how the jobs that are added came; NULL at first */

/* What the last visit saw, as text: "1/0 1/1" for job key/number. */
extern char stage_seen[STAGE_SEEN_MOST * 12];

/* The last task and job that a visit saw; texts are copied. */
extern struct stage_task {
    char id[32], type[32], label[32], reason[32], message[64], outputs[64];
    char params[32], log[512];
    uint64_t job_key;
    struct store_task task;
    struct store_attempt first_attempt, last_attempt;
} stage_last;
extern struct store_job stage_last_job;

/* Opens the store with these limits: finished_max, dead_max as given, the rest without. */
void stage_open(const char *backend, uint64_t finished_max, uint64_t dead_max);

/* The same with all options; describe is filled in. */
void stage_open_with(const char *backend, struct store_options options);

/* Adds a job and returns its key. */
uint64_t stage_job(const char *id);

/* Adds a job with one task of a type, which is all that it has, and returns its key. */
uint64_t stage_whole(const char *id, const char *type);

/* Adds count tasks of a type; their ids are TYPE-0, TYPE-1 ...; label region=REGION unless NULL. */
void stage_tasks(uint64_t job, const char *type, const char *region, size_t count);

/* Adds up to 256 tasks with one call, each with so many bytes that only its next owner needs. */
void stage_heavy(uint64_t job, size_t bytes, size_t count);

/* Adds one task that is due at a time. */
void stage_delayed(uint64_t job, const char *type, int64_t due_wall_ns);

/* Seals a job. */
void stage_seal(uint64_t job);

/* Returns the end of a first attempt of a task, ready to be changed and given to stage_end. */
struct store_end stage_end_of(uint64_t job, uint32_t number, enum store_state state);

/* Ends one attempt and returns the answer. Any thread. */
enum store_answer stage_end(struct store_end end);

/* Ends a first attempt and returns the answer. Any thread. */
enum store_answer stage_end_as(uint64_t job, uint32_t number, enum store_state state);

/* Tries a task again after its attempt; returns the answer. */
enum store_answer stage_retry(uint64_t job, uint32_t number, uint32_t attempt, bool charged,
                              int64_t due_wall_ns);

/* Writes to the log of an attempt; returns the answer. */
enum store_answer stage_write_log(uint64_t job, uint32_t number, uint32_t attempt,
                                  const char *text);

/* Visits what a query finds and returns stage_seen. */
const char *stage_visit(struct store_query query);

/* The same with a visitor that has enough after so many. */
const char *stage_visit_at_most(struct store_query query, size_t most);

/* Visits what is unfinished and returns stage_seen. */
const char *stage_unfinished(void);

/* Requeues what a query finds and returns stage_seen. */
const char *stage_requeue(struct store_query query);

/* The same with tasks of a job by their numbers. */
const char *stage_requeue_at(uint64_t job, const uint32_t *numbers, size_t count);

/* Visits what is due up to a time behind the last one seen (again: from the start); returns
 * stage_seen. */
const char *stage_due(int64_t until_wall_ns, uint32_t limit, bool resume);

/* Finds a job, into stage_last_job. */
bool stage_find_job(const char *id);

/* Returns the counts. */
struct store_counts stage_counts(void);

/* Closes the store. */
void stage_close(void);
