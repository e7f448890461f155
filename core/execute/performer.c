#include "execute/performer.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugin/params.h"

void performer_init(struct performer *performer, void *self, uint32_t offers_count)
{
    *performer = (struct performer){.self = self};
    performer->contexts = calloc(offers_count, sizeof *performer->contexts);
    performer->began = calloc(offers_count, sizeof *performer->began);
    if (performer->contexts == NULL || performer->began == NULL)
        abort();
    call_init(&performer->call);
}

void performer_fini(struct performer *performer)
{
    call_fini(&performer->call);
    free(performer->contexts);
    free(performer->began);
    free(performer->params);
}

/* Makes room for the largest parameter struct seen; malloc's alignment fits any type. */
static void *params_room(struct performer *performer, size_t bytes)
{
    if (bytes > performer->params_capacity) {
        free(performer->params);
        performer->params = malloc(bytes);
        if (performer->params == NULL)
            abort();
        performer->params_capacity = bytes;
    }
    return performer->params;
}

bool performer_begin(struct performer *performer, const struct offer *offer, struct answer *answer)
{
    struct sluice_error error = {.size = sizeof error};
    struct call *call = &performer->call;
    bool *began = &performer->began[offer->index];
    if (!*began)
        *began = offer->worker_init == NULL ||
                 offer->worker_init(performer->self, &performer->contexts[offer->index], &error);
    if (*began)
        return true;
    snprintf(call->fail_message, sizeof call->fail_message, "worker_init: %s", error.message);
    *answer = (struct answer){
        .how = ANSWER_NO_WORKER, .code = call->fail_code, .message = call->fail_message};
    return false;
}

static bool fill_params(struct performer *performer, const struct offer *offer,
                        struct params_text record)
{
    struct error error;
    void *params = params_room(performer, offer->params.struct_bytes);
    if (param_table_fill(&offer->params, record, params, &performer->call.arena, &error))
        return true;
    snprintf(performer->call.fail_message, sizeof performer->call.fail_message, "%s",
             error.message);
    return false;
}

static int32_t execute(struct performer *performer, const struct offer *offer)
{
    performer->call.visible.self = performer->self;
    performer->call.visible.worker = performer->contexts[offer->index];
    return (int32_t)offer->execute(&performer->call.visible, performer->params);
}

void performer_run(struct performer *performer, const struct offer *offer,
                   struct params_text record, struct answer *answer)
{
    struct call *call = &performer->call;
    if (!performer_begin(performer, offer, answer))
        return;
    *answer = (struct answer){.code = call->fail_code, .message = call->fail_message};
    if (!fill_params(performer, offer, record)) {
        answer->how = ANSWER_NO_PARAMS;
        return;
    }
    answer->status = execute(performer, offer);
    answer->try_again_ns = call->try_again_ns;
    answer->outputs = call->outputs.length > 0 ? &call->outputs : NULL;
}

void performer_leave(struct performer *performer, const struct offer *offers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (performer->began[i] && offers[i].worker_exit != NULL)
            offers[i].worker_exit(performer->self, performer->contexts[i]);
}
