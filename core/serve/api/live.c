#include <stdio.h>
#include <string.h>

#include "serve/api/internal.h"

/* What is tried again is in a job of its own, under its whole name. */
static bool find_again(struct api *api, const struct api_name *name, struct api_live *live)
{
    char whole[STORE_HOLDER_BYTES];

    snprintf(whole, sizeof(whole), "%s:%s", name->job, name->task);
    live->job = host_find_job(api->host, whole);
    if (live->job == NULL)
        return false;
    live->task = job_task(live->job, 0);
    return true;
}

bool api_find_live(struct api *api, const struct api_name *name, struct api_live *live)
{
    uint32_t number;

    if (find_again(api, name, live))
        return true;
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

const char *api_live_state(struct api *api, const char *name)
{
    struct api_name parts = {.task = name + JOB_ID_BYTES};
    struct api_live live;

    memcpy(parts.job, name, JOB_ID_BYTES - 1);
    if (!api_find_live(api, &parts, &live))
        return NULL;
    enum task_state state = task_state(live.task);
    api_let_go(&live);
    return state < TASK_SUCCEEDED ? task_state_word(state) : NULL;
}
