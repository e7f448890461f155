#include "outcome/last_attempt.h"

#include "accept/job.h"
#include "support/log.h"

/* Only what is wanted: the query's limit is one task. */
static bool copy(void *context, const struct store_task *task)
{
    struct last_attempt *last = context;
    for (size_t i = task->attempts_count; i > 0; i--) {
        const struct store_attempt *attempt = &task->attempts[i - 1];
        if (!attempt->charged)
            continue;
        buffer_puts(&last->reason, attempt->reason);
        buffer_puts(&last->message, attempt->message);
        return false;
    }
    return false;
}

void last_attempt_find(struct last_attempt *last, struct store *store, const struct task *task)
{
    struct error error;
    uint32_t number = job_place(task);
    struct store_query query = {.job = task->job->store_key, .limit = 1, .resume = number > 0};
    if (number > 0)
        query.after = (struct store_position){task->job->store_key, number - 1};
    *last = (struct last_attempt){BUFFER_EMPTY, BUFFER_EMPTY};
    if (!store_visit(store, &query, copy, last, &error))
        log_error("the store failed", LOG_TEXT("reason", error.message));
}

void last_attempt_fini(struct last_attempt *last)
{
    buffer_fini(&last->reason);
    buffer_fini(&last->message);
}
