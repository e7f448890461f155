/* memory: the inside of store_memory, shared by its files alone: jobs, the words of their tasks,
 * what is kept. Everything is guarded by the store's lock; functions here are called with it
 * held. */
#pragma once

#include "store/claims.h"
#include "store/memory_ids.h"
#include "store/memory_lock.h"
#include "store/memory_record.h"
#include "store/memory_slots.h"
#include "store/memory_types.h"
#include "store/store_backend.h"
#include "support/dictionary.h"
#include "support/slab.h"

/* A word in a job's slots is the bare handle of an unfinished task, or a memory_record if there is
 * more to know of it, told apart by the lowest bit. */
struct memory_job {
    struct dictionary_entry by_id;
    TAILQ_ENTRY(memory_job) kept_link;
    bool is_kept;  /* it is over and in memory.kept_jobs */
    bool was_kept; /* and so since it was last over */
    bool is_usual; /* it stands in memory.usual_jobs */
    int64_t last_end_wall_ns;
    struct store_job job;
    struct memory_slots tasks;
    struct memory_ids ids; /* of tasks; what has asked for one has it filled */
    char texts[];          /* of job.given */
};

enum { MEMORY_JOB_USUAL_TEXTS = 80 }; /* its id of 27 bytes, its name, its file */

struct memory {
    struct store store;
    struct memory_lock lock;
    struct memory_slots jobs;   /* by key - 1 */
    struct memory_job *in_hand; /* the one that the last item of a batch was about; may be NULL */
    struct slab usual_jobs;     /* with texts of MEMORY_JOB_USUAL_TEXTS bytes at most */
    struct dictionary jobs_by_id;
    struct claims claims;
    struct memory_records delayed;  /* unfinished, with a due time */
    struct memory_records finished; /* kept within the options' limits, as are: */
    struct memory_records dead;
    struct memory_types dead_types;     /* of those in dead */
    TAILQ_HEAD(, memory_job) kept_jobs; /* that are over, oldest first, finished_max at most */
    uint64_t kept_jobs_count;
    uint64_t by_state[STORE_STATE_COUNT];
    uint64_t finished_dropped, dead_dropped;
    uint64_t looks; /* at jobs and tasks by all walks so far; for tests */
};

/* Returns the job with a key; NULL if there is none. */
struct memory_job *memory_job_find(struct memory *memory, uint64_t key);

/* Makes a job, for memory_job_enter; running out of memory aborts. */
struct memory_job *memory_job_create(struct memory *memory, const struct store_job_given *given);

/* Frees a job that has not entered, or is out again. */
void memory_job_discard(struct memory *memory, struct memory_job *job);

/* Has a job be found and gives it its key; false with a message if its id is taken. Best a little
 * after it was made: where it will be is far away, and fetched meanwhile. */
bool memory_job_enter(struct memory *memory, struct memory_job *job, struct error *error);

/* Frees a job and all its records, whatever their state. */
void memory_job_destroy(struct memory *memory, struct memory_job *job);

/* Forgets a job for good, whatever the states of its tasks. */
void memory_job_forget(struct memory *memory, struct memory_job *job);

/* To be called when the job lost a task or was sealed: keeps it if it is over now, and destroys it
 * if nothing is left that needs it. */
void memory_job_settle(struct memory *memory, struct memory_job *job);

/* Takes the job out of those that are kept for being over. */
void memory_job_unkeep(struct memory *memory, struct memory_job *job);

/* Returns the record that a word stands for; NULL if it is a handle. */
static inline struct memory_record *memory_word_record(uintptr_t word)
{
    return (word & 1) == 0 ? NULL : (struct memory_record *)(word - 1);
}

/* Returns the word of a record. */
static inline uintptr_t memory_record_word(const struct memory_record *record)
{
    return (uintptr_t)record | 1;
}

/* Returns the record of an unfinished task, made and put into its slot if it was a bare handle. */
struct memory_record *memory_record_get(struct memory *memory, struct memory_job *job,
                                        uint32_t number);

/* Forgets a kept record for good. May destroy its job. */
void memory_record_forget(struct memory *memory, struct memory_record *record);

/* Forgets the oldest kept records until the options' limits hold. */
void memory_forget_excess(struct memory *memory);

/* Fills in all that is known of the task with a word. */
void memory_task_view(const struct memory *memory, struct memory_job *job, uint32_t number,
                      struct store_task *task);

/* The calls of the backend that forget (memory_forget.c); each takes the lock. */
bool memory_prune(struct store *store, int64_t before_wall_ns, uint64_t *count,
                  struct error *error);
/* As above. */
void memory_set_finished_max(struct store *store, uint64_t finished_max);
/* Puts an unfinished task among those that are due at a time, 0: at once. */
void memory_record_set_due(struct memory *memory, struct memory_record *record,
                           int64_t due_wall_ns);

/* The calls of the backend that add (memory_add.c); each takes the lock. */
bool memory_add_job(struct store *store, const struct store_job_given *given, uint64_t *key,
                    struct error *error);
/* As above. */
bool memory_add_tasks(struct store *store, uint64_t key, const struct store_new_task *tasks,
                      size_t count, struct error *error);
/* As above. */
bool memory_add_wholes(struct store *store, struct store_whole *wholes, size_t count,
                       struct error *error);
/* As above. */
bool memory_seal_job(struct store *store, uint64_t key, struct error *error);

/* The calls of the backend that ask (memory_query.c); each takes the lock. */
bool memory_visit(struct store *store, const struct store_query *query, store_visit_task *visit,
                  void *context, struct error *error);
/* As above. */
bool memory_recall(struct store *store, const struct store_places *places, store_visit_task *visit,
                   void *context, struct error *error);
/* As above. */
bool memory_visit_due(struct store *store, const struct store_due *due, store_visit_task *visit,
                      void *context, struct error *error);
/* As above. */
bool memory_visit_jobs(struct store *store, store_visit_job *visit, void *context,
                       struct error *error);
/* As above. */
bool memory_find_job(struct store *store, const char *id, store_visit_job *visit, void *context,
                     struct error *error);
/* As above. */
bool memory_visit_dead_types(struct store *store, store_visit_type *visit, void *context,
                             struct error *error);
/* As above. */
bool memory_requeue(struct store *store, const struct store_query *query, store_visit_task *visit,
                    void *context, struct error *error);
/* As above. */
bool memory_requeue_at(struct store *store, const struct store_places *places,
                       store_visit_task *visit, void *context, struct error *error);
/* As above. */
bool memory_drop(struct store *store, const struct store_query *query, uint64_t *count,
                 struct error *error);
