#include "stage.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What an engine's own task would be. */
struct thing {
    char id[32], type[32], params[32];
    struct sluice_pair pair;
    struct sluice_map labels;
};

struct store *stage;
const char *stage_place;
int stage_described;
const char *stage_origin;
char stage_seen[STAGE_SEEN_MOST * 12];
struct stage_task stage_last;
struct store_job stage_last_job;

static struct thing things[STAGE_TASKS_MOST];
static size_t thing_count;

static void describe(const void *handle, struct store_task_given *given)
{
    const struct thing *thing = handle;

    __atomic_fetch_add(&stage_described, 1, __ATOMIC_RELAXED);
    *given = (struct store_task_given){
        .id = thing->id,
        .type = thing->type,
        .params = thing->params,
        .params_bytes = sizeof(thing->params),
        .line = 7,
        .labels = thing->labels.count == 0 ? NULL : &thing->labels,
        .timeout_ns = 30,
        .weight = 4,
        .priority = -5,
    };
}

void stage_open_with(const char *backend, struct store_options options)
{
    struct error error;
    options.describe = describe;
    if (options.place == NULL)
        options.place = stage_place;
    stage = store_open(backend, &options, &error);
    cr_assert_not_null(stage, "%s", error.message);
}

void stage_open(const char *backend, uint64_t finished_max, uint64_t dead_max)
{
    stage_open_with(backend,
                    (struct store_options){.finished_max = finished_max, .dead_max = dead_max});
}

void stage_close(void)
{
    store_close(&stage);
    cr_assert_null(stage);
}

uint64_t stage_job(const char *id)
{
    struct error error;
    uint64_t key;
    struct store_job_given given = {.id = id,
                                    .name = "nightly",
                                    .file = "nightly.yaml",
                                    .document = 2,
                                    .submitted_wall_ns = 1000,
                                    .max_weight = 50,
                                    .fail_fast = true,
                                    .origin = stage_origin};
    cr_assert(store_add_job(stage, &given, &key, &error), "%s", error.message);
    return key;
}

static const struct thing *make_thing(const char *type, const char *region, size_t number)
{
    cr_assert_lt(thing_count, STAGE_TASKS_MOST);
    struct thing *thing = &things[thing_count++];
    snprintf(thing->type, sizeof(thing->type), "%s", type);
    snprintf(thing->id, sizeof(thing->id), "%.20s-%zu", type, number);
    snprintf(thing->params, sizeof(thing->params), "params of %zu", number);
    if (region != NULL) {
        thing->pair = (struct sluice_pair){"region", region};
        thing->labels = (struct sluice_map){1, &thing->pair};
    }
    return thing;
}

void stage_tasks(uint64_t job, const char *type, const char *region, size_t count)
{
    static struct store_new_task tasks[STAGE_TASKS_MOST];
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct store_new_task){.handle = make_thing(type, region, i)};
    cr_assert(store_add_tasks(stage, job, tasks, count, NULL));
}

void stage_heavy(uint64_t job, size_t bytes, size_t count)
{
    enum { HEAVY_MOST = 256 };
    static struct store_new_task tasks[HEAVY_MOST];
    char *extra = calloc(1, bytes);
    cr_assert_leq(count, HEAVY_MOST);
    for (size_t i = 0; i < count; i++)
        tasks[i] = (struct store_new_task){
            .handle = make_thing("heavy", NULL, i), .extra = extra, .extra_bytes = (uint32_t)bytes};
    cr_assert(store_add_tasks(stage, job, tasks, count, NULL));
    free(extra);
}

void stage_delayed(uint64_t job, const char *type, int64_t due_wall_ns)
{
    struct store_new_task task = {.handle = make_thing(type, NULL, 0), .due_wall_ns = due_wall_ns};
    cr_assert(store_add_tasks(stage, job, &task, 1, NULL));
}

uint64_t stage_whole(const char *id, const char *type)
{
    struct store_new_task task = {.handle = make_thing(type, NULL, 0)};
    struct store_whole whole = {
        .given = {.id = id, .name = type, .file = "body"}, .tasks = &task, .count = 1};
    struct error error;
    cr_assert(store_add_wholes(stage, &whole, 1, &error), "%s", error.message);
    return whole.key;
}

void stage_seal(uint64_t job)
{
    cr_assert(store_seal_job(stage, job, NULL));
}

struct store_end stage_end_of(uint64_t job, uint32_t number, enum store_state state)
{
    return (struct store_end){
        .name = {.job = job, .epoch = store_epoch(stage), .number = number, .attempt = 1},
        .state = state,
        .how = {.started_wall_ns = 2000, .ended_wall_ns = 3000, .reason = "", .message = ""},
    };
}

enum store_answer stage_end(struct store_end end)
{
    cr_assert(store_end(stage, &end, 1, NULL));
    return end.answer;
}

enum store_answer stage_end_as(uint64_t job, uint32_t number, enum store_state state)
{
    return stage_end(stage_end_of(job, number, state));
}

