#include "stages.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/feeder.h"
#include "accept/inbound.h"
#include "accept/room.h"
#include "dispatch/admission.h"
#include "dispatch/dispatcher.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "outcome/delayed.h"
#include "store/store.h"

/* ---- what flows backwards ---- */

static bool delay(void *context, struct task *task, int64_t due_ns)
{
    struct stages *stages = context;
    return delayed_add(stages->delayed, task, due_ns);
}

static void wake(void *context)
{
    const struct stages *stages = context;
    stages->options.wake(stages->options.context);
}

static void on_ended(void *context, const struct outcome_record *record)
{
    const struct stages *stages = context;
    stages->options.ended(stages->options.listener, record);
}

static void discharge(void *context, struct task *task)
{
    const struct stages *stages = context;
    router_discharge(stages->router, task);
}

static void on_job_over(void *context, struct job *job)
{
    const struct stages *stages = context;
    stages->options.job_over(stages->options.context, job);
}

static void on_job_stops(void *context, struct job *job)
{
    const struct stages *stages = context;
    stages->options.job_stops(stages->options.context, job);
}

static void on_suspect(void *context, const struct task *task, const struct attempt *crash)
{
    const struct stages *stages = context;
    stages->options.suspect(stages->options.context, task, crash);
}

/* Ends tasks that are not to start, since their job or the host stops. Any thread. */
static void drop(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        outcome_drop_stopped(stages->outcome, task, &tally);
    outcome_flush(stages->outcome, &tally);
}

/* Ends tasks that have ended in an earlier run. Reader thread. */
static void recall(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        outcome_recall(stages->outcome, task, &tally);
    outcome_flush(stages->outcome, &tally);
}

/* Feeds in tasks that are READY; drops them once nothing more is to start. Any thread. */
static void feed(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    feeder_release(stages->feeder, tasks);
    if (tasks->count > 0)
        drop(stages, tasks);
}

/* As many as a worker may dispatch between two calls. */
enum { DIRECT_MOST = 64 };

/* The group of the one lane that may run a task; NULL: it is left to a dispatcher, since there are
 * several or none. */
static struct group *only_group(const struct stages *stages, const struct task *task)
{
    const struct route *route = router_find(stages->router, task);
    return route != NULL && route->count == 1 ? route->lanes[0].group : NULL;
}

/* Pushes tasks into their group; what it does not take any more, or has none, goes to the rest. */
static void push_run(struct group *group, struct task_list *run, struct task_list *rest)
{
    if (group != NULL)
        group_push(group, run);
    task_list_append(rest, run);
}

/* Pushes tasks into their groups, neighbours of one group together. */
static void push_directly(const struct stages *stages, struct task_list *tasks,
                          struct task_list *rest)
{
    struct group *group = NULL;
    struct task_list run;
    task_list_init(&run);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        struct group *next = only_group(stages, task);
        if (next != group)
            push_run(group, &run, rest);
        group = next;
        task_list_push(&run, task);
    }
    push_run(group, &run, rest);
}

/* As feed, for what a worker has released: a few of them go straight into their groups, since each
 * hand-off to another thread takes longer than a small task. */
static void feed_released(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct task_list rest;
    task_list_init(&rest);
    if (tasks->count <= DIRECT_MOST)
        push_directly(stages, tasks, &rest);
    task_list_append(&rest, tasks);
    if (rest.count > 0)
        feed(stages, &rest);
}

/* Starts, skips or ends tasks that wait for nothing any more. Any thread. */
static void release(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    outcome_release(stages->outcome, tasks, &tally);
    outcome_flush(stages->outcome, &tally);
}

/* Keeps tasks that left their queue because nobody serves their type. A type may have come back
 * before its task was parked, and then nobody else would see to it. Any thread. */
static void park(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    bool served = false;
    uint32_t flags;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        const struct type *type = task->type;
        router_park(stages->router, task);
        served = served || registry_flags(stages->options.registry, type, &flags);
    }
    if (served)
        stages_routes_changed(stages);
    stages->options.wake(stages->options.context);
}

