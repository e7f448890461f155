#include "../await.h"
#include "accept/job.h"
#include "dispatch/dispatcher.h"
#include "fakes.h"

static const struct sluice_map no_labels = {0};
static const struct sluice_pair sh_pairs[] = {{"region", "sh"}};
static const struct sluice_map sh = {1, sh_pairs};
static const struct sluice_pair bj_pairs[] = {{"region", "bj"}};
static const struct sluice_map bj = {1, bj_pairs};

/* Dispatchers at work, with the tasks that they were given. */
static struct yard {
    struct inbound *inbound;
    struct admission *admission;
    struct router *router;
    struct dispatchers *dispatchers;
    struct job jobs[2];
    struct mutex lock;
    struct task_list dropped; /* guarded by lock */
    _Atomic int parked;
} yard;

static void drop(void *context, struct task_list *tasks)
{
    cr_assert_eq(context, &yard);
    MUTEX_GUARD(&yard.lock);
    task_list_append(&yard.dropped, tasks);
}

static void parked(void *context)
{
    cr_assert_eq(context, &yard);
    yard.parked++;
}

static void yard_begin(const struct router_group *groups, size_t groups_count, size_t threads)
{
    struct error error;
    mutex_init(&yard.lock);
    task_list_init(&yard.dropped);
    yard.inbound = inbound_create(1000);
    yard.admission = admission_create(100);
    struct router_options router_options = {.admission = yard.admission,
                                            .groups = groups,
                                            .groups_count = groups_count,
                                            .default_workers = 1};
    yard.router = router_create(&router_options);
    struct dispatcher_options options = {.inbound = yard.inbound,
                                         .router = yard.router,
                                         .scheduler = &scheduler_round_robin,
                                         .context = &yard,
                                         .drop = drop,
                                         .parked = parked};
    yard.dispatchers = dispatchers_start(&options, threads, &error);
    cr_assert_not_null(yard.dispatchers);
}

static struct task task_of(uint32_t number, int type, const struct sluice_map *labels)
{
    return (struct task){.id = "t",
                         .number = number,
                         .job = &yard.jobs[0],
                         .type = &fake_types[type],
                         .labels = labels,
                         .state = TASK_READY};
}

static void send(struct task *tasks, size_t count)
{
    struct task_list list;
    task_list_init(&list);
    for (size_t i = 0; i < count; i++)
        task_list_push(&list, &tasks[i]);
    inbound_push(yard.inbound, &list);
    cr_assert_eq(list.count, 0);
}

/* All that was sent is with a group, dropped or parked afterwards. */
static void yard_stop(void)
{
    inbound_close(yard.inbound);
    dispatchers_stop(&yard.dispatchers);
    cr_assert_null(yard.dispatchers);
}

static void yard_end(void)
{
    struct task_list rest;
    task_list_init(&rest);
    router_unpark(yard.router, &rest);
    router_destroy(&yard.router);
    admission_destroy(&yard.admission);
    inbound_destroy(&yard.inbound);
    mutex_fini(&yard.lock);
}

Test(dispatcher, brings_each_type_to_its_group_in_order)
{
    static struct task tasks[3000];
    yard_begin(NULL, 0, 1);
    for (uint32_t i = 0; i < 3000; i++)
        tasks[i] = task_of(i, (int)(i % 3), NULL);
    send(tasks, 3000);
    yard_stop();
    cr_assert_eq(fake_groups_count, 3);
    for (uint32_t type = 0; type < 3; type++) {
        cr_assert_eq(fake_groups[type].got.count, 1000);
        for (uint32_t i = type; i < 3000; i += 3)
            cr_assert_eq(task_list_pop(&fake_groups[type].got)->number, i);
    }
    yard_end();
}

Test(dispatcher, spreads_tasks_evenly_over_the_groups_of_their_type)
{
    static const struct router_group groups[] = {
        {.name = "a", .type = "t*", .labels = &no_labels, .workers = 1},
        {.name = "b", .type = "t*", .labels = &no_labels, .workers = 1},
        {.name = "c", .type = "t*", .labels = &no_labels, .workers = 1}};
    static struct task tasks[999];
    yard_begin(groups, 3, 1);
    for (uint32_t i = 0; i < 999; i++)
        tasks[i] = task_of(i, 0, NULL);
    send(tasks, 999);
    yard_stop();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(fake_groups[i].got.count, 333);
    yard_end();
}

