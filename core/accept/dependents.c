/* Each task costs four bytes that say where its dependents begin and four that count its shares,
 * and each need costs four. What did not succeed costs more, but only that has to be named
 * afterwards, when its own memory is gone. */
#include "accept/dependents.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "accept/chunk.h"

/* A count of shares, with what became of those that were given up. */
#define SOME_FAILED (UINT32_C(1) << 31)
#define SOME_MISSED (UINT32_C(1) << 30)
#define IS_TAKEN    (UINT32_C(1) << 29) /* whoever gives up the last share does not have it */
#define SHARES      (IS_TAKEN - 1)

/* A task that did not succeed although others need it. */
struct unlucky {
    _Atomic(struct unlucky *) next;
    uint32_t number;
    enum task_state state;
    char id[];
};

struct dependents {
    /* immutable */
    uint32_t count;  /* tasks */
    uint32_t *first; /* by task, and one more: index of its first dependent */
    uint32_t *tasks; /* the dependents of all */
    /* atomic */
    _Atomic uint32_t *shares;           /* by task; 0: it needs none */
    _Atomic(struct unlucky *) *unlucky; /* by task: the first in the file of those it needs; pages
                                           that nobody touches take no memory */
    _Atomic(struct unlucky *) all;
};

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

/* Counts the dependents of each task; first[n + 1] gets the count of task n. */
static void count_all(struct dependents *dependents, const struct graph *graph)
{
    for (uint32_t task = 0; task < dependents->count; task++) {
        struct graph_needs needs = graph_of(graph, task);
        for (size_t i = 0; i < needs.count; i++)
            dependents->first[needs.tasks[i] + 1]++;
        uint32_t shares = needs.is_begun ? (uint32_t)needs.count + 1 : 0;
        atomic_init(&dependents->shares[task], shares);
    }
}

/* Puts each task in at every one that it needs. first[n + 1] goes from where the dependents of n
 * begin to where they end, which is where those of n + 1 begin. */
static void fill(struct dependents *dependents, const struct graph *graph)
{
    uint32_t sum = 0;
    for (uint32_t task = 0; task < dependents->count; task++) {
        uint32_t here = dependents->first[task + 1];
        dependents->first[task + 1] = sum;
        sum += here;
    }
    for (uint32_t task = 0; task < dependents->count; task++) {
        struct graph_needs needs = graph_of(graph, task);
        for (size_t i = 0; i < needs.count; i++)
            dependents->tasks[dependents->first[needs.tasks[i] + 1]++] = task;
    }
}

struct dependents *dependents_create(const struct graph *graph, uint32_t tasks_count)
{
    struct dependents *dependents = zeroed(1, sizeof *dependents);
    dependents->count = tasks_count;
    dependents->first = zeroed((size_t)tasks_count + 1, sizeof *dependents->first);
    dependents->tasks = zeroed(graph_count(graph) + 1, sizeof *dependents->tasks);
    dependents->shares = zeroed(tasks_count, sizeof *dependents->shares);
    dependents->unlucky = zeroed(tasks_count, sizeof(struct unlucky *));
    count_all(dependents, graph);
    fill(dependents, graph);
    return dependents;
}

void dependents_destroy(struct dependents **dependents_pointer)
{
    struct dependents *dependents = *dependents_pointer;
    if (dependents == NULL)
        return;
    for (struct unlucky *unlucky = atomic_load(&dependents->all), *next; unlucky != NULL;
         unlucky = next) {
        next = atomic_load(&unlucky->next);
        free(unlucky);
    }
    free(dependents->first);
    free(dependents->tasks);
    free(dependents->shares);
    free(dependents->unlucky);
    free(dependents);
    *dependents_pointer = NULL;
}

bool dependents_wait(const struct dependents *dependents, uint32_t number)
{
    return atomic_load_explicit(&dependents->shares[number], memory_order_relaxed) != 0;
}

/* True if it was the last share, and nobody has taken the task before. */
static bool give_up_share(struct dependents *dependents, uint32_t number)
{
    uint32_t before =
        atomic_fetch_sub_explicit(&dependents->shares[number], 1, memory_order_acq_rel);
    assert((before & SHARES) > 0);
    return (before & (SHARES | IS_TAKEN)) == 1;
}

bool dependents_enter(struct dependents *dependents, uint32_t number)
{
    return give_up_share(dependents, number);
}

bool dependents_lack(const struct dependents *dependents, uint32_t number)
{
    return (atomic_load_explicit(&dependents->shares[number], memory_order_relaxed) & SHARES) > 0;
}

