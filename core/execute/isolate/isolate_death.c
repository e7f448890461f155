/* When a worker process dies, or has to. */
#include "execute/isolate/death.h"
#include "execute/isolate/internal.h"
#include "support/cleanup.h"

/* How often a process may die between two calls before a task has to answer for it. */
enum { DEATHS_MOST = 3 };

static void put_back(struct isolate *isolate, struct group *group)
{
    struct task_list rest;
    task_list_init(&rest);
    mutex_lock(&isolate->worker->lock);
    for (uint32_t i = isolate->ended; i < isolate->limit; i++)
        task_list_push(&rest, isolate->worker->batch[i]);
    isolate->limit = isolate->held = isolate->ended;
    atomic_store(&isolate->process.seat->next, SEAT_TAKEN);
    mutex_unlock(&isolate->worker->lock);
    if (rest.count > 0)
        group_put_back(group, &rest);
}

/* The task in hand has to answer for it. */
static void charge(struct isolate *isolate, const struct child_end *end)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct attempt attempt = isolate_attempt(isolate, clock_now_ns());
    const struct task *task = isolate_current(isolate);
    const struct death death = {
        .end = *end,
        .process = &isolate->process,
        .copy = isolate->worker->pool->generation->copy,
        .memory_most = isolate->memory_most,
        .was_killed = isolate->was_killed,
        .was_broken = isolate->broken,
        .is_late = isolate->asked_ns >= isolate_deadline_ns(task, attempt.started_ns),
    };
    death_describe(&death, &text, &attempt);
    isolate_end_task(isolate, &attempt);
}

/* One that has closed its end is about to go, as a rule. */
static void end_process(struct isolate *isolate, struct child_end *end)
{
    struct process *process = &isolate->process;
    bool is_ours = isolate->was_killed || isolate->broken;
    if (!is_ours && process_await(process, clock_now_ns() + LEAVE_NS))
        isolate->broken = false;
    else
        isolate->broken = !isolate->was_killed;
    process_kill(process, end);
}

void isolate_bury(struct isolate *isolate, struct group *group)
{
    struct child_end end;
    end_process(isolate, &end);
    isolate_hear(isolate);
    isolate_gather(isolate, isolate_limit(isolate));
    if (isolate_hold(isolate) || (++isolate->deaths >= DEATHS_MOST && isolate_hold_first(isolate)))
        charge(isolate, &end);
    put_back(isolate, group);
    process_drop(&isolate->process);
    isolate->served = 0;
}
