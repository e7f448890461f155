/* The only call into a plugin's execute, worker_init and worker_exit. */
#include <stdio.h>
#include <stdlib.h>

#include "accept/job.h"
#include "accept/late.h"
#include "execute/internal.h"
#include "plugin/param_late.h"
#include "support/units.h"

/* Makes room for the largest parameter struct seen; malloc's alignment fits any type. */
static void *params_room(struct worker *worker, size_t bytes)
{
    if (bytes > worker->params_capacity) {
        free(worker->params);
        worker->params = malloc(bytes);
        if (worker->params == NULL)
            abort();
        worker->params_capacity = bytes;
    }
    return worker->params;
}

static void fail(struct attempt *attempt, enum verdict verdict, const char *reason,
                 const char *message)
{
    attempt->verdict = verdict;
    attempt->reason = reason;
    attempt->message = message;
}

static bool begin_type(struct worker *worker, const struct offer *offer, struct attempt *attempt)
{
    uint32_t at = offer->index;
    if (worker->began[at] || offer->worker_init == NULL) {
        worker->began[at] = true;
        return true;
    }
    struct sluice_error error = {.size = sizeof error};
    if (offer->worker_init(offer->generation->self, &worker->contexts[at], &error)) {
        worker->began[at] = true;
        return true;
    }
    snprintf(worker->call.fail_message, sizeof worker->call.fail_message, "worker_init: %s",
             error.message);
    fail(attempt, VERDICT_FAILED, "worker_init", worker->call.fail_message);
    return false;
}

static const char *find_result(void *task, const char *reference, struct error *error)
{
    return late_find(task, reference, error);
}

/* Puts in what became of other tasks, in memory that lives as long as the call. */
static bool resolve_late(struct worker *worker, const struct offer *offer, const struct task *task,
                         struct params_text *record, struct error *error)
{
    const struct param_lookup lookup = {.find = find_result, .context = (void *)(uintptr_t)task};
    worker->resolved.length = 0;
    if (!param_late_resolve(&offer->params, *record, &lookup, &worker->resolved, error))
        return false;
    *record =
        (struct params_text){buffer_text(&worker->resolved), (uint32_t)worker->resolved.length};
    return true;
}

static bool fill_params(struct worker *worker, const struct offer *offer, const struct task *task,
                        struct attempt *attempt)
{
    struct error error;
    struct params_text record = {.bytes = task->params, .length = task->params_bytes};
    void *params = params_room(worker, offer->params.struct_bytes);
    if ((!task->late || resolve_late(worker, offer, task, &record, &error)) &&
        param_table_fill(&offer->params, record, params, &worker->call.arena, &error))
        return true;
    snprintf(worker->call.fail_message, sizeof worker->call.fail_message, "%s", error.message);
    fail(attempt, VERDICT_FAILED_FOR_GOOD, "params_rejected", worker->call.fail_message);
    return false;
}

/* What the plugin answered, not knowing whether it was asked to end. */
static void read_answer(struct call *call, enum sluice_status status, struct attempt *attempt)
{
    const char *code = call->fail_code[0] != '\0' ? call->fail_code : "failed";
    attempt->outputs = call->outputs.length > 0 ? &call->outputs : NULL;
    switch (status) {
    case SLUICE_OK:
        fail(attempt, VERDICT_OK, "", "");
        return;
    case SLUICE_FAILED:
        fail(attempt, VERDICT_FAILED, code, call->fail_message);
        return;
    case SLUICE_FAILED_FOR_GOOD:
        fail(attempt, VERDICT_FAILED_FOR_GOOD, code, call->fail_message);
        return;
    case SLUICE_TRY_AGAIN:
        attempt->try_again_ns = call->try_again_ns;
        fail(attempt, VERDICT_TRY_AGAIN, "try_again", "");
        return;
    case SLUICE_CANCELLED:
        fail(attempt, VERDICT_CANCELLED, "cancelled", "the plugin ended the call as cancelled");
        return;
    }
    snprintf(call->fail_message, sizeof call->fail_message, "invalid status %d", (int)status);
    fail(attempt, VERDICT_FAILED_FOR_GOOD, "invalid_status", call->fail_message);
}

static void say_timeout(struct worker *worker, const struct task *task)
{
    char span[32];
    snprintf(worker->call.fail_message, sizeof worker->call.fail_message,
             "ran longer than its timeout of %s",
             units_format_duration(task->timeout_ns, span, sizeof span));
}

/* A call that was asked to end has not done its task, whatever it answers: a plugin that leaves its
 * loop on cancel returns SLUICE_OK. */
static void read_cancel(struct worker *worker, const struct task *task, struct attempt *attempt)
{
    const char *message = worker->call.fail_message; /* what the plugin said, if it did */
    int64_t deadline_ns = atomic_load_explicit(&worker->deadline_ns, memory_order_relaxed);
    if (attempt->ended_ns >= deadline_ns) {
        if (message[0] == '\0')
            say_timeout(worker, task);
        fail(attempt, VERDICT_TIMED_OUT, "timed_out", message);
        return;
    }
    fail(attempt, VERDICT_CANCELLED, "cancelled",
         message[0] != '\0' ? message : "stopped while it ran");
}

static enum sluice_status call_execute(struct worker *worker, const struct offer *offer)
{
    worker->call.visible.self = offer->generation->self;
    worker->call.visible.worker = worker->contexts[offer->index];
    return offer->execute(&worker->call.visible, worker->params);
}

bool invoke(struct worker *worker, const struct task *task, struct attempt *attempt)
{
    const struct offer *offer = generation_offer(worker->pool->generation, task->type);
    struct call_task seen = {
        .task_id = task->id,
        .job_id = task->job->id,
        .type = task->type->name,
        .labels = task->labels,
        .attempt = task->attempt,
        .deadline_ns = atomic_load_explicit(&worker->deadline_ns, memory_order_relaxed),
    };
    attempt->plugin = offer->generation->plugin;
    attempt->version = offer->generation->version;
    call_begin(&worker->call, &seen);
    if (begin_type(worker, offer, attempt) && fill_params(worker, offer, task, attempt))
        read_answer(&worker->call, call_execute(worker, offer), attempt);
    uint64_t last = call_end(&worker->call);
    if (last & CALL_STUCK)
        return false;
    if (last & CALL_CANCELLED) {
        attempt->ended_ns = clock_read(&worker->clock); /* exactly: was it before its deadline? */
        read_cancel(worker, task, attempt);
        return true;
    }
    attempt->ended_ns = clock_read_again(&worker->clock);
    return true;
}

void invoke_end(struct worker *worker)
{
    const struct generation *generation = worker->pool->generation;
    for (uint32_t i = 0; i < generation->offers_count; i++) {
        const struct offer *offer = &generation->offers[i];
        if (worker->began[i] && offer->worker_exit != NULL)
            offer->worker_exit(generation->self, worker->contexts[i]);
    }
}
