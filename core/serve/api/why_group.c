/* Why a task does not run that is in a group: what it waits for there, and who has that. */
#include <inttypes.h>
#include <stdio.h>

#include "execute/executor.h"
#include "serve/api/why.h"
#include "support/clock.h"
#include "support/units.h"

enum { HOLDERS_MOST = 5 };

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

void why_say_group(struct why *why, struct group *group, const struct task *task)
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
