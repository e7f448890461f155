#include "outcome/claim.h"

#include <stdio.h>
#include <string.h>

#include "accept/job.h"
#include "support/log.h"

static void name_task(const struct task *task, char name[STORE_HOLDER_BYTES])
{
    snprintf(name, STORE_HOLDER_BYTES, "%s:%s", task->job->id, task->id);
}

/* The store takes no more of them. */
static bool refuse(struct claim *claim, const struct error *error)
{
    snprintf(claim->message, sizeof claim->message, "not started: its unique key: %.*s",
             (int)sizeof claim->message - 40, error->message);
    claim->reason = (struct outcome_reason){"keys_full", claim->message};
    return false;
}

bool claim_take(struct claim *claim, struct store *store, const struct task *task)
{
    char name[STORE_HOLDER_BYTES], holder[STORE_HOLDER_BYTES];
    struct error error;
    name_task(task, name);
    if (!store_claim(store, task->unique, name, holder, &error))
        return refuse(claim, &error);
    if (holder[0] == '\0' || strcmp(holder, name) == 0)
        return true;
    bool same_job = strncmp(holder, name, JOB_ID_BYTES) == 0; /* with the colon */
    snprintf(claim->message, sizeof claim->message,
             "not started: '%s' is waiting or running and has the same unique key '%s'",
             same_job ? holder + JOB_ID_BYTES : holder, task->unique);
    claim->reason = (struct outcome_reason){"unique", claim->message};
    return false;
}

void claim_give_back(struct store *store, const struct task *task)
{
    char name[STORE_HOLDER_BYTES];
    struct error error;
    name_task(task, name);
    if (!store_release(store, task->unique, name, &error))
        log_error("a unique key is not free although its task has ended",
                  LOG_TEXT("key", task->unique), LOG_TEXT("reason", error.message));
}