/* ---- making ---- */

static bool open_store(struct stages *stages, struct error *error)
{
    struct store_options options = stages->options.store;
    options.describe = task_describe;
    stages->store = store_open(stages->options.store_backend, &options, error);
    return stages->store != NULL;
}

static size_t pending_most(const struct stages_options *options)
{
    size_t most = (size_t)options->config->max_pending;
    bool windowed = options->mode == JOB_STREAMED && most > JOB_STREAM_WINDOW;
    return windowed ? JOB_STREAM_WINDOW : most;
}

static struct executor_limits limits_of(const struct stages *stages)
{
    const struct config *config = stages->options.config;
    bool measures = stages->options.measures_cpu || stages->scheduler->uses_heartbeat;
    return (struct executor_limits){.grace_ns = config->grace_ns,
                                    .max_age_ns = config->max_age_ns,
                                    .heartbeat_ns = measures ? config->heartbeat_ns : 0};
}

static void create_intake(struct stages *stages)
{
    const struct config *config = stages->options.config;
    chunk_pool_init(&stages->chunks);
    room_init(&stages->pending, pending_most(&stages->options));
    stages->inbound = inbound_create((size_t)config->inbound_capacity);
    stages->intake = (struct intake){.store = stages->store,
                                     .inbound = stages->inbound,
                                     .pending = &stages->pending,
                                     .figures = stages->figures,
                                     .context = stages,
                                     .delay = delay,
                                     .drop = drop,
                                     .recall = recall,
                                     .release = release,
                                     .room_reached = wake};
}

static void create_outcome(struct stages *stages)
{
    const struct stages_options *options = &stages->options;
    struct outcome_hooks hooks = {.context = stages,
                                  .ended = options->ended == NULL ? NULL : on_ended,
                                  .wants_all = options->wants_all,
                                  .job_over = on_job_over,
                                  .room_reached = wake,
                                  .job_stops = on_job_stops,
                                  .suspect = on_suspect,
                                  .discharge = discharge,
                                  .delay = delay,
                                  .release = feed_released};
    stages->delayed = delayed_create(options->wake, options->context);
    stages->outcome = outcome_create(&hooks, stages->store, &stages->pending, stages->figures);
}

static void create_executor(struct stages *stages)
{
    const struct config *config = stages->options.config;
    stages->admission = admission_create((int32_t)config->max_weight);
    struct executor_options options = {
        .registry = stages->options.registry,
        .outcome = stages->outcome,
        .gate = admission_gate(stages->admission),
        .flight_path = stages->options.flight_path,
        .epoch = store_epoch(stages->store),
        .logs = stages->options.store.log_max_bytes > 0 ? EXECUTOR_KEEPS_LOGS : EXECUTOR_DROPS_LOGS,
        .limits = limits_of(stages),
        .context = stages,
        .wake = wake,
        .unserved = park};
    stages->executor = executor_create(&options);
}

static enum group_isolation isolation_of(enum config_isolation isolation)
{
    switch (isolation) {
    case ISOLATION_THREAD:
        return GROUP_IN_THREADS;
    case ISOLATION_PROCESS:
        return GROUP_IN_PROCESSES;
    }
    return GROUP_IN_THREADS;
}

static struct router_group router_group_of(const struct config_group *group)
{
    return (struct router_group){.name = group->name,
                                 .type = group->type,
                                 .labels = &group->labels,
                                 .workers = (uint32_t)group->workers,
                                 .max_weight = (int32_t)group->max_weight,
                                 .reserve = (int32_t)group->reserve,
                                 .queue_capacity = (uint32_t)group->queue_capacity,
                                 .process = {.isolation = isolation_of(group->isolation),
                                             .recycle_after = (uint32_t)group->recycle_after,
                                             .memory_most_bytes = (uint64_t)group->memory_limit}};
}

