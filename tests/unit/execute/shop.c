#include "shop.h"

#include <stdio.h>
#include <string.h>

#include "accept/intake.h"
#include "plugin/generation.h"
#include "plugin/params.h"
#include "support/clock.h"

struct shop shop;

struct shop_params {
    int64_t n;
};

static const struct sluice_param rows[] = {
    SLUICE_INT(struct shop_params, n),
    SLUICE_PARAMS_END,
};

static const struct type types[SHOP_TYPES] = {
    {"plain", SHOP_PLAIN}, {"second", SHOP_SECOND}, {"serial", SHOP_SERIAL}, {"other", SHOP_OTHER}};
static struct offer first_offers[SHOP_OTHER], second_offers[1];
static struct generation first = {
    .plugin = "first", .version = "1.0.0", .offers = first_offers, .offers_count = SHOP_OTHER};
static struct generation second = {
    .plugin = "second", .version = "2.0.0", .offers = second_offers, .offers_count = 1};

static enum sluice_status execute(const struct sluice_call *call, const void *params)
{
    int64_t n = ((const struct shop_params *)params)->n;
    enum sluice_status (*act)(const struct sluice_call *, int64_t) = shop.setup.act;
    atomic_store(&shop.started[atomic_fetch_add(&shop.started_count, 1)], n);
    atomic_fetch_add(&shop.runs[n], 1);
    int inside = atomic_fetch_add(&shop.inside, 1) + 1;
    int most = atomic_load(&shop.inside_most);
    while (inside > most && !atomic_compare_exchange_weak(&shop.inside_most, &most, inside))
        ;
    enum sluice_status status = SLUICE_OK;
    if (act != NULL)
        status = act(call, n);
    atomic_fetch_sub(&shop.inside, 1);
    return status;
}

static struct offer *offer_of(const struct type *type)
{
    return type->number == SHOP_OTHER ? &second_offers[0] : &first_offers[type->number];
}

/* The doubles of plugin/: they link in place of the real ones. */
const struct offer *registry_offer(struct registry *registry, const struct type *type)
{
    (void)registry;
    return offer_of(type);
}

const struct offer *generation_offer(const struct generation *generation, const struct type *type)
{
    struct offer *offer = offer_of(type);
    return offer->generation == generation ? offer : NULL;
}

static void make_offers(void)
{
    struct error error;
    for (uint32_t i = 0; i < SHOP_TYPES; i++) {
        struct offer *offer = offer_of(&types[i]);
        *offer = (struct offer){.type = &types[i],
                                .generation = i == SHOP_OTHER ? &second : &first,
                                .index = i == SHOP_OTHER ? 0 : i,
                                .flags = i == SHOP_SERIAL ? SLUICE_SERIAL : 0,
                                .weight = 1,
                                .worker_init = i == SHOP_SECOND ? shop.setup.worker_init : NULL,
                                .worker_exit = i == SHOP_SECOND ? shop.setup.worker_exit : NULL,
                                .execute = execute};
        cr_assert(param_table_init(&offer->params, rows, sizeof(struct shop_params), &error));
    }
}

void shop_wake(void *unused)
{
    (void)unused;
    mutex_lock(&shop.lock);
    shop.woken = true;
    mutex_unlock(&shop.lock);
    cond_broadcast(&shop.changed);
}

static void tell(void)
{
    mutex_lock(&shop.lock);
    shop.told = true;
    mutex_unlock(&shop.lock);
    cond_broadcast(&shop.changed);
}

static void on_ended(void *context, const struct outcome_record *record)
{
    (void)context;
    if (record->state != TASK_SUCCEEDED) {
        MUTEX_GUARD(&shop.lock);
        snprintf(shop.reason, sizeof shop.reason, "%s", record->attempt->reason);
    }
    if (shop.setup.listen != NULL)
        shop.setup.listen(record->task);
    atomic_fetch_add(&shop.ended[record->state], 1);
    tell();
}

static void on_job_over(void *context, struct job *job)
{
    (void)context;
    (void)job;
    atomic_fetch_add(&shop.jobs_over, 1);
    tell();
}

static void on_job_stops(void *context, struct job *job)
{
    (void)context;
    (void)job;
}

static bool no_delay(void *context, struct task *task, int64_t due_ns)
{
    (void)context;
    (void)task;
    (void)due_ns;
    return false;
}

static struct grant grant_for(struct job *job, int32_t weight)
{
    if (shop.clamp > 0 && weight > shop.clamp)
        weight = shop.clamp;
    shop.in_use += weight;
    if (shop.in_use > shop.in_use_most)
        shop.in_use_most = shop.in_use;
    return (struct grant){.job = job, .weight = weight};
}

