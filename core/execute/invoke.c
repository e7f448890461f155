/* A task's call on a worker thread of the host. */
#include <stdio.h>

#include "accept/job.h"
#include "accept/late.h"
#include "execute/answer.h"
#include "execute/internal.h"
#include "plugin/param_late.h"

static const char *find_result(void *task, const char *reference, struct error *error)
{
    return late_find(task, reference, error);
}

bool invoke_resolve(const struct offer *offer, const struct task *task, struct buffer *resolved,
                    struct params_text *record, struct error *error)
{
    const struct param_lookup lookup = {.find = find_result, .context = (void *)(uintptr_t)task};
    *record = (struct params_text){.bytes = task->params, .length = task->params_bytes};
    if (!task->late)
        return true;
    resolved->length = 0;
    if (!param_late_resolve(&offer->params, *record, &lookup, resolved, error))
        return false;
    *record = (struct params_text){buffer_text(resolved), (uint32_t)resolved->length};
    return true;
}

/* What other tasks have put out does not fit. */
static void refuse_late(struct worker *worker, const struct error *error, struct answer *answer)
{
    struct call *call = &worker->performer.call;
    snprintf(call->fail_message, sizeof call->fail_message, "%s", error->message);
    *answer = (struct answer){
        .how = ANSWER_NO_PARAMS, .code = call->fail_code, .message = call->fail_message};
}

static void perform(struct worker *worker, const struct offer *offer, const struct task *task,
                    struct answer *answer)
{
    struct params_text record;
    struct error error;
    if (invoke_resolve(offer, task, &worker->resolved, &record, &error))
        performer_run(&worker->performer, offer, record, answer);
    else
        refuse_late(worker, &error, answer);
}

bool invoke(struct worker *worker, const struct task *task, struct attempt *attempt)
{
    const struct offer *offer = generation_offer(worker->pool->generation, task->type);
    struct answer_asked asked = {
        .deadline_ns = atomic_load_explicit(&worker->deadline_ns, memory_order_relaxed),
        .timeout_ns = task->timeout_ns,
    };
    struct call_task seen = {
        .task_id = task->id,
        .job_id = task->job->id,
        .type = task->type->name,
        .labels = task->labels,
        .attempt = task->attempt,
        .deadline_ns = asked.deadline_ns,
    };
    struct answer answer;
    attempt->plugin = offer->generation->plugin;
    attempt->version = offer->generation->version;
    call_begin(&worker->performer.call, &seen);
    perform(worker, offer, task, &answer);
    uint64_t last = call_end(&worker->performer.call);
    if (last & CALL_STUCK)
        return false;
    bool was_asked = (last & CALL_CANCELLED) != 0;
    attempt->ended_ns = was_asked ? clock_read(&worker->clock) /* was it before its deadline? */
                                  : clock_read_again(&worker->clock);
    answer_read(&answer, was_asked ? &asked : NULL, &worker->text, attempt);
    return true;
}