static void create_router(struct stages *stages)
{
    const struct config *config = stages->options.config;
    stages->groups = calloc(config->groups_count + 1, sizeof *stages->groups);
    if (stages->groups == NULL)
        abort();
    for (size_t i = 0; i < config->groups_count; i++)
        stages->groups[i] = router_group_of(&config->groups[i]);
    struct router_options options = {.registry = stages->options.registry,
                                     .executor = stages->executor,
                                     .admission = stages->admission,
                                     .groups = stages->groups,
                                     .groups_count = config->groups_count,
                                     .default_workers = (uint32_t)config->workers,
                                     .default_isolation = isolation_of(config->isolation)};
    stages->router = router_create(&options);
}

static bool start_dispatch(struct stages *stages, struct error *error)
{
    const struct config *config = stages->options.config;
    struct dispatcher_options options = {.inbound = stages->inbound,
                                         .router = stages->router,
                                         .scheduler = stages->scheduler,
                                         .context = stages,
                                         .drop = drop,
                                         .parked = wake};
    stages->dispatchers = dispatchers_start(&options, (size_t)config->dispatchers, error);
    if (stages->dispatchers == NULL)
        return false;
    stages->feeder = feeder_start(stages->inbound, error);
    return stages->feeder != NULL;
}

bool stages_start(struct stages *stages, const struct stages_options *options, struct error *error)
{
    *stages =
        (struct stages){.options = *options, .configured = scheduler_find(options->config->policy)};
    stages->scheduler = stages->configured;
    assert(stages->scheduler != NULL); /* the configuration was checked */
    if (!open_store(stages, error))
        return false;
    stages->figures = figures_create();
    create_intake(stages);
    create_outcome(stages);
    create_executor(stages);
    create_router(stages);
    if (start_dispatch(stages, error))
        return true;
    stages_stop(stages, CLOCK_NEVER_NS);
    stages_fini(stages);
    return false;
}

bool stages_stop(struct stages *stages, int64_t deadline_ns)
{
    struct task_list left;
    task_list_init(&left);
    inbound_close(stages->inbound);
    dispatchers_stop(&stages->dispatchers);
    if (stages->feeder != NULL && !stages->closed)
        feeder_close(stages->feeder, &left);
    assert(left.count == 0);
    return executor_stop(stages->executor, deadline_ns);
}

void stages_fini(struct stages *stages)
{
    executor_destroy(&stages->executor);
    router_destroy(&stages->router);
    free(stages->groups);
    admission_destroy(&stages->admission);
    feeder_destroy(&stages->feeder);
    outcome_destroy(&stages->outcome);
    delayed_destroy(&stages->delayed);
    inbound_destroy(&stages->inbound);
    store_close(&stages->store);
    figures_destroy(&stages->figures);
    room_fini(&stages->pending);
    chunk_pool_fini(&stages->chunks);
}

/* ---- while they run ---- */

void stages_apply(struct stages *stages)
{
    const struct config *config = stages->options.config;
    room_set_capacity(&stages->pending, pending_most(&stages->options));
    const struct scheduler *configured = scheduler_find(config->policy);
    bool changed = configured != stages->configured; /* or else what was set meanwhile stays */
    stages->configured = configured;
    stages_set_scheduler(stages, changed ? configured : stages->scheduler);
    admission_set_capacity(stages->admission, (int32_t)config->max_weight);
    router_set_default_workers(stages->router, (uint32_t)config->workers);
    for (size_t i = 0; i < config->groups_count; i++) {
        struct router_group group = router_group_of(&config->groups[i]);
        router_set_group(stages->router, i, &group);
    }
    stages_routes_changed(stages);
}

void stages_set_scheduler(struct stages *stages, const struct scheduler *scheduler)
{
    stages->scheduler = scheduler;
    struct executor_limits limits = limits_of(stages);
    dispatchers_set_scheduler(stages->dispatchers, scheduler);
    executor_set_limits(stages->executor, &limits);
}

int64_t stages_heartbeat(struct stages *stages, int64_t now_ns)
{
    return executor_heartbeat(stages->executor, now_ns);
}

int64_t stages_release_delayed(struct stages *stages, int64_t now_ns)
{
    struct task_list due;
    task_list_init(&due);
    int64_t next_ns = delayed_release(stages->delayed, now_ns, &due);
    if (due.count > 0)
        feed(stages, &due);
    return next_ns;
}

