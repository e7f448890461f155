/* Why a task does not run, or how it has ended, in a sentence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/router.h"
#include "execute/executor.h"
#include "serve/api/why.h"
#include "serve/stored_json.h"
#include "support/clock.h"

/* ---- by state ---- */

struct open_needs {
    size_t count;
    const struct task *first;
};

static bool count_open(void *context, const struct task *needed)
{
    struct open_needs *open = context;

    if (task_state(needed) >= TASK_SUCCEEDED)
        return true;
    if (open->count++ == 0)
        open->first = needed;
    return true;
}

static void say_needs(struct why *why, const struct task *task)
{
    struct open_needs open = {0};

    why->code = "dependency";
    job_visit_needs(task, count_open, &open);
    if (open.count == 0)
        buffer_puts(&why->text, "all that it needs has just ended");
    else
        buffer_printf(&why->text, "it waits for task '%s', which is %s", open.first->id,
                      task_state_word(task_state(open.first)));
    if (open.count > 1)
        buffer_printf(&why->text, ", and %zu more", open.count - 1);
}

static bool put_due(void *context, const struct store_task *task)
{
    struct why *why = context;
    int64_t left_ns = task->due_wall_ns - clock_wall_ns();
    const char *after = task->attempts_count > 0 ? "for its next attempt" : "for its time";

    if (task->due_wall_ns == 0 || left_ns <= 0)
        buffer_printf(&why->text, "it waits %s, which has just come", after);
    else
        buffer_printf(&why->text, "it waits %s, in %.1f s", after, (double)left_ns / 1e9);
    return false;
}

static void say_parked(struct why *why, const struct task *task)
{
    char text[512];

    if (router_may_run(host_stages(why->api->host)->router, task, text, sizeof(text))) {
        why->code = "queue";
        buffer_puts(&why->text, "it is about to be queued");
        return;
    }
    why->code = strncmp(text, "no plugin", 9) == 0 ? "plugin" : "label";
    buffer_puts(&why->text, text);
}

struct search {
    const struct task *task;
    uint64_t job_key;
    uint32_t number;
    struct running found; /* without its group's name */
    char group[128];
    bool is_found;
};

static void match_running(void *context, const struct running *running)
{
    struct search *search = context;

    if (running->job_key != search->job_key || running->number != search->number)
        return;
    search->found = *running;
    snprintf(search->group, sizeof(search->group), "%s", running->group);
    search->is_found = true;
}

static void say_running(struct why *why, const struct task *task)
{
    struct search search = {
        .task = task, .job_key = task->job->store_key, .number = job_place(task)};

    why->code = "running";
    executor_visit_running(host_stages(why->api->host)->executor, match_running, &search);
    if (!search.is_found) {
        buffer_puts(&why->text, "it runs, and is about to end");
        return;
    }
    buffer_printf(&why->text, "it runs in group '%s', since %.1f s", search.group,
                  (double)(clock_now_ns() - search.found.started_ns) / 1e9);
    if (search.found.progress_total > 0)
        buffer_printf(&why->text, "; it says that %" PRIu64 " of %" PRIu64 " are done",
                      search.found.progress_done, search.found.progress_total);
}

static void say_queued(struct why *why, const struct task *task)
{
    struct group *group = router_charged(host_stages(why->api->host)->router, task);

    if (group != NULL) {
        why_say_group(why, group, task);
        return;
    }
    why->code = "queue";
    buffer_puts(&why->text, "a worker has it in hand");
}

static void say_aside(struct why *why)
{
    struct room *pending = &host_stages(why->api->host)->pending;

    why->code = "room";
    buffer_printf(&why->text,
                  "it waits for room, in its turn: %zu of %zu tasks are pending (max_pending), or "
                  "the inbound queue or that of its group is full",
                  room_taken(pending), room_capacity(pending));
}

