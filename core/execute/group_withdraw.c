/* A group that starts nothing more for now, or loses what it has queued: what it asked the gate for
 * is withdrawn, and what it holds for nothing given back. */
#include "execute/internal.h"
#include "support/cleanup.h"
#include "support/memory.h"

/* Forgets that the group waits, with its next batch, for weight that it does not need now. No lock
 * held. */
static void withdraw(struct group *group)
{
    const struct gate *gate = &group->executor->options.gate;
    if (gate->withdraw(gate->context, group, NULL))
        group_refused(group);
}

void group_pause(struct group *group)
{
    mutex_lock(&group->lock);
    group->paused = true;
    bool waits = group->waiting;
    mutex_unlock(&group->lock);
    executor_take_rests(group->executor, NULL, group);
    if (waits)
        withdraw(group);
    group_return_grants(group);
}

bool group_is_paused(struct group *group)
{
    MUTEX_GUARD(&group->lock);
    return group->paused;
}

void group_resume(struct group *group)
{
    struct after after;
    after_init(&after);
    mutex_lock(&group->lock);
    group->paused = false;
    group_relist(group, &after);
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

/* No lock held. */
static void withdraw_job(struct group *group, const struct job *job)
{
    const struct gate *gate = &group->executor->options.gate;
    struct after after;
    if (!gate->withdraw(gate->context, group, job))
        return;
    after_init(&after);
    mutex_lock(&group->lock);
    struct aside *aside = backlog_find(&group->backlog, job);
    aside->waits = false;
    backlog_tidy(&group->backlog, aside);
    group_relist(group, &after); /* others of the job may have stepped aside meanwhile */
    mutex_unlock(&group->lock);
    group_act(group, &after);
}

/* What it asked for is not what comes first any more. Lock held. */
static bool waits_in_vain(const struct group *group)
{
    struct aside *from;
    const struct task *head = backlog_head(&group->backlog, BACKLOG_ANY, &from);
    return group->waiting && (head == NULL || head->job != group->asked_for ||
                              group_weigh(group, head) < group->asked);
}

/* Jobs of which nothing is left that waits for their cap; only to be compared. The caller frees the
 * list. Lock held. */
static const struct job **jobs_in_vain(const struct group *group, size_t *count)
{
    const struct job **jobs = NULL;
    *count = 0;
    for (const struct aside *aside = group->backlog.asides; aside != NULL; aside = aside->next) {
        if (aside->job == NULL || !aside->waits || aside->queue.count > 0)
            continue;
        jobs = memory_grow(jobs, *count + 1, sizeof *jobs);
        jobs[(*count)++] = aside->job;
    }
    return jobs;
}

void group_purge(struct group *group, const struct purge *purge, struct task_list *purged)
{
    size_t count;
    mutex_lock(&group->lock);
    backlog_purge(&group->backlog, purge, purged);
    bool waits = waits_in_vain(group);
    CLEANUP(cleanup_free) const struct job **jobs = jobs_in_vain(group, &count);
    mutex_unlock(&group->lock);
    if (waits)
        withdraw(group);
    for (size_t i = 0; i < count; i++)
        withdraw_job(group, jobs[i]);
    group_return_grants(group);
}
