/* A batch out of inbound is sorted into one list for each lane, so that a group's lock is taken
 * once a batch. Tasks that only one lane may run go there at once; neighbours with the same type
 * and labels and a choice of lanes are gathered, and the scheduler plans them together. */
#include "dispatch/dispatcher.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job.h"
#include "dispatch/labels.h"
#include "support/memory.h"
#include "support/thread.h"

enum {
    GATHERED_MOST = 256,
    SERVE_LEAST = 16, /* tasks that take a pusher as long to dispatch as to wake a dispatcher for */
};

struct stage {
    struct group *group;
    struct task_list tasks;
};

struct dispatcher {
    const struct dispatcher_options *options;
    struct dispatchers *all;
    struct thread thread;
    const struct scheduler *scheduler; /* the one that is asked now */
    void *scheduler_state;
    struct task_list dropped;
    struct stage *stages; /* by lane id */
    uint32_t stages_capacity;
    uint32_t *filled; /* ids of the lanes whose stage has tasks */
    uint32_t filled_count;
    struct task *gathered[GATHERED_MOST]; /* with the same type and labels */
    size_t gathered_count;
    const struct route *gathered_route;
    struct candidate *candidates; /* of the gathered */
    const struct lane **lanes;
};

struct dispatchers {
    struct dispatcher_options options;
    const struct scheduler *_Atomic scheduler; /* that is to be asked from the next plan on */
    size_t count;
    struct dispatcher list[];
};

static void reserve_stages(struct dispatcher *dispatcher, uint32_t lane_id)
{
    uint32_t before = dispatcher->stages_capacity;
    if (lane_id < before)
        return;
    uint32_t capacity = (lane_id + 64) & ~UINT32_C(63);
    dispatcher->stages = memory_grow(dispatcher->stages, capacity, sizeof *dispatcher->stages);
    dispatcher->filled = memory_grow(dispatcher->filled, capacity, sizeof *dispatcher->filled);
    /* Lists point into themselves while empty; between batches all are, and a batch in hand is
     * pushed first. */
    for (uint32_t i = 0; i < capacity; i++)
        task_list_init(&dispatcher->stages[i].tasks);
    dispatcher->stages_capacity = capacity;
}

static void push_stages(struct dispatcher *dispatcher)
{
    for (uint32_t i = 0; i < dispatcher->filled_count; i++) {
        struct stage *stage = &dispatcher->stages[dispatcher->filled[i]];
        group_push(stage->group, &stage->tasks);
        task_list_append(&dispatcher->dropped, &stage->tasks);
    }
    dispatcher->filled_count = 0;
}

static void stage_task(struct dispatcher *dispatcher, const struct lane *lane, struct task *task)
{
    if (lane->id >= dispatcher->stages_capacity) {
        push_stages(dispatcher);
        reserve_stages(dispatcher, lane->id);
    }
    struct stage *stage = &dispatcher->stages[lane->id];
    uint16_t charged = atomic_load_explicit(&task->charged, memory_order_relaxed);
    if (charged != 0 && charged != lane->id + 1) /* its place was reserved elsewhere */
        router_discharge(dispatcher->options->router, task);
    if (stage->tasks.count == 0) {
        stage->group = lane->group;
        dispatcher->filled[dispatcher->filled_count++] = lane->id;
    }
    task_list_push(&stage->tasks, task);
}

/* What this dispatcher has for the lane in hand, and has not pushed yet. */
static size_t staged_count(const struct dispatcher *dispatcher, const struct lane *lane)
{
    return lane->id < dispatcher->stages_capacity ? dispatcher->stages[lane->id].tasks.count : 0;
}

static struct candidate candidate_of(const struct dispatcher *dispatcher, const struct lane *lane,
                                     uint32_t extra_labels)
{
    struct group_load load = group_load(lane->group);
    return (struct candidate){.id = lane->id,
                              .queued = load.queued + staged_count(dispatcher, lane),
                              .running = load.running,
                              .workers = load.workers,
                              .cpu_milli = load.cpu_milli,
                              .extra_labels = extra_labels};
}

/* The lanes that may run the gathered tasks, with their loads. */
static size_t list_candidates(struct dispatcher *dispatcher)
{
    const struct route *route = dispatcher->gathered_route;
    size_t count = 0;
    dispatcher->candidates =
        memory_grow(dispatcher->candidates, route->count, sizeof *dispatcher->candidates);
    dispatcher->lanes = memory_grow(dispatcher->lanes, route->count, sizeof *dispatcher->lanes);
    for (size_t i = 0; i < route->count; i++) {
        const struct lane *lane = &route->lanes[i];
        uint32_t extra;
        if (!router_allows(lane, dispatcher->gathered[0], &extra))
            continue;
        dispatcher->lanes[count] = lane;
        dispatcher->candidates[count++] = candidate_of(dispatcher, lane, extra);
    }
    return count;
}

static void park(const struct dispatcher_options *options, struct task *task)
{
    router_park(options->router, task);
    options->parked(options->context);
}

static void take_scheduler(struct dispatcher *dispatcher, const struct scheduler *scheduler)
{
    dispatcher->scheduler = scheduler;
    dispatcher->scheduler_state = scheduler->create();
}