static void say_live(struct why *why, const struct api_name *name, const struct task *task)
{
    if (atomic_load(&task->cancelled))
        buffer_puts(&why->text, "it was cancelled, and ends soon: ");
    switch (task_state(task)) {
    case TASK_WAITING:
        say_needs(why, task);
        return;
    case TASK_DELAYED:
        why->code = "time";
        api_visit_task(why->api, name, put_due, why);
        return;
    case TASK_PARKED:
        say_parked(why, task);
        return;
    case TASK_QUEUED:
        say_queued(why, task);
        return;
    case TASK_RUNNING:
        say_running(why, task);
        return;
    case TASK_ACCEPTED:
        if (atomic_load(&task->job->is_aside)) {
            say_aside(why);
            return;
        }
        break;
    case TASK_READY:
    case TASK_SUCCEEDED:
    case TASK_FAILED:
    case TASK_TIMED_OUT:
    case TASK_CRASHED:
    case TASK_CANCELLED:
    case TASK_SKIPPED:
    case TASK_STATE_COUNT:
        break;
    }
    why->code = "queue";
    buffer_puts(&why->text, "it is on its way to its group");
}

/* ---- the answer ---- */

struct told {
    struct api *api;
    json_t *attempts;
    enum store_state state;
    struct buffer text; /* how it has ended */
};

static const char *how_it_ended(enum store_state state)
{
    switch (state) {
    case STORE_UNFINISHED:
    case STORE_STATE_COUNT:
        break;
    case STORE_SUCCEEDED:
        return "it succeeded";
    case STORE_FAILED:
        return "it failed";
    case STORE_TIMED_OUT:
        return "it ran too long";
    case STORE_CRASHED:
        return "it crashed";
    case STORE_CANCELLED:
        return "it was cancelled";
    case STORE_SKIPPED:
        return "it was skipped";
    }
    return "it has not ended";
}

static bool tell(void *context, const struct store_task *task)
{
    struct told *told = context;
    struct isolation_facts isolated;
    const struct store_attempt *last =
        task->attempts_count > 0 ? &task->attempts[task->attempts_count - 1] : NULL;

    told->attempts = stored_attempts_json(task);
    told->state = task->state;
    buffer_puts(&told->text, how_it_ended(task->state));
    if (task->charged > 1)
        buffer_printf(&told->text, " after %" PRIu32 " attempts", task->charged);
    if (last != NULL && last->reason[0] != '\0')
        buffer_printf(&told->text, ": %s", last->reason);
    if (last != NULL && last->message[0] != '\0')
        buffer_printf(&told->text, ": %s", last->message);
    if (task->state == STORE_CRASHED && host_isolates(told->api->host, task->given.type, &isolated))
        buffer_puts(&told->text, "; its type runs in worker processes until its plugin changes");
    return false;
}

static void answer_why(struct http_request *request, const struct told *told, const char *state,
                       const char *code, const char *text)
{
    http_answer_json(request, 200,
                     json_pack("{ss ss ss ss so}", "task", http_path(request, "task"), "state",
                               state, "code", code, "why", text, "attempts", told->attempts));
}

void api_task_why(void *context, struct http_request *request)
{
    struct api *api = context;
    struct why why = {.api = api, .code = ""};
    struct told told = {.api = api};
    struct api_name name;
    struct api_live live;

    if (!api_task_name(request, &name))
        return;
    bool found = api_find_live(api, &name, &live);
    enum task_state state = found ? task_state(live.task) : TASK_SUCCEEDED;
    if (state < TASK_SUCCEEDED)
        say_live(&why, &name, live.task);
    if (found)
        api_let_go(&live);
    if (!api_visit_task(api, &name, tell, &told))
        api_no_task(request);
    else if (state < TASK_SUCCEEDED && told.state == STORE_UNFINISHED)
        answer_why(request, &told, task_state_word(state), why.code, buffer_text(&why.text));
    else
        answer_why(request, &told, store_state_word(told.state),
                   told.state == STORE_UNFINISHED ? "queue" : store_state_word(told.state),
                   buffer_text(&told.text));
    buffer_fini(&why.text);
    buffer_fini(&told.text);
}
