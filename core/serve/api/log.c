/* What a task has logged, at once or as it comes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/api/follow.h"
#include "serve/api/internal.h"
#include "support/buffer.h"
#include "support/cleanup.h"

struct log_part {
    struct buffer text;
    uint64_t dropped, begin; /* begin: how much of the whole log is not wanted */
    uint64_t end;
    bool unfinished;
};

static bool take_log(void *context, const struct store_task *task)
{
    struct log_part *part = context;
    uint64_t first = task->log_dropped_bytes; /* the offset of what is kept */
    uint64_t skip = part->begin > first ? part->begin - first : 0;

    part->dropped = first;
    part->end = first + task->log_bytes;
    part->unfinished = task->state == STORE_UNFINISHED;
    if (skip < task->log_bytes)
        buffer_append(&part->text, task->log + skip, task->log_bytes - skip);
    return false;
}

static void answer_log(struct api *api, struct http_request *request, const struct api_name *name)
{
    struct log_part part = {0};
    char dropped[24];

    if (!api_visit_task(api, name, take_log, &part)) {
        api_no_task(request);
        return;
    }
    snprintf(dropped, sizeof(dropped), "%" PRIu64, part.dropped);
    http_add_header(request, "Sluice-Log-Dropped", dropped);
    http_answer(request, 200, "text/plain; charset=utf-8", &part.text);
}

/* The name lives in the request, which a stream takes the place of. */
static void begin_follow(struct api *api, struct http_request *request, const struct api_name *name)
{
    char id[TASK_ID_MOST_BYTES + 1] = "";
    struct api_name copy = *name;

    strncpy(id, name->task, TASK_ID_MOST_BYTES);
    copy.task = id;
    follow_add(api->follow, &copy, http_stream_begin(request, "text/plain; charset=utf-8"));
}

void api_task_log(void *context, struct http_request *request)
{
    struct api *api = context;
    const char *follow = http_query(request, "follow");
    struct log_part part = {0};
    struct api_name name;

    if (!api_task_name(request, &name))
        return;
    if (follow == NULL || strcmp(follow, "0") == 0)
        answer_log(api, request, &name);
    else if (strcmp(follow, "1") != 0)
        http_refuse(request, 400, "invalid_query", "follow is '%s', allowed are 0 and 1", follow);
    else if (!api_visit_task(api, &name, take_log, &part))
        api_no_task(request);
    else
        begin_follow(api, request, &name);
    buffer_fini(&part.text);
}
