/* task: one piece of work, from the line in a job file to its end. Lives in a chunk of its job; has
 * exactly one owner at any time: the stage that holds it. Only the owner touches it; handing a list
 * over takes the list and leaves it empty. */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/params.h"
#include "plugin/registry.h"
#include "sluice/plugin.h"
#include "store/stored.h"

struct chunk;
struct job;

/* See task_states.def for the drawing; an illegal move is an assertion. */
enum task_state {
#define STATE(name, word, owner) TASK_##name,
#include "accept/task_states.def"
#undef STATE
    TASK_STATE_COUNT,
};

/* When a task that needs others runs, once all of these have ended. */
enum task_when {
    WHEN_SUCCESS, /* all have succeeded */
    WHEN_FAILURE, /* at least one has failed */
    WHEN_ALWAYS,  /* whatever they did, and although its job has failed fast */
};

enum {
    TASK_ID_MOST_BYTES = 128,
    TASK_PRIORITY_MIN = -100,
    TASK_PRIORITY_MAX = 100,
    TASK_WEIGHT_AUTO = 0, /* follow the type's measured run time */
};

struct task {
    struct task *next; /* in its owner's list */
    struct chunk *chunk;
    struct job *job;
    const struct type *type;
    const struct sluice_map *labels;  /* sorted by key, in the chunk's memory; NULL: none */
    const struct sluice_retry *retry; /* in the chunk's memory; NULL: one attempt is all */
    const char *unique;               /* its key, in the chunk's memory; NULL: none */
    const char *id;                   /* in the chunk's memory */
    const char *params;               /* a packed record (plugin/params.h) in the chunk's memory */
    int64_t submitted_ns;             /* when it entered the host */
    int64_t due_ns; /* ACCEPTED, WAITING: see task_due_ns; DELAYED: as returned there; 0: at once */
    int64_t timeout_ns; /* of one attempt; 0: none */
    uint32_t params_bytes;
    uint32_t number;  /* in its job, from 0 */
    uint32_t line;    /* in the job file, from 1 */
    int32_t weight;   /* at least 1, or TASK_WEIGHT_AUTO */
    uint32_t attempt; /* what the plugin is told: the current or next one, from 1, if charged */
    uint32_t name;    /* of the attempt in the store: one more each time, charged or not */
    int8_t priority;
    _Atomic uint8_t state;  /* enum task_state; changed by task_move alone; any thread may look */
    uint8_t when;           /* enum task_when */
    bool late : 1;          /* its params refer to results of other tasks, see late.h */
    bool timed_out : 1;     /* its last attempt did, if it had one that did not succeed */
    bool suspect : 1;       /* a host may have died of it, see isolation.h */
    _Atomic bool cancelled; /* it is not to start; set by any thread that holds its job */
    /* The group that counts it among those that it has accepted: the lane's id + 1; 0: none. Any
     * thread may look. */
    _Atomic uint16_t charged;
};

static_assert(sizeof(struct task) == 128, "two lines of the cache");

/* A first-in first-out list of tasks through their next pointers. */
struct task_list {
    struct task *head;
    struct task **tail; /* where the next one's pointer goes; &head while empty */
    size_t count;
};

/* The words of enum task_when; ends in NULL. */
extern const char *const task_whens[];

/* Moves a task to a state; asserts that the table allows it. */
void task_move(struct task *task, enum task_state to);

/* Returns where the task is in its life; what was done to its job before it came there is seen. Its
 * owner, or any thread that holds a job that keeps its tasks: then it may have moved on
 * meanwhile. */
static inline enum task_state task_state(const struct task *task)
{
    return (enum task_state)atomic_load_explicit(&task->state, memory_order_acquire);
}

/* Returns when a task that was accepted may start, if now is when its delay begins: behind the span
 * due_ns; or, if that is negative, it itself: when the wall clock shows -due_ns. */
int64_t task_due_ns(const struct task *task, int64_t now_ns);

/* Tells a store what a task is that it was given as a handle. Any thread. */
void task_describe(const void *handle, struct store_task_given *given);

/* Returns the word of a state, as the API and the store spell it. */
const char *task_state_word(enum task_state state);

/* Returns the state of a task whose state in a store is this; TASK_ACCEPTED if it has not ended. */
enum task_state task_state_of(enum store_state state);

/* Makes the list empty. */
static inline void task_list_init(struct task_list *list)
{
    list->head = NULL;
    list->tail = &list->head;
    list->count = 0;
}

/* Adds a task at the end. */
static inline void task_list_push(struct task_list *list, struct task *task)
{
    task->next = NULL;
    *list->tail = task;
    list->tail = &task->next;
    list->count++;
}

/* Takes the first task out; NULL if the list is empty. */
static inline struct task *task_list_pop(struct task_list *list)
{
    struct task *task = list->head;
    if (task == NULL)
        return NULL;
    list->head = task->next;
    if (list->head == NULL)
        list->tail = &list->head;
    list->count--;
    task->next = NULL;
    return task;
}

/* Moves everything in from to the end of to; from is empty afterwards. */
static inline void task_list_append(struct task_list *to, struct task_list *from)
{
    if (from->count == 0)
        return;
    *to->tail = from->head;
    to->tail = from->tail;
    to->count += from->count;
    task_list_init(from);
}
