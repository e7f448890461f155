/* job: tasks that belong together: one document of a job file. Created by a command, filled by a
 * reader thread; the counts are lowered by whoever ends tasks. Destroyed by its creator after its
 * last task has ended. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/chunk.h"
#include "accept/graph.h"
#include "accept/needed.h"
#include "accept/task.h"
#include "support/dictionary.h"
#include "support/limit.h"
#include "support/thread.h"

enum {
    JOB_ID_BYTES = 27, /* a ULID and its NUL */
    JOB_TASKS_MOST = LIMIT(10 * 1000 * 1000, 5000),
    /* how many tasks of a streamed file are in the host at once, and how far back an id is known */
    JOB_STREAM_WINDOW = LIMIT(65536, 256),
};

enum job_mode { JOB_CHECKED, JOB_STREAMED };

/* How long the memory of a task stays. */
enum job_keep {
    JOB_KEEPS_UNFINISHED, /* until a chunk of tasks has ended */
    JOB_KEEPS_ALL,        /* as long as the job, which finds them by their ids; JOB_CHECKED */
    JOB_KEEPS_ONE,        /* the same for a job that never has more than one, see job_create_one */
};

/* Why what has not started of a job is not to start. From JOB_CANCELLED on that holds for all of
 * it. */
enum job_stop {
    JOB_GOES_ON,
    JOB_FAILED_FAST,
    JOB_CANCELLED, /* somebody asked for it */
    JOB_STOPPED,   /* the host stops */
};

/* A job in the job table. */
struct job_row {
    struct dictionary_entry entry; /* by the job's id, or by another name: */
    char *name;                    /* NULL: the id */
    struct job *next;              /* of those with another name, or of those that are over */
    struct job **before;           /* what points to it among those with another name */
};

struct dependents;
struct past;
struct id_index;
struct result;
struct result_map;
struct window;

/* Where a short text stands, as most are. */
struct job_text_room {
    char bytes[32];
};

/* Three parts, in no cache line of which is another one's: what is read by all for each task, what
 * the reader writes for each, and what workers write for each batch. In one line they have cost a
 * quarter of the speed. */
struct job {
    struct job *next; /* in its owner's job_list */
    /* immutable once read */
    char id[JOB_ID_BYTES];
    char *name;
    char *file;        /* as the user named it */
    uint32_t document; /* which of that file it is, from 0; set by its creator */
    enum job_mode mode;
    enum job_keep keep;
    bool fail_fast;
    int32_t max_weight; /* 0: none of its own */
    uint32_t *places;   /* by number: its place in the order; immutable once read */
    char *origin;       /* see origin.h; NULL: nothing is said */
    uint64_t store_key; /* 0: not in the store yet; set before its first task is handed on */
    struct past *past;  /* what ended in earlier runs; NULL: nothing is known; set by its creator */
    struct job_text_room name_room, file_room;
    /* any thread; see their headers */
    struct dependents *_Atomic dependents; /* JOB_CHECKED, from then on; NULL: no needs */
    struct window *window;                 /* JOB_STREAMED */
    /* atomic */
    _Atomic uint32_t total; /* tasks in all, once it is sealed; 0 before */
    _Atomic int stop;       /* enum job_stop */
    /* the reader thread */
    _Alignas(THREAD_LINE_BYTES) struct chunk_pool *pool;
    struct chunk *home; /* JOB_KEEPS_ONE: of its only task, and its own memory */
    struct chunk *open;
    struct chunk **chunks; /* JOB_CHECKED: all of them, in order; immutable once read */
    size_t chunks_count, chunks_capacity;
    uint32_t tasks_count;       /* added so far */
    uint32_t tasks_taken;       /* handed on */
    uint32_t past_count;        /* tasks, handed on, that have ended in earlier runs */
    struct result_map *results; /* JOB_CHECKED: of tasks that others refer to; NULL: of none */
    uint32_t *order;            /* in which they are handed on; NULL: as in the file */
    struct graph *graph;        /* JOB_CHECKED, until submitted; NULL: no task needs another */
    bool keeps_needs;           /* see job_keep_needs */
    struct id_index *ids;       /* if the job keeps its tasks, immutable once read; not of one */
    /* atomic */
    _Alignas(THREAD_LINE_BYTES) _Atomic uint32_t submitted; /* handed on to the host */
    _Atomic uint32_t unfinished; /* submitted and not ended, plus one while the reader is at work */
    _Atomic uint32_t ended[TASK_STATE_COUNT]; /* by final state */
    _Atomic uint32_t recalled;                /* of those: in an earlier run */
    _Atomic uint32_t running;
    _Atomic bool is_aside;  /* it was acknowledged, and waits for room */
    _Atomic uint32_t holds; /* who else may still touch it, see job_hold */
    /* guarded by admission's lock */
    int32_t weight_in_use;
    uint32_t held_count; /* groups that wait for its cap, or behind one that does */
    struct job_row row;  /* the job table's */
    /* the host's */
    struct job *next_stopped; /* of those that have failed fast and are to be purged */
};