/* A state belongs to one scheduler; a policy that comes back begins anew. */
static void follow_scheduler(struct dispatcher *dispatcher)
{
    const struct scheduler *wanted =
        atomic_load_explicit(&dispatcher->all->scheduler, memory_order_relaxed);
    if (wanted == dispatcher->scheduler)
        return;
    dispatcher->scheduler->destroy(dispatcher->scheduler_state);
    take_scheduler(dispatcher, wanted);
}

static void plan_gathered(struct dispatcher *dispatcher)
{
    uint32_t chosen[GATHERED_MOST] = {0};
    if (dispatcher->gathered_count == 0)
        return;
    follow_scheduler(dispatcher);
    struct plan plan = {.tasks = (const struct task *const *)dispatcher->gathered,
                        .tasks_count = dispatcher->gathered_count,
                        .candidates_count = list_candidates(dispatcher)};
    plan.candidates = dispatcher->candidates;
    if (plan.candidates_count > 1)
        dispatcher->scheduler->plan(dispatcher->scheduler_state, &plan, chosen);
    for (size_t i = 0; i < plan.tasks_count; i++) {
        if (plan.candidates_count == 0) /* labels have changed since they were routed */
            park(dispatcher->options, dispatcher->gathered[i]);
        else
            stage_task(dispatcher, dispatcher->lanes[chosen[i]], dispatcher->gathered[i]);
    }
    dispatcher->gathered_count = 0;
}

static void gather(struct dispatcher *dispatcher, const struct route *route, struct task *task)
{
    if (dispatcher->gathered_count == GATHERED_MOST ||
        (dispatcher->gathered_count > 0 &&
         (dispatcher->gathered_route != route ||
          !labels_equal(dispatcher->gathered[0]->labels, task->labels))))
        plan_gathered(dispatcher);
    dispatcher->gathered_route = route;
    dispatcher->gathered[dispatcher->gathered_count++] = task;
}

static void dispatch_task(struct dispatcher *dispatcher, struct task *task)
{
    const struct dispatcher_options *options = dispatcher->options;
    if (job_stops(task)) {
        task_list_push(&dispatcher->dropped, task);
        return;
    }
    const struct route *route = router_find(options->router, task);
    if (route == NULL) {
        park(options, task);
    } else if (route->count == 1) {
        stage_task(dispatcher, &route->lanes[0], task);
    } else {
        gather(dispatcher, route, task);
    }
}

static void dispatch(struct dispatcher *dispatcher, struct task_list *batch)
{
    const struct dispatcher_options *options = dispatcher->options;
    for (struct task *task; (task = task_list_pop(batch)) != NULL;)
        dispatch_task(dispatcher, task);
    plan_gathered(dispatcher);
    push_stages(dispatcher);
    if (dispatcher->dropped.count > 0)
        options->drop(options->context, &dispatcher->dropped);
}

static void dispatcher_run(void *argument)
{
    struct dispatcher *dispatcher = argument;
    struct task_list batch;
    task_list_init(&batch);
    while (inbound_take(dispatcher->options->inbound, &batch))
        dispatch(dispatcher, &batch);
}

/* In the place of the first dispatcher, which waits like all others. Pusher's thread. */
static void serve(void *context, struct task_list *tasks)
{
    struct dispatchers *dispatchers = context;
    dispatch(&dispatchers->list[0], tasks);
}

static void dispatcher_fini(struct dispatcher *dispatcher)
{
    dispatcher->scheduler->destroy(dispatcher->scheduler_state);
    free(dispatcher->stages);
    free(dispatcher->filled);
    free(dispatcher->candidates);
    free(dispatcher->lanes);
}

struct dispatchers *dispatchers_start(const struct dispatcher_options *options, size_t count,
                                      struct error *error)
{
    struct dispatchers *dispatchers =
        calloc(1, sizeof *dispatchers + count * sizeof dispatchers->list[0]);
    if (dispatchers == NULL)
        abort();
    dispatchers->options = *options;
    dispatchers->scheduler = options->scheduler;
    inbound_set_serve(options->inbound, count,
                      &(struct inbound_serve){SERVE_LEAST, dispatchers, serve});
    for (size_t i = 0; i < count; i++) {
        struct dispatcher *dispatcher = &dispatchers->list[i];
        dispatcher->options = &dispatchers->options;
        dispatcher->all = dispatchers;
        take_scheduler(dispatcher, options->scheduler);
        task_list_init(&dispatcher->dropped);
        if (!thread_start(&dispatcher->thread, "dispatcher", dispatcher_run, dispatcher, error)) {
            dispatcher_fini(dispatcher);
            inbound_close(options->inbound);
            dispatchers_stop(&dispatchers);
            return NULL;
        }
        dispatchers->count++;
    }
    return dispatchers;
}

void dispatchers_set_scheduler(struct dispatchers *dispatchers, const struct scheduler *scheduler)
{
    atomic_store_explicit(&dispatchers->scheduler, scheduler, memory_order_relaxed);
}

void dispatchers_stop(struct dispatchers **dispatchers)
{
    if (*dispatchers == NULL)
        return;
    for (size_t i = 0; i < (*dispatchers)->count; i++) {
        thread_join(&(*dispatchers)->list[i].thread);
        dispatcher_fini(&(*dispatchers)->list[i]);
    }
    free(*dispatchers);
    *dispatchers = NULL;
}