Test(dispatcher, takes_labels_as_a_hard_filter)
{
    static const struct router_group groups[] = {
        {.name = "sh", .type = "t*", .labels = &sh, .workers = 1},
        {.name = "sh too", .type = "t*", .labels = &sh, .workers = 1},
        {.name = "bj", .type = "t*", .labels = &bj, .workers = 1}};
    static struct task tasks[900];
    static const struct sluice_map *const labels[] = {&sh, &bj, &bj};
    yard_begin(groups, 3, 1);
    for (uint32_t i = 0; i < 900; i++)
        tasks[i] = task_of(i, 0, labels[i % 3]);
    send(tasks, 900);
    yard_stop();
    cr_assert_eq(fake_groups[2].got.count, 600);
    for (struct task *task; (task = task_list_pop(&fake_groups[2].got)) != NULL;)
        cr_assert_eq(task->labels, &bj);
    cr_assert_eq(fake_groups[0].got.count, 150);
    cr_assert_eq(fake_groups[1].got.count, 150);
    yard_end();
}

Test(dispatcher, parks_what_nobody_may_run_and_says_so)
{
    struct task tasks[] = {task_of(0, 0, &bj), task_of(1, 1, &bj), task_of(2, 2, NULL)};
    yard_begin(NULL, 0, 1);
    send(tasks, 3);
    AWAIT(yard.parked == 2);
    cr_assert_eq(router_parked(yard.router), 2);
    yard_stop();
    cr_assert_eq(tasks[0].state, TASK_PARKED);
    cr_assert_eq(tasks[1].state, TASK_PARKED);
    cr_assert_eq(tasks[2].state, TASK_READY);
    yard_end();
}

Test(dispatcher, drops_the_tasks_of_a_job_that_stops)
{
    struct task tasks[10];
    yard_begin(NULL, 0, 1);
    yard.jobs[1].stop = JOB_FAILED_FAST;
    for (uint32_t i = 0; i < 10; i++) {
        tasks[i] = task_of(i, 0, NULL);
        tasks[i].job = &yard.jobs[i % 2];
    }
    send(tasks, 10);
    yard_stop();
    cr_assert_eq(yard.dropped.count, 5);
    cr_assert_eq(fake_groups[0].got.count, 5);
    cr_assert_eq(yard.dropped.head, &tasks[1]);
    yard_end();
}

Test(dispatcher, drops_what_a_closed_group_does_not_take)
{
    struct task tasks[] = {task_of(0, 0, NULL), task_of(1, 0, NULL)};
    yard_begin(NULL, 0, 1);
    fake_groups[0].closed = true; /* group_create leaves it so */
    send(tasks, 2);
    yard_stop();
    cr_assert_eq(yard.dropped.count, 2);
    cr_assert_eq(fake_groups[0].got.count, 0);
    yard_end();
}

Test(dispatcher, many_threads_and_groups_lose_and_double_nothing)
{
    enum { COUNT = 20000, GROUPS = 150 };
    static struct router_group groups[GROUPS];
    static char names[GROUPS][16];
    static struct task tasks[COUNT];
    static bool seen[COUNT];
    for (int i = 0; i < GROUPS; i++) {
        snprintf(names[i], sizeof names[i], "group %d", i);
        groups[i] = (struct router_group){
            .name = names[i], .type = "t[0-7]", .labels = i % 2 ? &sh : &bj, .workers = 1};
    }
    yard_begin(groups, GROUPS, 4);
    for (uint32_t i = 0; i < COUNT; i++)
        tasks[i] = task_of(i, (int)(i / 3 % 10), i % 5 == 0 ? &sh : NULL);
    for (uint32_t i = 0; i < COUNT; i += 100)
        send(&tasks[i], 100);
    yard_stop();
    size_t total = router_parked(yard.router);
    for (int i = 0; i < fake_groups_count; i++)
        for (struct task *task; (task = task_list_pop(&fake_groups[i].got)) != NULL; total++) {
            cr_assert_not(seen[task->number]);
            seen[task->number] = true;
        }
    cr_assert_eq(total, COUNT);
    yard_end();
}