static enum gate_answer ask(void *context, struct group *group, struct job *job, int32_t weight,
                            struct grant *grant)
{
    (void)context;
    MUTEX_GUARD(&shop.lock);
    shop.asked_count++;
    if (shop.shut) {
        cr_assert_lt(shop.waiting_count, SHOP_WAITING_MOST);
        shop.waiting[shop.waiting_count++] = (struct shop_asked){group, job, weight};
        return GATE_WAITS;
    }
    *grant = grant_for(job, weight);
    return GATE_GRANTED;
}

/* As if it were about to be granted. */
static bool withdraw(void *context, struct group *group, const struct job *job)
{
    (void)context;
    (void)group;
    (void)job;
    return false;
}

static void give_back(void *context, struct group *group, const struct grant *grant)
{
    (void)context;
    (void)group;
    MUTEX_GUARD(&shop.lock);
    shop.in_use -= grant->weight;
    cr_assert_geq(shop.in_use, 0);
}

static int32_t weigh(void *context, int64_t mean_run_ns)
{
    (void)context;
    return (mean_run_ns == 0 ? 1 : 2) + atomic_fetch_add(&shop.weighed, shop.weigh_more);
}

void shop_open_gate(void)
{
    struct shop_asked asked;
    struct grant grant;
    for (;;) {
        mutex_lock(&shop.lock);
        shop.shut = shop.waiting_count > 0;
        if (!shop.shut)
            break;
        asked = shop.waiting[--shop.waiting_count];
        grant = grant_for(asked.job, asked.weight);
        mutex_unlock(&shop.lock);
        if (!group_granted(asked.group, &grant))
            give_back(NULL, asked.group, &grant);
    }
    mutex_unlock(&shop.lock);
}

/* As the router would get them. */
static void drop_unserved(void *context, struct task_list *tasks)
{
    (void)context;
    for (struct task *task = tasks->head; task != NULL; task = task->next)
        cr_assert_eq(task->state, TASK_READY);
    shop.unserved += shop_drop(tasks);
}

void shop_begin(const struct shop_setup *setup)
{
    struct error error;
    struct store_options store_options = {.describe = task_describe};
    struct outcome_hooks hooks = {.ended = on_ended,
                                  .wants_all = true,
                                  .job_over = on_job_over,
                                  .job_stops = on_job_stops,
                                  .delay = no_delay};
    shop.setup = *setup;
    make_offers();
    mutex_init(&shop.lock);
    cond_init(&shop.changed);
    shop.figures = figures_create();
    room_init(&shop.pending, SHOP_TASKS_MOST);
    chunk_pool_init(&shop.chunks);
    for (int i = 0; i < SHOP_JOBS; i++)
        shop.jobs[i] = job_create(&shop.chunks, "shop", "shop.yaml", JOB_STREAMED);
    shop.store = store_open("memory", &store_options, &error);
    cr_assert_not_null(shop.store);
    shop.inbound = inbound_create(SHOP_TASKS_MOST);
    shop.outcome = outcome_create(&hooks, shop.store, &shop.pending, shop.figures);
    struct executor_options options = {
        .outcome = shop.outcome,
        .gate = setup->admission != NULL ? admission_gate(setup->admission)
                                         : (struct gate){.ask = ask,
                                                         .give_back = give_back,
                                                         .withdraw = withdraw,
                                                         .weigh = weigh},
        .limits = {.grace_ns = setup->grace_ns > 0 ? setup->grace_ns : NS_PER_S,
                   .max_age_ns = setup->max_age_ns > 0 ? setup->max_age_ns : 3600 * NS_PER_S},
        .wake = shop_wake,
        .unserved = drop_unserved};
    shop.executor = executor_create(&options);
    shop.planned_ns = executor_watch(shop.executor, clock_now_ns());
}

void shop_end(void)
{
    SHOP_UNTIL(room_taken(&shop.pending) == 0 && executor_stuck(shop.executor) == 0);
    cr_assert(executor_stop(shop.executor, CLOCK_NEVER_NS));
    executor_destroy(&shop.executor);
    cr_assert_eq(shop.in_use, 0, "%d of weight was not given back", shop.in_use);
    for (int i = 0; i < SHOP_JOBS; i++) {
        job_seal(shop.jobs[i]);
        cr_assert(job_count_ended(shop.jobs[i], TASK_ACCEPTED, 1), "job %d is not over", i);
        job_destroy(&shop.jobs[i]);
    }
    for (int i = 0; i < SHOP_TYPES; i++)
        param_table_fini(&offer_of(&types[i])->params);
    outcome_destroy(&shop.outcome);
    figures_destroy(&shop.figures);
    inbound_destroy(&shop.inbound);
    store_close(&shop.store);
    chunk_pool_fini(&shop.chunks);
    room_fini(&shop.pending);
    cond_fini(&shop.changed);
    mutex_fini(&shop.lock);
}

