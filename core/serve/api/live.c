#include <string.h>

#include "serve/api/internal.h"

bool api_find_live(struct api *api, const struct api_name *name, struct api_live *live)
{
    uint32_t number;

    live->job = host_find_job(api->host, name->job);
    if (live->job == NULL)
        return false;
    if (job_find_task(live->job, name->task, strlen(name->task), &number)) {
        live->task = job_task(live->job, number);
        return true;
    }
    job_let_go(live->job);
    return false;
}

void api_let_go(const struct api_live *live)
{
    job_let_go(live->job);
}

const char *api_state_word(const struct job *job, uint32_t place)
{
    if (job == NULL || place >= job->tasks_count)
        return NULL;
    const struct task *task = job_task(job, job->order != NULL ? job->order[place] : place);
    enum task_state state = task_state(task);
    return state < TASK_SUCCEEDED ? task_state_word(state) : NULL;
}
