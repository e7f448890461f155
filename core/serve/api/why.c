/* Why a task does not run, or how it has ended, in a sentence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch/router.h"
#include "execute/executor.h"
#include "serve/api/internal.h"
#include "serve/stored_json.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/units.h"

enum { HOLDERS_MOST = 5 };

/* The answer in the making. */
struct why {
    struct api *api;
    const char *code;
    struct buffer text;
};

/* ---- who holds the weight ---- */

struct holder {
    uint64_t job_key;
    uint32_t number;
    int32_t weight;
    int64_t started_ns;
};

struct holders {
    struct holder items[HOLDERS_MOST];
    size_t count, all;
};

static void add_holder(void *context, const struct running *running)
{
    struct holders *holders = context;

    if (running->weight == 0)
        return;
    holders->all++;
    if (holders->count < HOLDERS_MOST)
        holders->items[holders->count++] = (struct holder){running->job_key, running->number,
                                                           running->weight, running->started_ns};
}

struct named {
    struct buffer *text;
    uint32_t number;
};

/* Behind one that was forgotten comes another one. */
static bool put_name(void *context, const struct store_task *task)
{
    const struct named *named = context;

    if (task->number == named->number)
        buffer_printf(named->text, "%s:%s (%s)", task->job->given.id, task->given.id,
                      task->given.type);
    return false;
}

/* The name of a task by its place in the store; one that has just ended has none any more. */
static void put_holder(struct why *why, const struct holder *holder)
{
    struct store_query query = {.job = holder->job_key,
                                .resume = holder->number > 0,
                                .after = {holder->job_key, holder->number - 1},
                                .limit = 1};
    struct named named = {&why->text, holder->number};
    size_t before = why->text.length;
    struct error error;

    store_visit(host_stages(why->api->host)->store, &query, put_name, &named, &error);
    if (why->text.length == before)
        buffer_puts(&why->text, "one that has just ended");
    buffer_printf(&why->text, " %" PRId32 " for %.1f s", holder->weight,
                  (double)(clock_now_ns() - holder->started_ns) / 1e9);
}

static void put_holders(struct why *why)
{
    struct holders holders = {0};

    executor_visit_running(host_stages(why->api->host)->executor, add_holder, &holders);
    for (size_t i = 0; i < holders.count; i++) {
        buffer_puts(&why->text, i == 0 ? "; it is held by " : ", ");
        put_holder(why, &holders.items[i]);
    }
    if (holders.all > holders.count)
        buffer_printf(&why->text, " and %zu more", holders.all - holders.count);
}

/* ---- a task in a group ---- */

static void say_weight(struct why *why, const char *group, const struct gate_reason *reason)
{
    static const char *const limits[] = {
        [GATE_OF_HOST] = "the host", [GATE_OF_GROUP] = "its group", [GATE_OF_JOB] = "its job"};

    why->code = "weight";
    switch (reason->limit) {
    case GATE_OF_HOST:
    case GATE_OF_GROUP:
    case GATE_OF_JOB:
        buffer_printf(&why->text,
                      "it waits for weight: it needs %" PRId32 ", and %" PRId32 " of %" PRId32
                      " of %s are in use",
                      reason->needs, reason->in_use, reason->most, limits[reason->limit]);
        put_holders(why);
        return;
    case GATE_IN_LINE:
        buffer_printf(&why->text,
                      "it waits for weight: it needs %" PRId32 ", and other groups came first",
                      reason->needs);
        put_holders(why);
        return;
    case GATE_FREE:
        break;
    }
    why->code = "queue";
    buffer_printf(&why->text, "it is about to start in group '%s'", group);
}

static void say_start(struct why *why, const char *group, const struct group_start *start)
{
    char span[32];
    int64_t left_ns = start->again_ns - clock_now_ns();

    buffer_printf(&why->text,
                  "worker processes of group '%s' do not start, %" PRIu32
                  " times in a row: %s; the next try is in %s",
                  group, start->failures, start->why,
                  units_format_duration(left_ns > 0 ? left_ns / NS_PER_MS * NS_PER_MS : 0, span,
                                        sizeof(span)));
}

static void say_group(struct why *why, struct group *group, const struct task *task)
{
    struct group_reason reason = group_explain(group, task);
    const char *name = group_name(group);

    switch (reason.why) {
    case GROUP_IS_PAUSED:
        why->code = "paused";
        buffer_printf(&why->text, "its group '%s' is paused", name);
        return;
    case GROUP_IS_BUSY:
        why->code = "worker";
        buffer_printf(&why->text,
                      "it waits for a worker: all %" PRIu32
                      " of group '%s' are busy, and %zu tasks "
                      "wait there",
                      reason.workers, name, reason.queued);
        put_holders(why);
        return;
    case GROUP_NEEDS_WEIGHT:
        say_weight(why, name, &reason.weight);
        return;
    case GROUP_NEEDS_TURN:
        why->code = "serial";
        buffer_printf(&why->text, "its type '%s' runs one call at a time, and one is in progress",
                      task->type->name);
        return;
    case GROUP_HAS_OTHERS:
        why->code = "queue";
        buffer_printf(&why->text, "its turn in group '%s' has not come: %zu tasks wait there", name,
                      reason.queued);
        return;
    case GROUP_STARTS_FAIL:
        why->code = "worker_start";
        say_start(why, name, &reason.start);
        return;
    case GROUP_HAS_NO_PLUGIN:
        why->code = "plugin";
        buffer_printf(&why->text, "no plugin serves its type '%s' now", task->type->name);
        return;
    }
}

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
        say_group(why, group, task);
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