/* Jobs in the order in which they were begun. */
struct job_list {
    struct job *first, *last;
    size_t count;
};

/* Adds a job at the end; it is the list's now. */
void job_list_add(struct job_list *list, struct job *job);

/* Destroys all jobs. */
void job_list_fini(struct job_list *list);

/* Makes a job with a new ULID; its name (NULL: that of the file without folder and extension) and
 * file are copied (the reader may set another name). */
struct job *job_create(struct chunk_pool *pool, const char *name, const char *file,
                       enum job_mode mode);

/* Makes a job that never has more than one task, and keeps it, JOB_CHECKED. Its memory is that of
 * the task. */
struct job *job_create_one(struct chunk_pool *pool, const char *name, const char *file);

/* Says how long its tasks are to stay, not JOB_KEEPS_ONE. Before the first one is added. */
void job_set_keep(struct job *job, enum job_keep keep);

/* Frees the job, and its tasks if they were never submitted; clears the pointer; accepts NULL. */
void job_destroy(struct job **job);

/* Frees what only its tasks needed, now that it is over, unless it keeps them; head and counts
 * stay. Whoever made the call of job_count_ended after which it is over. */
void job_shrink(struct job *job);

/* Says that the caller may touch the job although its last task ends meanwhile, until
 * job_let_go: whoever holds weight for it, or has found it by its id. Any thread that knows that
 * the job is there: it has a task in hand, or holds it already. */
static inline void job_hold(struct job *job)
{
    atomic_fetch_add_explicit(&job->holds, 1, memory_order_relaxed);
}

/* Ends job_hold; the job is not touched any more. Any thread. */
static inline void job_let_go(struct job *job)
{
    atomic_fetch_sub_explicit(&job->holds, 1, memory_order_release);
}

/* Returns whether a job that is over may still be touched by others. Its owner. */
static inline bool job_is_held(const struct job *job)
{
    return atomic_load_explicit(&job->holds, memory_order_acquire) > 0;
}

/* Returns whether a task that has not started is not to, since it was cancelled or its job stops.
 * Any thread. */
static inline bool job_stops(const struct task *task)
{
    int stop = atomic_load_explicit(&task->job->stop, memory_order_relaxed);
    return stop >= JOB_CANCELLED || (stop == JOB_FAILED_FAST && task->when != WHEN_ALWAYS) ||
           atomic_load_explicit(&task->cancelled, memory_order_relaxed);
}

/* Replaces the name by a copy. Reader thread. */
void job_set_name(struct job *job, const char *name);

/* Says that a task with this id is probably added next: its place in the index is fetched while the
 * rest of the task is read. Reader thread. */
void job_expect_id(struct job *job, const char *id, size_t length);

/* Adds a task with an explicit id (length 1 to TASK_ID_MOST_BYTES, already checked for its
 * letters): the task, zeroed but for job, chunk, number, id and attempt; or NULL if another task
 * has the id, whose line is then in *first_line (0: unknown). Reader thread. */
struct task *job_add_task(struct job *job, const char *id, size_t length, uint32_t *first_line);

/* Finds the number of the task with an id (length bytes and a NUL), also, in a streamed job, of one
 * that is somewhat before its window; false, and *number stays, if there is none. Reader thread; if
 * the job keeps its tasks also any thread that holds it, once it was read. */
bool job_find_task(const struct job *job, const char *id, size_t length, uint32_t *number);

/* Returns whether the task with a number has an id, which is cheaper than job_find_task; false too
 * if there is no such task or, in a streamed job, it was long ago. Reader thread. */
bool job_is_task(const struct job *job, uint32_t number, const char *id);

/* Returns a task of a job that was not handed on yet, or keeps its tasks; JOB_CHECKED. Threads as
 * for job_find_task. */
struct task *job_task(const struct job *job, uint32_t number);

/* Returns what the tasks of the job need, to be filled; JOB_CHECKED. Reader thread. */
struct graph *job_graph(struct job *job);

/* Has the tasks handed on in this order, all their numbers, instead of that of the file; takes it
 * over. JOB_CHECKED. Reader thread. */
void job_set_order(struct job *job, uint32_t *order);

