/* store: what must survive: every job and task from its acceptance to its end, delayed and retried
 * ones, dead letters, keys that must be unique. Opened by the host before its stages start; any
 * thread may call, in batches, because a batch takes the lock (or crosses to the writer) once.
 *
 * Invariants:
 *   1. What was added stays until its end was recorded, and is visited in order of job and number.
 *   2. An end or a retry is accepted only from the attempt that is current, named by its epoch and
 *      its number. No name is ever given twice: each opening has a new epoch, and it is durable
 *      before store_open returns.
 *   3. What one call says becomes durable as a whole or not at all, and in the order of the calls.
 *   4. What is kept of ended tasks stays within the limits, and what was given up is counted.
 *
 * A durable backend takes note of what it is told in memory and writes it down soon afterwards: a
 * call that changes something waits for the disk only while too much is not written yet (until
 * store_wait_no_more). Whoever
 * has to know that something is on disk asks with store_when_durable. If the disk fails (it is
 * full), what is ended is kept in memory and written when that is possible again; jobs that are not
 * durable yet are given up, and those who wait for them told so.
 *
 * Calls that go through many records (store_visit, store_visit_jobs, store_requeue, store_drop,
 * store_prune) hold up nobody for long: they let other calls in on their way. So what they see is
 * not one moment's picture. Each record is whole; what is there all the while is seen once, in its
 * place; what comes, ends or goes meanwhile may be seen or not.
 *
 * A backend that `borrows` never copies an unfinished task: it keeps the handle that it was given
 * and has it described when somebody asks. So a handle and all that describe and describe_dead
 * read of it stay valid and unchanged until the call that ended the task has returned;
 * store_borrows tells. Others describe while they add. */
#pragma once

#include "store/stored.h"
#include "support/buffer.h"
#include "support/error.h"
#include "support/histogram.h"

struct store;

struct store_options {
    const char *place; /* a path or an address; NULL where the backend needs none */
    /* Fills in what a handle stands for; called inside any call of the store, so it takes no lock
     * and calls nothing back. A handle is aligned to at least 2 bytes. */
    void (*describe)(const void *handle, struct store_task_given *given);
    /* Adds what a dead letter keeps as store_task_given.extra to be tried again with; NULL:
     * nothing. Called as describe is, by backends that borrow. */
    void (*describe_dead)(const void *handle, struct buffer *extra);
    /* Records kept of tasks that ended well, or were cancelled or skipped: the latest within both
     * limits. 0 tasks: none, and an end copies nothing. 0 bytes: no such limit. */
    uint64_t finished_max, finished_max_bytes;
    /* The same for dead letters. */
    uint64_t dead_max, dead_max_bytes;
    uint64_t outputs_max_bytes; /* of one task: larger ones are not kept; 0: no such limit */
    uint64_t log_max_bytes;     /* the end of the log of one task that is kept; 0: none is */
    uint64_t claims_max;        /* 0: no such limit */
    int64_t commit_interval_ns; /* what nobody waits for may wait that long for company */
    int watched_by;             /* the process that this one ends with; 0: there is none */
    bool jobs_wait;             /* for a disk that fails, as all else does: none is given up */
};

struct store_new_task {
    const void *handle;
    int64_t due_wall_ns; /* 0: at once */
    /* Kept with the task as store_task_given.extra; borrowed for the call. Backends that borrow
     * have no use for it: see describe_dead. */
    const void *extra;
    uint32_t extra_bytes;
};

/* What became of one item of a batch. */
enum store_answer {
    STORE_DONE,
    STORE_STALE,   /* another attempt is current: this one's outcome is void */
    STORE_ENDED,   /* the task has ended before */
    STORE_UNKNOWN, /* no such task, or it has ended and is not kept */
};

struct store_name { /* of one attempt */
    uint64_t job;
    uint64_t epoch;
    uint32_t number;
    uint32_t attempt;
};

struct store_end {
    struct store_name name;
    enum store_state state;   /* a final one */
    struct store_attempt how; /* attempt and charged are the store's */
    const void *outputs;      /* name NUL text NUL ...; NULL: none */
    size_t outputs_bytes;
    enum store_answer answer; /* out */
};