enum store_answer stage_retry(uint64_t job, uint32_t number, uint32_t attempt, bool charged,
                              int64_t due_wall_ns)
{
    char message[32];
    snprintf(message, sizeof(message), "attempt %u failed", attempt);
    struct store_retry retry = {
        .name = {.job = job, .epoch = store_epoch(stage), .number = number, .attempt = attempt},
        .how = {.charged = charged,
                .started_wall_ns = 2000,
                .ended_wall_ns = 2500,
                .reason = "busy",
                .message = message},
        .due_wall_ns = due_wall_ns,
    };
    cr_assert(store_retry(stage, &retry, 1, NULL));
    if (retry.answer == STORE_DONE)
        cr_assert_eq(retry.next_attempt, attempt + 1);
    return retry.answer;
}

enum store_answer stage_write_log(uint64_t job, uint32_t number, uint32_t attempt, const char *text)
{
    struct store_written written = {
        .name = {.job = job, .epoch = store_epoch(stage), .number = number, .attempt = attempt},
        .text = text,
        .length = strlen(text),
    };
    cr_assert(store_write_log(stage, &written, 1, NULL));
    return written.answer;
}

static void remember_attempts(const struct store_task *task)
{
    const struct store_attempt *last = &task->attempts[task->attempts_count - 1];
    stage_last.first_attempt = task->attempts[0];
    stage_last.last_attempt = *last;
    snprintf(stage_last.reason, sizeof(stage_last.reason), "%s", last->reason);
    snprintf(stage_last.message, sizeof(stage_last.message), "%s", last->message);
}

static bool see(void *context, const struct store_task *task)
{
    size_t *left = context, length = strlen(stage_seen);

    snprintf(stage_seen + length, sizeof(stage_seen) - length, "%s%llu/%u", length == 0 ? "" : " ",
             (unsigned long long)task->job->key, task->number);
    stage_last = (struct stage_task){.task = *task, .job_key = task->job->key};
    snprintf(stage_last.id, sizeof(stage_last.id), "%s", task->given.id);
    snprintf(stage_last.type, sizeof(stage_last.type), "%s", task->given.type);
    if (task->given.labels != NULL)
        snprintf(stage_last.label, sizeof(stage_last.label), "%s=%s",
                 task->given.labels->pairs[0].key, task->given.labels->pairs[0].value);
    if (task->given.params_bytes == sizeof(stage_last.params))
        memcpy(stage_last.params, task->given.params, sizeof(stage_last.params));
    if (task->attempts_count > 0)
        remember_attempts(task);
    if (task->outputs_bytes <= sizeof(stage_last.outputs) && task->outputs != NULL)
        memcpy(stage_last.outputs, task->outputs, task->outputs_bytes);
    snprintf(stage_last.log, sizeof(stage_last.log), "%.*s", (int)task->log_bytes,
             task->log == NULL ? "" : task->log);
    return --*left > 0;
}

const char *stage_visit_at_most(struct store_query query, size_t most)
{
    stage_seen[0] = '\0';
    cr_assert(store_visit(stage, &query, see, &most, NULL));
    return stage_seen;
}

const char *stage_visit(struct store_query query)
{
    return stage_visit_at_most(query, STAGE_SEEN_MOST);
}

const char *stage_unfinished(void)
{
    return stage_visit((struct store_query){.states = STORE_SET(STORE_UNFINISHED)});
}

const char *stage_requeue(struct store_query query)
{
    size_t most = STAGE_SEEN_MOST;
    stage_seen[0] = '\0';
    cr_assert(store_requeue(stage, &query, see, &most, NULL));
    return stage_seen;
}

const char *stage_requeue_at(uint64_t job, const uint32_t *numbers, size_t count)
{
    struct store_position at[STAGE_SEEN_MOST];
    size_t most = STAGE_SEEN_MOST;
    for (size_t i = 0; i < count; i++)
        at[i] = (struct store_position){job, numbers[i]};
    stage_seen[0] = '\0';
    cr_assert(store_requeue_at(stage, &(struct store_places){at, count}, see, &most, NULL));
    return stage_seen;
}

const char *stage_due(int64_t until_wall_ns, uint32_t limit, bool resume)
{
    size_t most = STAGE_SEEN_MOST;
    struct store_position after = {stage_last.job_key, stage_last.task.number};
    struct store_due due = {until_wall_ns, limit, resume ? &after : NULL,
                            stage_last.task.due_wall_ns};
    stage_seen[0] = '\0';
    cr_assert(store_visit_due(stage, &due, see, &most, NULL));
    return stage_seen;
}

static bool see_job(void *context, const struct store_job *job)
{
    static char name[32], file[32], origin[32];
    *(bool *)context = true;
    stage_last_job = *job;
    snprintf(name, sizeof(name), "%s", job->given.name);
    snprintf(file, sizeof(file), "%s", job->given.file);
    stage_last_job.given.name = name;
    stage_last_job.given.file = file;
    snprintf(origin, sizeof(origin), "%s", job->given.origin == NULL ? "" : job->given.origin);
    stage_last_job.given.origin = job->given.origin == NULL ? NULL : origin;
    return true;
}

bool stage_find_job(const char *id)
{
    bool found = false;
    cr_assert(store_find_job(stage, id, see_job, &found, NULL));
    return found;
}

struct store_counts stage_counts(void)
{
    struct store_counts counts;
    cr_assert(store_count(stage, &counts, NULL));
    return counts;
}
