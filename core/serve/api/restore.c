/* What an earlier daemon has answered is known again: a request with an Idempotency-Key that is
 * sent once more gets the answer of the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/origin.h"
#include "serve/api/internal.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/dictionary.h"

/* The answer for one request, of whose jobs some come yet. */
struct answer {
    struct dictionary_entry by_first; /* first */
    struct origin origin;
    char *note;
    int64_t age_ns;
    json_t *jobs;
};

struct restore {
    struct idempotency *idempotency;
    struct dictionary answers; /* that are not whole */
    int64_t wall_ns;
};

static struct answer *answer_begin(struct restore *restore, const struct store_job *job,
                                   const struct origin *origin)
{
    int64_t age_ns = restore->wall_ns - job->given.submitted_wall_ns;
    struct answer *answer = malloc(sizeof(*answer));

    if (answer == NULL)
        abort();
    *answer = (struct answer){.origin = *origin,
                              .note = strdup(origin->note),
                              .age_ns = age_ns > 0 ? age_ns : 0,
                              .jobs = json_array()};
    if (answer->note == NULL)
        abort();
    dictionary_entry_init(&answer->by_first, answer->origin.first);
    dictionary_add(&restore->answers, &answer->by_first);
    return answer;
}

/* As submit.c has written it. */
static json_t *answer_json(const struct answer *answer)
{
    const char *first = answer->origin.first, *task = answer->origin.task;
    char name[STORE_HOLDER_BYTES];

    if (task[0] == '\0')
        return json_pack("{sO}", "jobs", answer->jobs);
    snprintf(name, sizeof(name), "%s:%s", first, task);
    return json_pack("{ss ss}", "task", name, "job", first);
}

static void answer_end(struct restore *restore, struct answer *answer)
{
    json_t *json = answer_json(answer);
    CLEANUP(cleanup_free) char *text = json_dumps(json, JSON_COMPACT);

    if (text != NULL) /* else a name is no text */
        idempotency_restore(restore->idempotency, answer->note, answer->age_ns, text);
    json_decref(json);
    json_decref(answer->jobs);
    dictionary_remove(&restore->answers, &answer->by_first);
    free(answer->note);
    free(answer);
}

/* Jobs that came together stand in their order, perhaps with others between them. */
static bool see_job(void *context, const struct store_job *job)
{
    struct restore *restore = context;
    struct origin origin;

    if (!origin_read(job->given.origin, &origin))
        return true;
    struct answer *answer = (struct answer *)dictionary_find(&restore->answers, origin.first);
    if (answer == NULL && origin.note != NULL)
        answer = answer_begin(restore, job, &origin);
    if (answer == NULL)
        return true;
    json_array_append_new(answer->jobs,
                          json_pack("{ss ss sI}", "id", job->given.id, "name", job->given.name,
                                    "tasks", (json_int_t)job->tasks_count));
    if (json_array_size(answer->jobs) == origin.documents)
        answer_end(restore, answer);
    return true;
}

/* Some of their jobs are not known any more: the others are still the answer. */
static void end_rest(struct restore *restore)
{
    struct dictionary_entry *entry;

    for (uint64_t place = 0; (entry = dictionary_next(&restore->answers, &place)) != NULL; place--)
        answer_end(restore, (struct answer *)entry);
}

bool api_restore(struct api *api, struct error *error)
{
    struct restore restore = {.idempotency = api->idempotency, .wall_ns = clock_wall_ns()};

    dictionary_init(&restore.answers);
    bool right = store_visit_jobs(host_stages(api->host)->store, see_job, &restore, error);
    end_rest(&restore);
    dictionary_fini(&restore.answers);
    return right;
}