struct store_retry {
    struct store_name name;
    struct store_attempt how; /* attempt is the store's; charged says whether it counts */
    int64_t due_wall_ns;      /* of the next attempt; 0: at once */
    enum store_answer answer; /* out */
    uint32_t next_attempt;    /* out, if done: always one more */
};

struct store_due {
    int64_t until_wall_ns;
    uint32_t limit;
    const struct store_position *after; /* NULL: from the first */
    int64_t after_wall_ns;              /* when that one was due */
};

/* What an attempt that is running has written to its log, borrowed for the call. */
struct store_written {
    struct store_name name;
    const char *text;
    size_t length;
    enum store_answer answer; /* out */
};

/* What is told to who waits. */
struct store_told {
    bool is_durable;    /* else the job never will be, and the store has forgotten it */
    const char *reason; /* why it is not, borrowed for the call */
    bool more;          /* the next one told, at once on this thread, has the same done and context:
                           what can be done for all is done for the last */
};

/* Somebody who waits until a job, as far as it was added by now, is durable. His until done is
 * called. */
struct store_wait {
    struct store_wait *next; /* the store's */
    uint64_t job;
    void *context; /* whatever done needs */
    /* Inside store_when_durable or on a thread of the store's; must not call the store, nor
     * block. */
    void (*done)(struct store_wait *wait, const struct store_told *told);
};

/* Sees one record, which is valid inside the call only; must not call the store. False: enough. */
typedef bool store_visit_task(void *context, const struct store_task *task);
typedef bool store_visit_job(void *context, const struct store_job *job);
/* Sees how many dead letters of one type are kept (never 0); the same rules. */
typedef bool store_visit_type(void *context, const char *type, uint64_t count);

/* Sees who holds a key; the same rules. */
typedef bool store_visit_claim(void *context, const char *key, const char *id);

/* Opens the store of a backend ("memory"); what is unfinished in it now belongs to the new epoch.
 * NULL with a message. May block. */
struct store *store_open(const char *backend, const struct store_options *options,
                         struct error *error);

/* Closes it; no other call is in progress. A durable one writes down what is not written yet, and
 * says in the log how much is lost if the disk does not let it. Clears the pointer; accepts
 * NULL. */
void store_close(struct store **store);

/* Returns the epoch of this opening: part of the name of every attempt. */
uint64_t store_epoch(const struct store *store);

/* Returns whether handles must outlive the call that adds them (see above). */
bool store_borrows(const struct store *store);

/* Adds a job, whose texts are copied, and sets *key; false with a message (its id is taken, or the
 * backend failed). A durable backend may know only later that the id is that of a job which is
 * over: then it gives the job up, and who waits for it is told so. May block. */
bool store_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                   struct error *error);

/* The rest returns false with a message if the backend failed (a full disk); then nothing of the
 * call has happened, and it may be made again. All may block. */

/* Adds the next tasks of a job that is not sealed; they are numbered on from tasks_count, from
 * 0. A durable store refuses more than STORE_TASKS_MOST in one job. */
bool store_add_tasks(struct store *store, uint64_t job, const struct store_new_task *tasks,
                     size_t count, struct error *error);

/* A job with all its tasks. */
struct store_whole {
    struct store_job_given given;
    const struct store_new_task *tasks;
    size_t count;
    uint64_t key; /* set when it is in */
};

/* Does for each what store_add_job, store_add_tasks and store_seal_job do one after the other: a
 * job of one task is as dear to a store as a batch of tasks, and these are many. False: one was not
 * added, for the reasons of these; those in front of it were. */
bool store_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                      struct error *error);

/* Says that the job has all its tasks; when they have ended too, it is over. */
bool store_seal_job(struct store *store, uint64_t job, struct error *error);

/* Records the ends of attempts that end their tasks; each item is answered. */
bool store_end(struct store *store, struct store_end *ends, size_t count, struct error *error);

/* Records the ends of attempts after which the task is tried again; each item is answered. */
bool store_retry(struct store *store, struct store_retry *retries, size_t count,
                 struct error *error);