static const struct router_group uneven[] = {
    {.name = "slow", .type = "t*", .labels = &no_labels, .workers = 1},
    {.name = "fast", .type = "t*", .labels = &no_labels, .workers = 4}};

Test(dispatcher, another_scheduler_is_asked_from_the_next_plan_on)
{
    static struct task tasks[200];
    yard_begin(uneven, 2, 1);
    for (uint32_t i = 0; i < 200; i++)
        tasks[i] = task_of(i, 0, NULL);
    send(tasks, 100);
    AWAIT(fake_groups[0].got.count + fake_groups[1].got.count == 100);
    cr_assert_eq(fake_groups[0].got.count, 50);
    dispatchers_set_scheduler(yard.dispatchers, &scheduler_load_aware);
    send(tasks + 100, 100);
    yard_stop();
    cr_assert_eq(fake_groups[0].got.count, 70); /* the fakes say that nothing is queued */
    cr_assert_eq(fake_groups[1].got.count, 130);
    yard_end();
}

/* All of them are planned before any is pushed: what the groups say of themselves is not enough. */
Test(dispatcher, counts_what_it_has_not_pushed_yet_as_load)
{
    static struct task tasks[500];
    yard_begin(uneven, 2, 1);
    dispatchers_set_scheduler(yard.dispatchers, &scheduler_load_aware);
    for (uint32_t i = 0; i < 500; i++)
        tasks[i] = task_of(i, (int)(i % 2), NULL);
    send(tasks, 500);
    yard_stop();
    cr_assert_eq(fake_groups[0].got.count, 100);
    cr_assert_eq(fake_groups[1].got.count, 400);
    yard_end();
}

static void switch_schedulers(void *stopping)
{
    while (!atomic_load((_Atomic bool *)stopping)) {
        dispatchers_set_scheduler(yard.dispatchers, &scheduler_tag_based);
        dispatchers_set_scheduler(yard.dispatchers, &scheduler_round_robin);
        dispatchers_set_scheduler(yard.dispatchers, &scheduler_load_aware);
    }
}

Test(dispatcher, switching_schedulers_under_load_loses_and_doubles_nothing)
{
    enum { COUNT = 20000 };
    static struct task tasks[COUNT];
    static bool seen[COUNT];
    static _Atomic bool stopping;
    struct thread switcher;
    struct error error;
    size_t total = 0;
    yard_begin(uneven, 2, 3);
    cr_assert(thread_start(&switcher, "switcher", switch_schedulers, (void *)&stopping, &error));
    for (uint32_t i = 0; i < COUNT; i++)
        tasks[i] = task_of(i, 0, NULL);
    for (uint32_t i = 0; i < COUNT; i += 50)
        send(&tasks[i], 50);
    atomic_store(&stopping, true);
    thread_join(&switcher);
    yard_stop();
    for (int i = 0; i < 2; i++)
        for (struct task *task; (task = task_list_pop(&fake_groups[i].got)) != NULL; total++) {
            cr_assert_not(seen[task->number]);
            seen[task->number] = true;
        }
    cr_assert_eq(total, COUNT);
    yard_end();
}

Test(dispatcher, a_place_that_was_reserved_in_another_group_is_given_back)
{
    static struct task tasks[2];
    const char *full;
    struct task_list list;
    yard_begin(uneven, 2, 1);
    for (uint32_t i = 0; i < 2; i++)
        tasks[i] = task_of(i, 0, NULL);
    task_list_init(&list);
    task_list_push(&list, &tasks[0]);
    task_list_push(&list, &tasks[1]);
    cr_assert(router_reserve(yard.router, &list, &(struct router_turn){0},
                             &full)); /* both in the first */
    cr_assert_eq(fake_groups[0].accepted, 2);
    send(tasks, 2);
    yard_stop();
    cr_assert_eq(fake_groups[0].accepted, 1);
    cr_assert_eq(fake_groups[1].got.head->charged, 0); /* the group itself counts it */
    yard_end();
}
