/* How many calls a group makes at once, in which order, and for which weight. */
#include "execute/internal.h"
#include "shop.h"

static const struct shop_setup usual = {0};

static enum sluice_status hold(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    shop_hold(1);
    return SLUICE_OK;
}

static enum sluice_status yield_a_little(const struct sluice_call *call, int64_t n)
{
    (void)call;
    (void)n;
    sched_yield();
    return SLUICE_OK;
}

static int32_t weight_in_use(void)
{
    MUTEX_GUARD(&shop.lock);
    return shop.in_use;
}

static int waiting_count(void)
{
    MUTEX_GUARD(&shop.lock);
    return shop.waiting_count;
}

Test(group, runs_every_task_exactly_once_with_any_number_of_workers)
{
    enum { EACH = 5000 };
    shop_begin(&usual);
    for (uint32_t workers = 1; workers <= 16; workers *= 2)
        shop_push(shop_group("g", workers), &(struct shop_task){0}, EACH);
    SHOP_UNTIL(shop_ended() == 5 * EACH);
    for (int n = 0; n < 5 * EACH; n++)
        cr_assert_eq(shop.runs[n], 1, "task %d ran %d times", n, shop.runs[n]);
    cr_assert_eq(shop.ended[TASK_SUCCEEDED], 5 * EACH);
    shop_end();
}

Test(group, never_makes_more_calls_at_once_than_it_has_workers)
{
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    shop_push(shop_group("g", 3), &(struct shop_task){0}, 2000);
    SHOP_UNTIL(shop_ended() == 2000);
    cr_assert_leq(shop.inside_most, 3);
    shop_end();
}

Test(group, uses_all_its_workers_for_calls_that_take_long)
{
    shop_begin(&(struct shop_setup){.act = hold});
    struct group *group = shop_group("g", 5);
    shop_push(group, &(struct shop_task){0}, 20);
    SHOP_UNTIL(shop.inside == 5);
    cr_assert_eq(group_load(group).running, 5);
    cr_assert_eq(group_load(group).queued, 15);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 20);
    cr_assert_eq(shop.inside_most, 5);
    shop_end();
}

Test(group, starts_the_highest_priority_first)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    int64_t low = shop_push(group, &(struct shop_task){.priority = -1}, 1);
    SHOP_UNTIL(waiting_count() == 1);
    int64_t usual_one = shop_push(group, &(struct shop_task){0}, 1);
    int64_t high = shop_push(group, &(struct shop_task){.priority = 100}, 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 3);
    cr_assert_eq(shop.started[0], high);
    cr_assert_eq(shop.started[1], usual_one);
    cr_assert_eq(shop.started[2], low);
    shop_end();
}

Test(group, a_task_that_has_waited_longer_than_max_age_goes_first)
{
    shop_begin(&(struct shop_setup){.max_age_ns = 60 * NS_PER_S});
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    shop_push(group, &(struct shop_task){.priority = 100}, 3);
    int64_t old =
        shop_push(group, &(struct shop_task){.priority = -100, .age_ns = 61 * NS_PER_S}, 1);
    SHOP_UNTIL(waiting_count() == 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 4);
    cr_assert_eq(shop.started[0], old);
    shop_end();
}

Test(group, more_workers_begin_at_once)
{
    shop_begin(&(struct shop_setup){.act = hold});
    struct group *group = shop_group("g", 2);
    shop_push(group, &(struct shop_task){0}, 20);
    SHOP_UNTIL(shop.inside == 2);
    group_set_workers(group, 6);
    SHOP_UNTIL(shop.inside == 6);
    cr_assert_eq(group_load(group).workers, 6);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 20);
    cr_assert_eq(shop.inside_most, 6);
    shop_end();
}

static enum sluice_status hold_in_two_steps(const struct sluice_call *call, int64_t n)
{
    (void)call;
    shop_hold(n < 5 ? 1 : 2);
    return SLUICE_OK;
}

Test(group, fewer_workers_let_the_running_calls_end_and_begin_no_more_than_that)
{
    shop_begin(&(struct shop_setup){.act = hold_in_two_steps});
    struct group *group = shop_group("g", 5);
    shop_push(group, &(struct shop_task){0}, 12);
    SHOP_UNTIL(shop.inside == 5);
    group_set_workers(group, 2);
    cr_assert_eq(group_load(group).running, 5);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 5 && shop.inside == 2);
    cr_assert_eq(group_load(group).running, 2);
    shop_open(2);
    SHOP_UNTIL(shop_ended() == 12);
    shop_end();
}

