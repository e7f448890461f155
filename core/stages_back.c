/* What does not go the way of a task but comes back: what later stages hand to earlier ones, and
 * what the host takes out of them to end it or to feed it in again. */
#include "stages_internal.h"

#include "accept/feeder.h"
#include "accept/room.h"
#include "dispatch/router.h"
#include "outcome/delayed.h"

bool stages_back_delay(void *context, struct task *task, int64_t due_ns)
{
    struct stages *stages = context;
    return delayed_add(stages->delayed, task, due_ns);
}

void stages_back_wake(void *context)
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

void stages_back_drop(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        outcome_drop_stopped(stages->outcome, task, &tally);
    outcome_flush(stages->outcome, &tally);
}

void stages_back_recall(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;)
        outcome_recall(stages->outcome, task, &tally);
    outcome_flush(stages->outcome, &tally);
}

void stages_feed(struct stages *stages, struct task_list *tasks)
{
    feeder_release(stages->feeder, tasks);
    if (tasks->count > 0)
        stages_back_drop(stages, tasks);
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

/* As stages_feed, for what a worker has released: a few of them go straight into their groups,
 * since each hand-off to another thread takes longer than a small task. */
static void feed_released(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct task_list rest;
    task_list_init(&rest);
    if (tasks->count <= DIRECT_MOST)
        push_directly(stages, tasks, &rest);
    task_list_append(&rest, tasks);
    if (rest.count > 0)
        stages_feed(stages, &rest);
}

void stages_back_release(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    struct outcome_tally tally;
    outcome_tally_init(&tally);
    outcome_release(stages->outcome, tasks, &tally);
    outcome_flush(stages->outcome, &tally);
}

/* Nobody takes them out any more. */
static void drop_parked(struct stages *stages)
{
    struct task_list left;
    task_list_init(&left);
    router_unpark(stages->router, &left);
    stages_back_drop(stages, &left);
}

/* A type may have come back before its task was parked, and then nobody else would see to it. */
void stages_back_park(void *context, struct task_list *tasks)
{
    struct stages *stages = context;
    bool served = false;
    uint32_t flags;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        const struct type *type = task->type;
        router_park(stages->router, task);
        served = served || registry_flags(stages->options.registry, type, &flags);
    }
    if (atomic_load(&stages->closed)) {
        drop_parked(stages);
        return;
    }
    if (served)
        stages_routes_changed(stages);
    stages->options.wake(stages->options.context);
}

struct outcome_hooks stages_back_hooks(struct stages *stages)
{
    const struct stages_options *options = &stages->options;
    return (struct outcome_hooks){.context = stages,
                                  .ended = options->ended == NULL ? NULL : on_ended,
                                  .wants_all = options->wants_all,
                                  .job_over = on_job_over,
                                  .room_reached = stages_back_wake,
                                  .job_stops = on_job_stops,
                                  .suspect = on_suspect,
                                  .discharge = discharge,
                                  .delay = stages_back_delay,
                                  .release = feed_released};
}

int64_t stages_release_delayed(struct stages *stages, int64_t now_ns)
{
    struct task_list due;
    task_list_init(&due);
    int64_t next_ns = delayed_release(stages->delayed, now_ns, &due);
    if (due.count > 0)
        stages_feed(stages, &due);
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
        stages_feed(stages, tasks);
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
        stages_back_drop(stages, &tasks);
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
    stages_back_drop(stages, &purged);
}

void stages_end_waiting(struct stages *stages, struct task_list *taken)
{
    if (taken->count > 0)
        stages_back_release(stages, taken);
}
