#include "accept/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void origin_write(const struct submission *submission)
{
    const char *note = submission->note != NULL ? submission->note : "-";
    bool is_task = submission->root == JOB_FILE_TASK;
    if (submission->jobs_count == 1 && submission->note == NULL)
        return;
    for (size_t i = 0; i < submission->jobs_count; i++) {
        struct job *job = submission->jobs[i];
        free(job->origin); /* it was put aside, and tried before */
        if (asprintf(&job->origin, "%s %zu %s %s", submission->jobs[0]->id, submission->jobs_count,
                     is_task ? job_task(job, 0)->id : "*", i == 0 ? note : "-") < 0)
            abort();
    }
}

bool origin_read(const char *text, struct origin *origin)
{
    int at = 0;
    *origin = (struct origin){0};
    if (text == NULL ||
        sscanf(text, "%26s %" SCNu32 " %128s %n", origin->first, &origin->documents, origin->task,
               &at) != 3 ||
        at == 0)
        return false;
    if (strcmp(origin->task, "*") == 0)
        origin->task[0] = '\0';
    if (strcmp(text + at, "-") != 0)
        origin->note = text + at;
    return true;
}