/* Takes the task added last out again. Reader thread. */
void job_take_back_task(struct job *job);

/* JOB_CHECKED: takes all tasks out again, for a file that has to be read a second time. Reader
 * thread. */
void job_clear(struct job *job);

/* Returns memory that lives as long as the task added last. Reader thread. */
void *job_alloc(struct job *job, size_t bytes, size_t align);

/* JOB_CHECKED: takes the next at most `most` tasks in order that were not handed on yet into an
 * empty list, all ACCEPTED; false when there are none left. With the first call their index is
 * dropped and the graph turned into dependents. Reader thread. */
bool job_take_tasks(struct job *job, size_t most, struct task_list *list);

/* Lists all tasks again of a job that keeps them and has handed them on, in the same order: none of
 * them has entered the host. Their owner. */
void job_list_tasks(const struct job *job, struct task_list *list);

/* Says that no task will be added: the last chunk is sealed. Reader thread. */
void job_seal(struct job *job);

/* Does so, and drops the index of ids unless the job keeps its tasks. Reader thread. */
void job_end_reading(struct job *job);

/* Returns the place of a task in the order in which the job hands its tasks on: its number in the
 * store. Any thread, when the job was read. */
static inline uint32_t job_place_of(const struct job *job, uint32_t number)
{
    return job->places != NULL ? job->places[number] : number;
}

/* The same of a task. */
static inline uint32_t job_place(const struct task *task)
{
    return job_place_of(task->job, task->number);
}

/* Says that the places are these, rising, all their numbers, although nothing is handed on in
 * another order: some tasks of the job are gone. Takes them over. Reader thread. */
void job_set_places(struct job *job, uint32_t *places);

/* Has job_needs answer until the last task was handed on. Before the first is. */
void job_keep_needs(struct job *job);

/* Returns the numbers of the tasks that a task needs, if the job keeps them; JOB_CHECKED. Reader
 * thread. */
struct graph_needs job_needs(const struct task *task);

/* Ends the reading of needs: what was in the graph is in the dependents from now on. Comes with the
 * first task that is handed on, or before. Reader thread. */
void job_turn_graph(struct job *job);

/* Returns whether a task that was not handed on yet needs others. Reader thread. */
bool job_waits(const struct task *task);

/* Returns whether a task has ended in an earlier run. Any thread. */
bool job_has_ended_before(const struct task *task);

/* Says that a task that needs others is in the host, WAITING; true if all these have ended: the
 * caller releases it, else whoever ends the last of them or takes it before. Reader thread. */
bool job_enter_waiting(const struct task *task);

/* Returns the result of a task that another, which needs it, refers to. JOB_CHECKED: it lives as
 * long as the job; JOB_STREAMED: with a share for the caller. Reader thread, before the other one
 * is handed on. */
struct result *job_hold_result(struct job *job, uint32_t number);

/* Keeps the result of a task that has ended, if somebody may refer to it; outputs may be NULL. Any
 * thread, before job_release_dependents. */
void job_keep_result(const struct task *ended, const struct buffer *outputs);

/* Adds the tasks that waited for nothing but this one, which has ended, to the list. Any thread. */
void job_release_dependents(const struct task *ended, struct task_list *released);

/* Returns what became of all that a released task needs; its id lives until that task has ended.
 * Whoever released it. */
struct needed job_needed(const struct task *released);

/* Calls visit with each task that a task needs, ended or not, until it says false. For a job that
 * keeps its tasks and is held; takes time in proportion to all of them. Any thread, once it was
 * read. */
void job_visit_needs(const struct task *task,
                     bool (*visit)(void *context, const struct task *needed), void *context);

/* Takes a task that waits for others (WAITING) before these have ended: it is the caller's, who
 * ends it. False if it does not wait, or not any more. Any thread that holds its job, which keeps
 * its tasks. */
bool job_take_waiting(struct task *task);

/* The same with all such tasks of a job, which become a part of the list. Takes time in proportion
 * to all its tasks, if some of them need others. */
void job_take_all_waiting(struct job *job, struct task_list *taken);

/* Returns whether tasks of a job that is over have not ended: the store has them for the next host.
 * Any thread. */
bool job_is_left(const struct job *job);

/* Counts tasks that enter the host. Reader thread, before they are handed on. */
void job_count_submitted(struct job *job, uint32_t count);

/* Counts tasks that have ended, or the reader's own share (state TASK_ACCEPTED, count 1, when it
 * has handed on the last); true for exactly the call after which the job is over. Any thread. */
bool job_count_ended(struct job *job, enum task_state state, uint32_t count);
