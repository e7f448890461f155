/* What the tasks of a job need of each other: before they are handed on in its graph, then in its
 * dependents, or in the window of a streamed job. */
#include <assert.h>
#include <stdlib.h>

#include "accept/dependents.h"
#include "accept/id_index.h"
#include "accept/job.h"
#include "accept/past.h"
#include "accept/result_map.h"
#include "accept/window.h"

struct graph *job_graph(struct job *job)
{
    assert(job->mode == JOB_CHECKED);
    if (job->graph == NULL)
        job->graph = graph_create();
    return job->graph;
}

void job_keep_needs(struct job *job)
{
    job->keeps_needs = true;
}

struct graph_needs job_needs(const struct task *task)
{
    const struct job *job = task->job;
    return job->graph != NULL ? graph_of(job->graph, task->number) : (struct graph_needs){0};
}

/* An index that nobody needs is gone before the dependents come: they need not be in memory
 * together. */
void job_turn_graph(struct job *job)
{
    if (job->keep == JOB_KEEPS_UNFINISHED)
        id_index_destroy(&job->ids);
    if (job->graph != NULL && job->dependents == NULL)
        job->dependents = dependents_create(job->graph, job->tasks_count);
    if (!job->keeps_needs)
        graph_destroy(&job->graph);
}

bool job_waits(const struct task *task)
{
    const struct job *job = task->job;
    if (job->mode == JOB_STREAMED)
        return window_wait(job->window, task->number);
    return job->dependents != NULL && dependents_wait(job->dependents, task->number);
}

bool job_has_ended_before(const struct task *task)
{
    struct past_end end;
    return task->job->past != NULL && past_find(task->job->past, task, &end);
}

bool job_enter_waiting(const struct task *task)
{
    struct job *job = task->job;
    return job->mode == JOB_STREAMED ? window_enter(job->window, task->number)
                                     : dependents_enter(job->dependents, task->number);
}

bool job_take_waiting(struct task *task)
{
    return task_state(task) == TASK_WAITING && task->job->dependents != NULL &&
           dependents_take(task->job->dependents, task->number);
}

void job_take_all_waiting(struct job *job, struct task_list *taken)
{
    const struct dependents *dependents = job->dependents;
    for (uint32_t number = 0; number < job->tasks_count && dependents != NULL; number++)
        if (dependents_lack(dependents, number) && job_take_waiting(job_task(job, number)))
            task_list_push(taken, job_task(job, number));
}

struct result *job_hold_result(struct job *job, uint32_t number)
{
    if (job->mode == JOB_STREAMED)
        return window_hold(job->window, number);
    if (job->results == NULL)
        job->results = result_map_create();
    return result_map_add(job->results, number);
}

void job_keep_result(const struct task *ended, const struct buffer *outputs)
{
    const struct job *job = ended->job;
    struct result *result;
    if (job->mode == JOB_STREAMED) {
        if (outputs != NULL && task_state(ended) == TASK_SUCCEEDED)
            window_keep(job->window, ended, outputs);
    } else if (job->results != NULL &&
               (result = result_map_find(job->results, ended->number)) != NULL) {
        result_fill(result, task_state(ended), outputs);
    }
}

void job_release_dependents(const struct task *ended, struct task_list *released)
{
    struct job *job = ended->job;
    if (job->mode == JOB_STREAMED)
        window_end(job->window, ended, released);
    else if (job->dependents != NULL)
        dependents_end(job->dependents, ended, job->chunks, released);
}

struct needed job_needed(const struct task *released)
{
    const struct job *job = released->job;
    return job->mode == JOB_STREAMED ? window_needed(job->window, released->number)
                                     : dependents_needed(job->dependents, released->number);
}

struct needs_visit {
    const struct job *job;
    bool (*visit)(void *context, const struct task *needed);
    void *context;
};

static bool visit_needed(void *context, uint32_t number)
{
    const struct needs_visit *needs = context;
    return needs->visit(needs->context, job_task(needs->job, number));
}

void job_visit_needs(const struct task *task,
                     bool (*visit)(void *context, const struct task *needed), void *context)
{
    struct needs_visit needs = {task->job, visit, context};
    assert(task->job->keep != JOB_KEEPS_UNFINISHED);
    if (task->job->dependents != NULL)
        dependents_visit_needs(task->job->dependents, task->number, visit_needed, &needs);
}