/* Adds to the logs of running attempts; each item is answered. */
bool store_write_log(struct store *store, struct store_written *written, size_t count,
                     struct error *error);

/* Makes everything up to here durable; waits for the disk. */
bool store_commit(struct store *store, struct error *error);

/* Has wait->done called once, as soon as it is known. Does not block. */
void store_when_durable(struct store *store, struct store_wait *wait);

/* From now on no call waits for the disk because too much is not written yet: the host is ending,
 * little more will come, and a disk that is full is not to hold it up. Does not block. */
void store_wait_no_more(struct store *store);

/* Returns false with a message while nothing can be written: new jobs had better be refused. Does
 * not block. */
bool store_is_well(struct store *store, struct error *error);

/* Forgets a job and all its tasks, whatever their states: it was refused, or never acknowledged.
 * Nobody has any of them in hand. No such job is as good. */
bool store_forget_job(struct store *store, uint64_t job, struct error *error);

/* Says that a job is not to go on, whoever opens the store next (store_job.stopped). */
bool store_stop_job(struct store *store, uint64_t job, struct error *error);

/* Visits the tasks of a query in order of job and number. Recovery is this for
 * STORE_SET(STORE_UNFINISHED); it takes time in proportion to what is unfinished. A task whose job
 * and id the query names is found without looking at the others of its job, but for the first time
 * that one of them is asked for. */
bool store_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                 void *context, struct error *error);

/* Visits tasks of jobs that are not over by their places, in that order, even if they have ended
 * and are not kept for others to see; what is not there is passed over. A durable backend forgets
 * nothing of such a job. */
bool store_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                  void *context, struct error *error);

/* Visits unfinished tasks that are due up to a time, the earliest first: at most `limit`,
 * beginning behind the task that the call before visited last. */
bool store_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                     void *context, struct error *error);

/* Visits all jobs that are known, in order; a job that is over stays as long as it is kept. */
bool store_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                      struct error *error);

/* Visits the job with an id, if there is one. */
bool store_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                    struct error *error);

/* Visits the types of the dead letters that are kept, in any order; takes time in proportion to the
 * types. */
bool store_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                            struct error *error);

/* Makes an unfinished task again of each dead letter of a query, with a new attempt at once and
 * nothing charged, and visits it in that state. Its memory is the store's, whatever the backend.
 * Its job goes on, though it may have been stopped before. A preview is store_visit with the same
 * query. */
bool store_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                   void *context, struct error *error);

/* The same with those of some places, in their order, which are dead letters; what is at the others
 * stays what it is. A durable backend waits for the disk once for all of them. */
bool store_requeue_at(struct store *store, const struct store_places *places,
                      store_visit_task *visit, void *context, struct error *error);

/* Forgets the dead letters of a query; *count says how many. */
bool store_drop(struct store *store, const struct store_query *query, uint64_t *count,
                struct error *error);

/* Forgets tasks that ended before a time, but dead letters, and jobs that were over before it and
 * have no task left; *count says how many tasks. What ended out of order may stay until what came
 * before it goes. */
bool store_prune(struct store *store, int64_t before_wall_ns, uint64_t *count, struct error *error);

/* Changes how many records of finished tasks are kept (store_options.finished_max); the oldest that
 * are over it are forgotten at once. */
void store_set_finished_max(struct store *store, uint64_t finished_max);

/* Claims a key (at most STORE_KEY_MOST_BYTES) for an id unless it is held; fills holder with the id
 * that has held it before, this or another: empty if none did, and this one holds it now. Fails if
 * there are claims_max of them. */
bool store_claim(struct store *store, const char *key, const char *id,
                 char holder[STORE_HOLDER_BYTES], struct error *error);

/* Gives up a key if this id holds it. */
bool store_release(struct store *store, const char *key, const char *id, struct error *error);

/* Visits the keys that are held, in any order. */
bool store_visit_claims(struct store *store, store_visit_claim *visit, void *context,
                        struct error *error);

/* Returns how long its commits took; NULL: it has none. Any thread; valid until it is closed. */
struct histogram_total *store_commit_times(struct store *store);

/* Counts what is there. */
bool store_count(struct store *store, struct store_counts *counts, struct error *error);