/* Of whoever gives up the last share and whoever takes it, the first has the task. */
bool dependents_take(struct dependents *dependents, uint32_t number)
{
    _Atomic uint32_t *shares = &dependents->shares[number];
    uint32_t before = atomic_load(shares);
    do
        if ((before & SHARES) == 0 || (before & IS_TAKEN) != 0)
            return false;
    while (!atomic_compare_exchange_weak(shares, &before, before | IS_TAKEN));
    return true;
}

static struct unlucky *unlucky_create(struct dependents *dependents, const char *id)
{
    size_t length = strlen(id);
    struct unlucky *unlucky = zeroed(1, sizeof *unlucky + length + 1);
    memcpy(unlucky->id, id, length + 1);
    struct unlucky *all = atomic_load(&dependents->all);
    do
        atomic_store_explicit(&unlucky->next, all, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&dependents->all, &all, unlucky));
    return unlucky;
}

static struct unlucky *unlucky_of(struct dependents *dependents, const struct task *task)
{
    struct unlucky *unlucky = unlucky_create(dependents, task->id);
    unlucky->number = task->number;
    unlucky->state = task_state(task);
    return unlucky;
}

/* Names the task to one of its dependents, unless an earlier one is named there. */
static void name_unlucky(struct dependents *dependents, uint32_t dependent, const struct task *task,
                         struct unlucky **unlucky)
{
    _Atomic(struct unlucky *) *place = &dependents->unlucky[dependent];
    struct unlucky *known = atomic_load(place);
    while (known == NULL || known->number > task->number) {
        if (*unlucky == NULL)
            *unlucky = unlucky_of(dependents, task);
        if (atomic_compare_exchange_weak(place, &known, *unlucky))
            return;
    }
}

static uint32_t bit_of(enum task_state state)
{
    return needed_failed(state) ? SOME_FAILED : SOME_MISSED;
}

/* Nobody else is at the dependents yet. */
void dependents_tell(struct dependents *dependents, uint32_t dependent, uint32_t number,
                     enum task_state state, const char *id)
{
    const struct unlucky *known = atomic_load(&dependents->unlucky[dependent]);
    atomic_fetch_or(&dependents->shares[dependent], bit_of(state));
    if (known != NULL && known->number <= number)
        return;
    struct unlucky *unlucky = unlucky_create(dependents, id);
    unlucky->number = number;
    unlucky->state = state;
    atomic_store(&dependents->unlucky[dependent], unlucky);
}

static void tell_unlucky(struct dependents *dependents, const struct task *task)
{
    struct unlucky *unlucky = NULL;
    uint32_t bit = bit_of(task_state(task));
    uint32_t end = dependents->first[task->number + 1];
    for (uint32_t i = dependents->first[task->number]; i < end; i++) {
        uint32_t dependent = dependents->tasks[i];
        atomic_fetch_or_explicit(&dependents->shares[dependent], bit, memory_order_relaxed);
        name_unlucky(dependents, dependent, task, &unlucky);
    }
}

void dependents_end(struct dependents *dependents, const struct task *task,
                    struct chunk *const *chunks, struct task_list *released)
{
    uint32_t end = dependents->first[task->number + 1];
    if (task_state(task) != TASK_SUCCEEDED)
        tell_unlucky(dependents, task);
    for (uint32_t i = dependents->first[task->number]; i < end; i++) {
        uint32_t number = dependents->tasks[i];
        if (give_up_share(dependents, number))
            task_list_push(released,
                           chunk_task(chunks[number / CHUNK_TASKS], number % CHUNK_TASKS));
    }
}

struct needed dependents_needed(const struct dependents *dependents, uint32_t number)
{
    uint32_t shares = atomic_load_explicit(&dependents->shares[number], memory_order_acquire);
    const struct unlucky *unlucky = atomic_load(&dependents->unlucky[number]);
    return (struct needed){.some_failed = (shares & SOME_FAILED) != 0,
                           .some_missed = (shares & SOME_MISSED) != 0,
                           .id = unlucky != NULL ? unlucky->id : NULL,
                           .state = unlucky != NULL ? unlucky->state : TASK_SUCCEEDED};
}

/* The dependents of a task are in order. */
static bool has_dependent(const struct dependents *dependents, uint32_t task, uint32_t number)
{
    uint32_t low = dependents->first[task], high = dependents->first[task + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (dependents->tasks[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < dependents->first[task + 1] && dependents->tasks[low] == number;
}

void dependents_visit_needs(const struct dependents *dependents, uint32_t number,
                            bool (*visit)(void *context, uint32_t needed), void *context)
{
    for (uint32_t task = 0; task < dependents->count; task++)
        if (has_dependent(dependents, task, number) && !visit(context, task))
            return;
}
