#include "stages_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "accept/feeder.h"
#include "accept/inbound.h"
#include "accept/room.h"
#include "accept/task_extra.h"
#include "dispatch/admission.h"
#include "dispatch/dispatcher.h"
#include "dispatch/router.h"
#include "dispatch/scheduler.h"
#include "outcome/delayed.h"
#include "store/store.h"

static bool open_store(struct stages *stages, struct error *error)
{
    struct store_options options = stages->options.store;
    options.describe = task_describe;
    options.describe_dead = task_extra_pack_dead;
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
                                     .delay = stages_back_delay,
                                     .drop = stages_back_drop,
                                     .recall = stages_back_recall,
                                     .release = stages_back_release,
                                     .room_reached = stages_back_wake};
}

static void create_outcome(struct stages *stages)
{
    const struct stages_options *options = &stages->options;
    struct outcome_hooks hooks = stages_back_hooks(stages);
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
        .wake = stages_back_wake,
        .unserved = stages_back_park};
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
                                         .drop = stages_back_drop,
                                         .parked = stages_back_wake};
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
    stages_back_drop(stages, &left);
}
