/* Keys that an earlier host has left in the store. */
#include <string.h>

#include "host_internal.h"
#include "support/buffer.h"
#include "support/cleanup.h"

static bool note_claim(void *context, const char *key, const char *id)
{
    struct buffer *claims = context;
    buffer_append(claims, key, strlen(key) + 1);
    buffer_append(claims, id, strlen(id) + 1);
    return true;
}

/* Whether a task JOB:ID has been taken up again. */
static bool is_there(const struct host *host, const char *holder)
{
    char id[JOB_ID_BYTES] = "";
    const char *colon = strchr(holder, ':');
    uint32_t number;
    if (host->served.table == NULL || colon == NULL || colon - holder >= JOB_ID_BYTES)
        return false;
    memcpy(id, holder, (size_t)(colon - holder));
    struct job *job = job_table_find(host->served.table, id);
    if (job == NULL)
        return false;
    bool there = job_find_task(job, colon + 1, strlen(colon + 1), &number);
    job_let_go(job);
    return there;
}

bool host_sift_claims(struct host *host, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer claims = BUFFER_EMPTY;
    struct store *store = host->stages.store;
    if (!store_visit_claims(store, note_claim, &claims, error))
        return false;
    for (const char *key = claims.bytes, *end = key + claims.length; key < end;) {
        const char *holder = key + strlen(key) + 1;
        if (!is_there(host, holder) && !store_release(store, key, holder, error))
            return false;
        key = holder + strlen(holder) + 1;
    }
    return true;
}