Test(group, a_shorter_max_age_holds_for_what_waits_already)
{
    shop_begin(&(struct shop_setup){.max_age_ns = 60 * NS_PER_S});
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    shop_push(group, &(struct shop_task){.priority = 100}, 3);
    int64_t old =
        shop_push(group, &(struct shop_task){.priority = -100, .age_ns = 50 * NS_PER_S}, 1);
    SHOP_UNTIL(waiting_count() == 1);
    executor_set_limits(shop.executor, &(struct executor_limits){.grace_ns = NS_PER_S,
                                                                 .max_age_ns = 40 * NS_PER_S});
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 4);
    cr_assert_eq(shop.started[0], old);
    shop_end();
}

Test(group, waits_at_the_gate_with_its_tasks_in_the_queue)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 4);
    shop.shut = true;
    shop_push(group, &(struct shop_task){.weight = 3}, 10);
    SHOP_UNTIL(waiting_count() == 1);
    cr_assert_eq(group_load(group).queued, 10);
    cr_assert_eq(shop.started_count, 0);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 10);
    shop_end();
}

Test(group, gives_a_grant_back_that_it_has_no_more_use_for)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    shop_push(group, &(struct shop_task){0}, 10);
    SHOP_UNTIL(waiting_count() == 1);
    executor_purge(shop.executor, NULL, &purged);
    cr_assert_eq(shop_drop(&purged), 10);
    shop_open_gate();
    SHOP_UNTIL(weight_in_use() == 0);
    cr_assert_eq(shop.started_count, 0);
    shop_push(group, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop.ended[TASK_SUCCEEDED] == 1);
    shop_end();
}

Test(group, asks_anew_when_something_heavier_has_come_first)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    shop_push(group, &(struct shop_task){.weight = 1}, 1);
    SHOP_UNTIL(waiting_count() == 1);
    int64_t heavy = shop_push(group, &(struct shop_task){.weight = 50, .priority = 9}, 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 2);
    cr_assert_eq(shop.started[0], heavy);
    cr_assert_geq(shop.in_use_most, 50);
    shop_end();
}

Test(group, asks_anew_when_another_job_has_come_first)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop.shut = true;
    shop_push(group, &(struct shop_task){.job = 0}, 1);
    SHOP_UNTIL(waiting_count() == 1);
    int64_t other = shop_push(group, &(struct shop_task){.job = 1, .priority = 9}, 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 2);
    cr_assert_eq(shop.started[0], other);
    cr_assert_geq(shop.asked_count, 2);
    shop_end();
}

Test(group, runs_a_task_that_is_heavier_than_any_grant)
{
    shop_begin(&usual);
    shop.clamp = 10;
    struct group *group = shop_group("g", 2);
    shop_push(group, &(struct shop_task){.weight = 60}, 20);
    SHOP_UNTIL(shop_ended() == 20);
    shop_end();
}

Test(group, runs_a_task_that_waited_for_less_than_its_weight)
{
    shop_begin(&usual);
    shop.clamp = 10;
    shop.shut = true;
    shop_push(shop_group("g", 1), &(struct shop_task){.weight = 60}, 3);
    SHOP_UNTIL(waiting_count() == 1);
    shop_open_gate();
    SHOP_UNTIL(shop_ended() == 3);
    shop_end();
}

Test(group, a_batch_holds_the_weight_of_its_heaviest_task)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop_push(group, &(struct shop_task){0}, 500); /* the mean is known from here on */
    SHOP_UNTIL(shop_ended() == 500);
    for (int i = 0; i < 50; i++) {
        shop_push(group, &(struct shop_task){.weight = 1}, 3);
        shop_push(group, &(struct shop_task){.weight = 7}, 3);
    }
    SHOP_UNTIL(shop_ended() == 800);
    cr_assert_eq(shop.in_use_most, 7);
    shop_end();
}

enum { LINKS = 2000 };
static struct group *chain;
static int light; /* links that ran while less than their weight was in use */

/* Each link brings the next one, every tenth of weight 2. */
static int32_t link_weight(int64_t n)
{
    return n % 10 == 9 ? 2 : 1;
}

static enum sluice_status bring_next(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (weight_in_use() < link_weight(n))
        light++;
    if (n + 1 < LINKS)
        shop_push(chain, &(struct shop_task){.weight = link_weight(n + 1)}, 1);
    return SLUICE_OK;
}