void stages_routes_changed(struct stages *stages)
{
    atomic_store(&stages->unparking, true);
}

/* Feeds in what was parked. */
static void release_parked(struct stages *stages, struct task_list *tasks)
{
    for (struct task *task = tasks->head; task != NULL; task = task->next)
        task_move(task, TASK_READY);
    if (tasks->count > 0)
        feed(stages, tasks);
}

void stages_unpark(struct stages *stages)
{
    struct task_list tasks;
    if (!atomic_exchange(&stages->unparking, false))
        return;
    task_list_init(&tasks);
    router_unpark(stages->router, &tasks);
    release_parked(stages, &tasks);
}

void stages_skip_parked(struct stages *stages)
{
    size_t parked = router_parked(stages->router);
    if (parked == 0 || room_watch(&stages->pending, parked) > parked)
        return;
    struct task_list tasks, returned;
    struct outcome_tally tally;
    char why[512];
    task_list_init(&tasks);
    task_list_init(&returned);
    outcome_tally_init(&tally);
    router_unpark(stages->router, &tasks);
    if (stages->closed) {
        drop(stages, &tasks);
        return;
    }
    for (struct task *task; (task = task_list_pop(&tasks)) != NULL;) {
        if (router_may_run(stages->router, task, why, sizeof why)) {
            task_list_push(&returned, task); /* its type has just come back */
            continue;
        }
        struct outcome_reason reason = {"parked", why};
        outcome_drop(stages->outcome, task, TASK_SKIPPED, &reason, &tally);
    }
    outcome_flush(stages->outcome, &tally);
    release_parked(stages, &returned);
}

void stages_purge(struct stages *stages, const struct job *job)
{
    struct task_list purged;
    if (stages->closed)
        return; /* nothing is left that could start */
    task_list_init(&purged);
    delayed_purge(stages->delayed, job, &purged);
    executor_purge_stopped(stages->executor, job, &purged);
    router_purge(stages->router, job, &purged);
    drop(stages, &purged);
}

void stages_end_waiting(struct stages *stages, struct task_list *taken)
{
    if (taken->count > 0)
        release(stages, taken);
}

enum stages_room stages_reserve(struct stages *stages, const struct stages_places *places)
{
    struct task_list tasks;
    const char *full;
    task_list_init(&tasks);
    for (size_t i = 0; i < places->jobs_count; i++)
        for (uint32_t number = 0; number < places->jobs[i]->tasks_count; number++)
            task_list_push(&tasks, job_task(places->jobs[i], number));
    if (router_reserve(stages->router, &tasks, &places->turn, &full))
        return STAGES_HAVE_ROOM;
    bool may = router_may_reserve(stages->router, &tasks);
    struct group_facts facts = group_facts(router_find_group(stages->router, full));
    snprintf(places->refusal, places->refusal_bytes,
             may ? "the queue of group '%s' has no room: its queue_capacity is %" PRIu32
                 : "group '%s' has a queue_capacity of %" PRIu32 ", more tasks of it were sent",
             full, facts.queue_capacity);
    return may ? STAGES_ARE_FULL : STAGES_TOO_SMALL;
}

void stages_give_back(struct stages *stages, const struct task_list *tasks)
{
    for (struct task *task = tasks->head; task != NULL; task = task->next)
        router_discharge(stages->router, task);
}

void stages_feed(struct stages *stages, struct task_list *tasks)
{
    feed(stages, tasks);
}

void stages_close(struct stages *stages)
{
    struct task_list left;
    if (stages->closed)
        return;
    stages->closed = true;
    task_list_init(&left);
    room_close(&stages->pending);
    executor_close(stages->executor);
    inbound_close(stages->inbound);
    feeder_close(stages->feeder, &left);
    delayed_close(stages->delayed, &left);
    executor_purge(stages->executor, NULL, &left);
    router_unpark(stages->router, &left);
    drop(stages, &left);
}
