/* What ends, as it happens. */
#include <stdlib.h>
#include <string.h>

#include "serve/api/internal.h"
#include "serve/event_hub.h"
#include "serve/record.h"
#include "serve/stored_json.h"
#include "support/buffer.h"
#include "support/cleanup.h"

void api_event_stream(void *context, struct http_request *request)
{
    struct api *api = context;
    CLEANUP(cleanup_free) char *job = NULL;
    const char *given = http_query(request, "job");

    if (given != NULL && (job = strdup(given)) == NULL)
        abort();
    struct http_stream *stream = http_stream_begin(request, "text/event-stream");
    static const char hello[] = ": what ends from here on\n\n";
    http_stream_write(stream, hello, sizeof(hello) - 1);
    event_hub_add(api->hub, stream, job);
}

void api_task_ended(struct api *api, const struct outcome_record *record)
{
    CLEANUP(buffer_fini) struct buffer line = BUFFER_EMPTY;
    const char *job = record->task->job->id;

    if (!event_hub_wanted(api->hub, job))
        return;
    record_write(record, &line);
    line.length--; /* its newline */
    event_hub_send(api->hub, job, "task", buffer_text(&line));
}

/* A task that is tried again by itself may end before the others of its job. */
static bool take_json(void *context, const struct store_job *job)
{
    if (job->sealed && job->by_state[STORE_UNFINISHED] == 0)
        *(json_t **)context = stored_job_json(job);
    return false;
}

void api_job_over(struct api *api, const struct job *job)
{
    json_t *json = NULL;
    struct error error;

    if (!event_hub_wanted(api->hub, job->id) ||
        !store_find_job(host_stages(api->host)->store, job->id, take_json, &json, &error) ||
        json == NULL)
        return;
    CLEANUP(cleanup_free) char *line = json_dumps(json, JSON_COMPACT);
    event_hub_insist(api->hub, job->id, "job", line);
    json_decref(json);
}