Test(group, what_comes_while_a_batch_runs_is_taken_under_its_grant_if_that_holds_it)
{
    shop_begin(&(struct shop_setup){.act = bring_next});
    chain = shop_group("chain", 1);
    shop_push(chain, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == LINKS);
    cr_assert_lt(shop.asked_count, LINKS / 2);
    cr_assert_eq(light, 0, "%d links ran with less than their weight", light);
    shop_end();
}

static enum sluice_status pause_at_last(const struct sluice_call *call, int64_t n)
{
    (void)call;
    if (n == LINKS / 2)
        group_pause(chain);
    shop_push(chain, &(struct shop_task){0}, 1);
    return SLUICE_OK;
}

Test(group, what_comes_while_a_batch_runs_is_not_taken_if_the_group_is_paused)
{
    shop_begin(&(struct shop_setup){.act = pause_at_last});
    chain = shop_group("chain", 1);
    shop_push(chain, &(struct shop_task){0}, 1);
    SHOP_UNTIL(shop_ended() == LINKS / 2 + 1 && group_load(chain).running == 0);
    cr_assert_eq(group_load(chain).queued, 1);
    cr_assert_eq(shop.started_count, LINKS / 2 + 1);
    shop.setup.act = NULL;
    group_resume(chain);
    SHOP_UNTIL(shop_ended() == LINKS / 2 + 2);
    shop_end();
}

Test(group, weighs_by_the_measured_time_where_the_weight_is_auto)
{
    struct shop_task automatic = {.weight = SHOP_AUTO};
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop_push(group, &automatic, 1);
    SHOP_UNTIL(shop_ended() == 1 && weight_in_use() == 0);
    cr_assert_eq(shop.in_use_most, 1);
    shop_push(group, &automatic, 1);
    SHOP_UNTIL(shop_ended() == 2);
    cr_assert_eq(shop.in_use_most, 2);
    shop_end();
}

Test(group, starts_a_task_although_its_measured_weight_grows_meanwhile)
{
    shop_begin(&usual);
    shop.weigh_more = 1;
    shop_push(shop_group("g", 2), &(struct shop_task){.weight = SHOP_AUTO}, 20);
    SHOP_UNTIL(shop_ended() == 20);
    shop_end();
}

Test(group, serves_types_of_two_plugins_in_order)
{
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    struct group *group = shop_group("both", 1);
    for (int i = 0; i < 100; i++) {
        shop_push(group, &(struct shop_task){.type = SHOP_PLAIN}, 2);
        shop_push(group, &(struct shop_task){.type = SHOP_OTHER}, 2);
    }
    SHOP_UNTIL(shop_ended() == 400);
    for (int i = 0; i < 400; i++)
        cr_assert_eq(shop.started[i], i);
    cr_assert_eq(shop.inside_most, 1);
    shop_end();
}

Test(group, calls_of_a_serial_type_never_overlap_even_from_two_groups)
{
    shop_begin(&(struct shop_setup){.act = yield_a_little});
    struct group *groups[] = {shop_group("a", 4), shop_group("b", 4)};
    for (int i = 0; i < 200; i++)
        shop_push(groups[i % 2], &(struct shop_task){.type = SHOP_SERIAL}, 5);
    SHOP_UNTIL(shop_ended() == 1000);
    cr_assert_eq(shop.inside_most, 1);
    shop_end();
}

Test(group, one_that_is_full_of_long_calls_does_not_hold_up_another)
{
    shop_begin(&(struct shop_setup){.act = hold});
    shop_push(shop_group("slow", 2), &(struct shop_task){0}, 100);
    SHOP_UNTIL(shop.inside == 2);
    shop.setup.act = NULL;
    shop_push(shop_group("fast", 2), &(struct shop_task){.type = SHOP_SECOND}, 100);
    SHOP_UNTIL(shop_ended() == 100);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 200);
    shop_end();
}

Test(group, after_the_executor_was_closed_tasks_stay_with_who_brings_them)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    struct task task = {.id = "late", .state = TASK_READY};
    struct task_list list;
    task_list_init(&list);
    task_list_push(&list, &task);
    executor_close(shop.executor);
    group_push(group, &list);
    cr_assert_eq(list.head, &task);
    cr_assert_eq(task.state, TASK_READY);
    shop_end();
}

