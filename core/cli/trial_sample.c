#include "cli/trial_sample.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/job_file.h"
#include "cli/trial_word.h"
#include "plugin/call.h"
#include "plugin/generation.h"
#include "plugin/param_one_of.h"
#include "plugin/signals.h"
#include "support/cleanup.h"
#include "support/thread.h"
#include "support/units.h"

static const int64_t timeout_ns = 10 * NS_PER_S; /* unless the task says one */
/* How long a call may go on after it was cancelled: ten times what R5 asks for. */
static const int64_t cancel_most_ns = NS_PER_S;

/* ---- which task ---- */

static void explain(const struct diagnostics *diagnostics, struct buffer *why)
{
    const struct diagnostic *first = diagnostics->kept;

    buffer_puts(why, diagnostics->kept_count > 0 ? first->message : "there is no task");
    if (diagnostics->kept_count > 0 && first->hint != NULL)
        buffer_printf(why, ": %s", first->hint);
}

bool trial_sample_read(struct trial_sample *sample, const char *text, struct registry *registry,
                       struct buffer *why)
{
    const struct job_file_options options = {.root = JOB_FILE_TASK,
                                             .registry = registry,
                                             .weight_capacity = INT32_MAX,
                                             .default_timeout_ns = timeout_ns,
                                             .stop_fd = -1};
    CLEANUP(diagnostics_fini) struct diagnostics diagnostics;

    *sample = (struct trial_sample){0};
    chunk_pool_init(&sample->pool);
    diagnostics_init(&diagnostics, "--task");
    sample->job = job_create(&sample->pool, "trial", "--task", JOB_CHECKED);
    struct job_file *file = job_file_open_text(text, strlen(text), &options, &diagnostics);
    if (job_file_next(file))
        job_file_read(file, sample->job);
    if (job_file_close(&file) != JOB_FILE_RIGHT || sample->job->tasks_count == 0) {
        explain(&diagnostics, why);
        return false;
    }
    const struct task *task = job_task(sample->job, 0);
    sample->type = task->type->name;
    sample->record = task->params;
    sample->record_bytes = task->params_bytes;
    sample->timeout_ns = task->timeout_ns > 0 ? task->timeout_ns : timeout_ns;
    return true;
}

bool trial_sample_default(struct trial_sample *sample, const struct offer *offer,
                          struct buffer *why)
{
    const struct param_table *params = &offer->params;

    *sample =
        (struct trial_sample){.type = offer->type->name,
                              .record = "",
                              .timeout_ns = offer->timeout_ns > 0 ? offer->timeout_ns : timeout_ns};
    chunk_pool_init(&sample->pool);
    for (size_t i = 0; i < params->count; i++) {
        const struct param *param = &params->rows[i];
        if (!param->required && param->one_of == NULL)
            continue;
        buffer_printf(why, "not run, '%s' has to be given: --task '{type: %s, params: {%s: ...}}'",
                      param->name, offer->type->name, param->name);
        return false;
    }
    return true;
}

void trial_sample_fini(struct trial_sample *sample)
{
    job_destroy(&sample->job);
    chunk_pool_fini(&sample->pool);
}

/* ---- the call ---- */

/* Shared by the trial and the worker; lives for ever if that is stuck. */
struct run {
    const struct trial_sample *sample;
    const struct offer *offer;
    struct call call;
    _Atomic uint64_t turn; /* 0: execute has not begun */
    /* the worker's, read when it is joined */
    bool refused;
    struct error why;
    enum sluice_status status;
    int64_t took_ns;
    uint64_t last_turn;
};

static bool begin_worker(struct run *run, void **worker)
{
    const struct offer *offer = run->offer;
    struct sluice_error said = {.size = sizeof(said)};

    if (offer->worker_init == NULL || offer->worker_init(offer->generation->self, worker, &said))
        return true;
    return error_set(&run->why, "worker_init", "worker_init refused: %.*s",
                     (int)strnlen(said.message, sizeof(said.message)), said.message);
}

static void execute(struct run *run, void *worker)
{
    const struct trial_sample *sample = run->sample;
    const struct offer *offer = run->offer;
    const struct call_task seen = {.task_id = "sample",
                                   .job_id = "00000000000000000000000000",
                                   .type = offer->type->name,
                                   .attempt = 1,
                                   .deadline_ns = clock_now_ns() + sample->timeout_ns};
    CLEANUP(cleanup_free) void *params = malloc(offer->params.struct_bytes + 1);

    uint64_t turn = call_begin(&run->call, &seen);
    run->call.visible.self = offer->generation->self;
    run->call.visible.worker = worker;
    run->refused = !param_table_fill(&offer->params,
                                     (struct params_text){sample->record, sample->record_bytes},
                                     params, &run->call.arena, &run->why);
    atomic_store(&run->turn, turn);
    int64_t began_ns = clock_now_ns();
    if (!run->refused)
        run->status = offer->execute(&run->call.visible, params);
    run->took_ns = clock_now_ns() - began_ns;
    run->last_turn = call_end(&run->call);
}