struct group *shop_group(const char *name, uint32_t workers)
{
    struct group_options options = {
        .name = name, .workers = workers, .serves_many = shop.setup.serves_many};
    return group_create(shop.executor, &options);
}

struct group *shop_weighed_group(uint32_t workers, int32_t max_weight, int32_t reserve)
{
    struct group_options options = {.name = "weighed",
                                    .workers = workers,
                                    .serves_many = shop.setup.serves_many,
                                    .party =
                                        admission_add(shop.setup.admission, max_weight, reserve)};
    return group_create(shop.executor, &options);
}

static void pack_params(struct task *task, const char *name, int64_t n)
{
    struct buffer record = {0};
    params_put_head(&record, SLUICE_KIND_INT, name);
    params_put_int(&record, n);
    char *kept = job_alloc(task->job, record.length, 1);
    memcpy(kept, record.bytes, record.length);
    task->params = kept;
    task->params_bytes = (uint32_t)record.length;
    buffer_fini(&record);
}

static struct task *make_task(const struct shop_task *how, int64_t n)
{
    char id[32];
    uint32_t first_line;
    int length = snprintf(id, sizeof id, "n-%lld", (long long)n);
    struct task *task = job_add_task(shop.jobs[how->job], id, (size_t)length, &first_line);
    pack_params(task, how->damaged ? "m" : "n", n);
    task->type = &types[how->type];
    task->weight = how->weight == SHOP_AUTO ? TASK_WEIGHT_AUTO : how->weight == 0 ? 1 : how->weight;
    task->priority = how->priority;
    task->timeout_ns = how->timeout_ns;
    return task;
}

int64_t shop_push(struct group *group, const struct shop_task *how, int count)
{
    struct intake intake = {.store = shop.store,
                            .inbound = shop.inbound,
                            .pending = &shop.pending,
                            .figures = shop.figures,
                            .delay = no_delay};
    struct task_list list;
    int64_t from = shop.next;
    task_list_init(&list);
    for (int i = 0; i < count; i++)
        task_list_push(&list, make_task(how, shop.next++));
    cr_assert(intake_submit(&intake, &list));
    inbound_take(shop.inbound, &list);
    for (struct task *task = list.head; task != NULL; task = task->next) {
        task->due_ns -= how->age_ns;
        if (shop.each_pushed != NULL)
            shop.each_pushed(task);
    }
    group_push(group, &list);
    cr_assert_eq(list.count, 0);
    return from;
}

void shop_hold(int step)
{
    mutex_lock(&shop.lock);
    shop.told = true;
    cond_broadcast(&shop.changed);
    while (atomic_load(&shop.opened) < step)
        cond_wait(&shop.changed, &shop.lock);
    mutex_unlock(&shop.lock);
}

void shop_open(int step)
{
    atomic_store(&shop.opened, step);
    tell();
}

void shop_step(void)
{
    int64_t until_ns = clock_now_ns() + 10 * NS_PER_MS; /* for conditions that nobody tells of */
    if (until_ns > shop.planned_ns)
        until_ns = shop.planned_ns;
    mutex_lock(&shop.lock);
    while (!shop.woken && !shop.told && cond_wait_until(&shop.changed, &shop.lock, until_ns))
        ;
    bool woken = shop.woken;
    shop.woken = shop.told = false;
    mutex_unlock(&shop.lock);
    int64_t now_ns = clock_now_ns();
    if (woken || now_ns >= shop.planned_ns)
        shop.planned_ns = executor_watch(shop.executor, now_ns);
}

int shop_ended(void)
{
    int ended = 0;
    for (int state = 0; state < TASK_STATE_COUNT; state++)
        ended += atomic_load(&shop.ended[state]);
    return ended;
}

int shop_drop(struct task_list *tasks)
{
    struct outcome_reason reason = {"purged", "purged by the test"};
    struct outcome_tally tally;
    int count = 0;
    outcome_tally_init(&tally);
    for (struct task *task; (task = task_list_pop(tasks)) != NULL; count++)
        outcome_drop(shop.outcome, task, TASK_CANCELLED, &reason, &tally);
    outcome_flush(shop.outcome, &tally);
    return count;
}