Test(group, what_comes_back_after_the_executor_was_closed_is_given_back)
{
    struct task_list taken;
    task_list_init(&taken);
    shop_begin(&usual);
    shop.shut = true;
    struct group *group = shop_group("g", 1);
    shop_push(group, &(struct shop_task){0}, 3);
    executor_purge(shop.executor, NULL, &taken);
    executor_close(shop.executor);
    group_put_back(group, &taken);
    cr_assert_eq(shop.unserved, 3);
    shop_open_gate();
    shop_end();
}

Test(group, paused_starts_nothing_more_and_goes_on_when_it_is_resumed)
{
    shop_begin(&(struct shop_setup){.act = hold});
    struct group *group = shop_group("g", 2);
    shop_push(group, &(struct shop_task){0}, 10);
    SHOP_UNTIL(shop.inside == 2);
    group_pause(group);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 2);
    shop_push(group, &(struct shop_task){0}, 5);
    struct group *other = shop_group("other", 1);
    shop_push(other, &(struct shop_task){0}, 5);
    SHOP_UNTIL(shop_ended() == 7);
    cr_assert_eq(group_load(group).queued, 13);
    group_resume(group);
    SHOP_UNTIL(shop_ended() == 20);
    shop_end();
}

/* The first call of the batch waits: those behind it in the batch have not started. */
Test(group, paused_takes_the_rest_of_a_batch_back)
{
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    shop_push(group, &(struct shop_task){0}, 500); /* the mean is known from here on */
    SHOP_UNTIL(shop_ended() == 500);
    shop.setup.act = hold;
    shop_push(group, &(struct shop_task){0}, 20);
    SHOP_UNTIL(shop.inside == 1);
    group_pause(group);
    cr_assert_eq(group_load(group).queued, 19);
    cr_assert_eq(group_facts(group).accepted, 19);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 501);
    group_resume(group);
    SHOP_UNTIL(shop_ended() == 520);
    cr_assert_eq(group_facts(group).accepted, 0);
    shop_end();
}

Test(group, paused_can_be_purged)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&usual);
    struct group *group = shop_group("g", 1);
    group_pause(group);
    shop_push(group, &(struct shop_task){0}, 10);
    executor_purge(shop.executor, NULL, &purged);
    cr_assert_eq(shop_drop(&purged), 10);
    shop_end();
}

Test(group, counts_what_it_has_accepted_until_it_starts)
{
    struct task_list purged;
    task_list_init(&purged);
    shop_begin(&(struct shop_setup){.act = hold});
    struct group_options options = {.name = "g", .workers = 1, .number = 4, .queue_capacity = 10};
    struct group *group = group_create(shop.executor, &options);
    cr_assert_not(group_reserve(group, 11));
    cr_assert(group_reserve(group, 7));
    cr_assert_eq(group_room(group), 3);
    cr_assert_not(group_reserve(group, 4));
    group_give_back(group, 7);
    shop_push(group, &(struct shop_task){0}, 8);
    SHOP_UNTIL(shop.inside == 1);
    cr_assert_eq(group_facts(group).accepted, 7);
    group_set_queue_capacity(group, 5); /* what is there stays */
    cr_assert_eq(group_room(group), 0);
    cr_assert_not(group_reserve(group, 1));
    group_set_queue_capacity(group, 0);
    cr_assert_eq(group_room(group), UINT32_MAX);
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 8);
    cr_assert_eq(group_facts(group).accepted, 0);
    shop_end();
}

Test(group, tells_the_facts_of_the_moment)
{
    shop_begin(&(struct shop_setup){.act = hold});
    struct group *group = shop_group("facts", 2);
    cr_assert_eq(group_facts(group).oldest_ns, 0);
    int64_t before_ns = clock_now_ns();
    shop_push(group, &(struct shop_task){0}, 5);
    SHOP_UNTIL(shop.inside == 2);
    struct group_facts facts = group_facts(group);
    cr_assert_str_eq(facts.name, "facts");
    cr_assert_eq(facts.workers, 2);
    cr_assert_eq(facts.running, 2);
    cr_assert_eq(facts.queued, 3);
    cr_assert_eq(facts.stuck, 0);
    cr_assert_not(facts.paused);
    cr_assert(facts.oldest_ns >= before_ns && facts.oldest_ns <= clock_now_ns());
    shop_open(1);
    SHOP_UNTIL(shop_ended() == 5);
    shop_end();
}