static void work(void *context)
{
    struct run *run = context;
    const struct offer *offer = run->offer;
    void *worker = NULL;
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    run->refused = !begin_worker(run, &worker);
    if (run->refused)
        return;
    execute(run, worker);
    signals_restore_mask(&mask, offer->generation->plugin);
    if (offer->worker_exit != NULL)
        offer->worker_exit(offer->generation->self, worker);
}

static void tell(const struct run *run, enum finding_result result, int rule, const char *what)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    buffer_printf(&text, "%s: %s", run->offer->type->name, what);
    trial_found(&(struct finding){result, "task", rule, buffer_text(&text)});
}

static void tell_failure(const struct run *run)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    const struct call *call = &run->call;

    buffer_printf(&text, "failed with '%s'%s%s",
                  call->fail_code[0] == '\0' ? "failed" : call->fail_code,
                  call->fail_message[0] == '\0' ? "" : ": ", call->fail_message);
    /* What nobody has asked for in this form may fail: there may be no server at the default. */
    tell(run, run->sample->job != NULL ? FINDING_FAILED : FINDING_WARNING, 0, buffer_text(&text));
}

static void tell_answer(const struct run *run)
{
    char text[128];

    switch (run->status) {
    case SLUICE_OK:
        snprintf(text, sizeof(text), "succeeded in %.3f ms, outputs: %" PRIu32,
                 (double)run->took_ns / NS_PER_MS, run->call.outputs_count);
        tell(run, FINDING_OK, 0, text);
        return;
    case SLUICE_FAILED:
    case SLUICE_FAILED_FOR_GOOD:
        tell_failure(run);
        return;
    case SLUICE_TRY_AGAIN:
        tell(run, FINDING_WARNING, 0, "wants to be tried again later");
        return;
    case SLUICE_CANCELLED:
        tell(run, FINDING_FAILED, 0, "says that it was cancelled, which it was not");
        return;
    }
    snprintf(text, sizeof(text), "invalid status %d", (int)run->status);
    tell(run, FINDING_FAILED, 0, text);
}

static void tell_all(const struct run *run)
{
    char text[96], timeout[32];

    if (run->refused) {
        tell(run, FINDING_FAILED, 0, run->why.message);
    } else if ((run->last_turn & CALL_CANCELLED) == 0) {
        tell_answer(run);
    } else {
        units_format_duration(run->sample->timeout_ns, timeout, sizeof(timeout));
        snprintf(text, sizeof(text), "was cancelled after %s, and then came to an end", timeout);
        tell(run, FINDING_OK, 0, text);
    }
}

/* Waits for the thread, in the end by asking it to stop. */
static bool join(struct thread *thread, struct run *run)
{
    if (thread_join_until(thread, clock_now_ns() + run->sample->timeout_ns))
        return true;
    uint64_t turn = atomic_load(&run->turn);
    if (turn != 0)
        call_cancel(&run->call, turn);
    return thread_join_until(thread, clock_now_ns() + cancel_most_ns);
}

enum trial_sample_end trial_sample_run(const struct trial_sample *sample, const struct offer *offer)
{
    struct run *run = calloc(1, sizeof(*run));
    struct thread *thread = calloc(1, sizeof(*thread));
    char step[SLUICE_NAME_MAX + 32];
    struct error error;

    if (run == NULL || thread == NULL)
        abort();
    run->sample = sample;
    run->offer = offer;
    call_init(&run->call);
    snprintf(step, sizeof(step), "a task of %s ran", offer->type->name);
    trial_step("task", sample->timeout_ns + 2 * cancel_most_ns, step);
    if (!thread_start(thread, "worker", work, run, &error)) {
        trial_found(&(struct finding){FINDING_FAILED, "task", 0, error.message});
    } else if (!join(thread, run)) {
        tell(run, FINDING_FAILED, atomic_load(&run->turn) == 0 ? 0 : 5,
             "does not come back, although it was cancelled a second ago");
        return TRIAL_SAMPLE_STUCK;
    } else {
        tell_all(run);
    }
    call_fini(&run->call);
    free(thread);
    free(run);
    return TRIAL_SAMPLE_BACK;
}
