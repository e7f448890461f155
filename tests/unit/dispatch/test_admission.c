#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "accept/job.h"
#include "dispatch/admission.h"
#include "fakes.h"

static struct admission *admission;
static struct gate gate;
static struct job jobs[2];

static void open_with(int32_t capacity)
{
    admission = admission_create(capacity);
    gate = admission_gate(admission);
}

static struct group *group_with(int32_t max_weight, int32_t reserve)
{
    struct group_options options = {
        .name = "g", .workers = 1, .party = admission_add(admission, max_weight, reserve)};
    return group_create(NULL, &options);
}

/* Asks for the first job; what is granted at once is written down like what is granted later. */
static bool ask_for(struct group *group, struct job *job, int32_t weight)
{
    return gate.ask(gate.context, group, job, weight, &group->grant) == GATE_GRANTED;
}

static bool ask(struct group *group, int32_t weight)
{
    return ask_for(group, &jobs[0], weight);
}

static void give_back(struct group *group)
{
    struct grant grant = group->grant;
    gate.give_back(gate.context, group, &grant);
}

Test(admission, grants_up_to_its_capacity_and_not_more)
{
    open_with(10);
    struct group *groups[] = {group_with(0, 0), group_with(0, 0), group_with(0, 0)};
    cr_assert(ask(groups[0], 6));
    cr_assert(ask(groups[1], 4));
    cr_assert_eq(admission_in_use(admission), 10);
    cr_assert_not(ask(groups[2], 1));
    give_back(groups[1]);
    cr_assert_eq(groups[2]->granted_count, 1);
    cr_assert_eq(admission_in_use(admission), 7);
    give_back(groups[0]);
    give_back(groups[2]);
    cr_assert_eq(admission_in_use(admission), 0);
    admission_destroy(&admission);
    cr_assert_null(admission);
    admission_destroy(&admission);
}

Test(admission, may_not_end_while_something_is_granted, .signal = SIGABRT)
{
    open_with(10);
    ask(group_with(0, 0), 1);
    admission_destroy(&admission);
}

Test(admission, a_heavy_task_is_not_starved_by_light_ones)
{
    open_with(10);
    struct group *lights[] = {group_with(0, 0), group_with(0, 0), group_with(0, 0)};
    struct group *heavy = group_with(0, 0);
    cr_assert(ask(lights[0], 1));
    cr_assert(ask(lights[1], 1));
    cr_assert_not(ask(heavy, 10));
    cr_assert_not(ask(lights[2], 1)); /* there is room, but it came later */
    give_back(lights[0]);
    cr_assert_not(ask(lights[0], 1));
    cr_assert_eq(heavy->granted_count, 0);
    give_back(lights[1]);
    cr_assert_eq(heavy->granted_count, 1);
    cr_assert_eq(fake_granted_count, 1);
    give_back(heavy);
    cr_assert_eq(fake_granted[1], lights[2]);
    cr_assert_eq(fake_granted[2], lights[0]);
    give_back(lights[0]);
    give_back(lights[2]);
    admission_destroy(&admission);
}

Test(admission, a_reserve_is_granted_while_everything_else_is_taken)
{
    open_with(10);
    struct group *reports = group_with(0, 0), *more = group_with(0, 0), *alarm = group_with(0, 3);
    cr_assert(ask(reports, 7));
    cr_assert_not(ask(more, 1));
    cr_assert(ask(alarm, 3));
    cr_assert_eq(alarm->grant.reserved, 3);
    cr_assert_eq(admission_in_use(admission), 10);
    give_back(alarm);
    cr_assert_eq(more->granted_count, 0); /* the reserve is nobody else's */
    give_back(reports);
    cr_assert_eq(more->granted_count, 1);
    give_back(more);
    admission_destroy(&admission);
}

Test(admission, a_group_that_waits_goes_on_its_reserve_as_soon_as_that_is_back)
{
    open_with(10);
    struct group *reports = group_with(0, 0), *heavy = group_with(0, 0), *alarm = group_with(0, 3);
    cr_assert(ask(reports, 7));
    cr_assert(ask(alarm, 3));
    struct grant first = alarm->grant;
    cr_assert_not(ask(heavy, 7));
    cr_assert_not(ask(alarm, 2));
    gate.give_back(gate.context, alarm, &first);
    cr_assert_eq(fake_granted_count, 1);
    cr_assert_eq(fake_granted[0], alarm);
    give_back(reports);
    give_back(alarm);
    give_back(heavy);
    admission_destroy(&admission);
}

Test(admission, a_group_with_a_reserve_may_take_common_weight_too)
{
    open_with(10);
    struct group *alarm = group_with(0, 3), *other = group_with(0, 0);
    cr_assert(ask(alarm, 8));
    cr_assert_eq(alarm->grant.reserved, 3);
    cr_assert(ask(other, 2));
    cr_assert_eq(admission_in_use(admission), 10);
    give_back(alarm);
    give_back(other);
    admission_destroy(&admission);
}

Test(admission, more_reserve_than_capacity_is_a_bug, .signal = SIGABRT)
{
    open_with(10);
    group_with(0, 6);
    group_with(0, 5);
}

Test(admission, a_group_at_its_own_cap_holds_up_nobody)
{
    open_with(10);
    struct group *capped = group_with(2, 0), *other = group_with(0, 0);
    cr_assert(ask(capped, 2));
    struct grant first = capped->grant;
    cr_assert_not(ask(capped, 1));
    cr_assert(ask(other, 8));
    gate.give_back(gate.context, capped, &first);
    cr_assert_eq(capped->granted_count, 1);
    give_back(capped);
    give_back(other);
    admission_destroy(&admission);
}

Test(admission, a_job_at_its_cap_holds_up_only_itself)
{
    open_with(10);
    struct group *a = group_with(0, 0), *b = group_with(0, 0), *c = group_with(0, 0);
    jobs[1].max_weight = 3;
    cr_assert(ask_for(a, &jobs[1], 2));
    cr_assert_not(ask_for(b, &jobs[1], 2));
    cr_assert(ask_for(c, &jobs[0], 8));
    cr_assert_eq(jobs[1].weight_in_use, 2);
    give_back(c);
    cr_assert_eq(b->granted_count, 0);
    give_back(a);
    cr_assert_eq(b->granted_count, 1);
    give_back(b);
    cr_assert_eq(jobs[1].weight_in_use, 0);
    admission_destroy(&admission);
}

Test(admission, two_that_wait_for_the_same_cap_do_not_pass_it_together)
{
    open_with(10);
    struct group *a = group_with(0, 0), *b = group_with(0, 0), *c = group_with(0, 0);
    jobs[0].max_weight = 4;
    cr_assert(ask(a, 4));
    cr_assert_not(ask(b, 3));
    cr_assert_not(ask(c, 3));
    give_back(a);
    cr_assert_eq(fake_granted_count, 1);
    cr_assert_eq(jobs[0].weight_in_use, 3);
    give_back(b);
    cr_assert_eq(fake_granted_count, 2);
    give_back(c);
    admission_destroy(&admission);
}

Test(admission, a_grant_that_is_refused_goes_to_the_next)
{
    open_with(10);
    struct group *first = group_with(0, 0), *idle = group_with(0, 0), *last = group_with(0, 0);
    cr_assert(ask(first, 10));
    cr_assert_not(ask(idle, 10));
    cr_assert_not(ask(last, 10));
    idle->refuses = true;
    give_back(first);
    cr_assert_eq(idle->granted_count, 1);
    cr_assert_eq(last->granted_count, 1);
    cr_assert_eq(admission_in_use(admission), 10);
    give_back(last);
    admission_destroy(&admission);
}

Test(admission, hundreds_of_refusals_in_a_row_end)
{
    open_with(10);
    struct group *first = group_with(0, 0);
    cr_assert(ask(first, 10));
    for (int i = 0; i < 300; i++) {
        struct group *idle = group_with(0, 0);
        idle->refuses = true;
        cr_assert_not(ask(idle, i % 10 + 1));
    }
    give_back(first);
    cr_assert_eq(admission_in_use(admission), 0);
    for (int i = 1; i <= 300; i++)
        cr_assert_eq(fake_groups[i].granted_count, 1);
    admission_destroy(&admission);
}

Test(admission, hundreds_that_wait_all_have_their_turn)
{
    open_with(300);
    struct group *first = group_with(0, 0);
    cr_assert(ask(first, 300));
    for (int i = 0; i < 300; i++)
        cr_assert_not(ask(group_with(0, 0), 1));
    give_back(first);
    for (int i = 0; i < fake_granted_count; i++)
        give_back(fake_granted[i]);
    cr_assert_eq(fake_granted_count, 300);
    for (int i = 0; i < 300; i++)
        cr_assert_eq(fake_granted[i], &fake_groups[i + 1]);
    cr_assert_eq(admission_in_use(admission), 0);
    admission_destroy(&admission);
}

Test(admission, asks_at_most_for_what_can_ever_be_granted)
{
    open_with(10);
    struct group *capped = group_with(4, 0), *free_one = group_with(0, 0);
    struct group *alarm = group_with(0, 3);
    jobs[1].max_weight = 2;
    cr_assert(ask(capped, 100));
    cr_assert_eq(capped->grant.weight, 4);
    give_back(capped);
    cr_assert(ask(free_one, 100));
    cr_assert_eq(free_one->grant.weight, 7);
    give_back(free_one);
    cr_assert(ask(alarm, 100));
    cr_assert_eq(alarm->grant.weight, 10);
    give_back(alarm);
    cr_assert(ask_for(free_one, &jobs[1], 100));
    cr_assert_eq(free_one->grant.weight, 2);
    give_back(free_one);
    admission_destroy(&admission);
}

Test(admission, more_capacity_lets_go_who_waits_in_line_and_no_more)
{
    open_with(4);
    struct group *groups[] = {group_with(0, 0), group_with(0, 0), group_with(0, 0)};
    cr_assert(ask(groups[0], 4));
    cr_assert_not(ask(groups[1], 3));
    cr_assert_not(ask(groups[2], 3));
    admission_set_capacity(admission, 9);
    cr_assert_eq(groups[1]->granted_count, 1);
    cr_assert_eq(groups[2]->granted_count, 0);
    admission_set_capacity(admission, 10);
    cr_assert_eq(groups[2]->granted_count, 1);
    cr_assert_eq(admission_in_use(admission), 10);
    for (int i = 0; i < 3; i++)
        give_back(groups[i]);
    admission_destroy(&admission);
}

Test(admission, less_capacity_leaves_what_is_granted_and_clamps_who_waits)
{
    open_with(10);
    struct group *first = group_with(0, 0), *heavy = group_with(0, 0), *late = group_with(0, 0);
    cr_assert(ask(first, 8));
    cr_assert_not(ask(heavy, 10));
    admission_set_capacity(admission, 5);
    cr_assert_eq(admission_in_use(admission), 8);
    cr_assert_not(ask(late, 1));
    give_back(first);
    cr_assert_eq(heavy->granted_count, 1);
    cr_assert_eq(heavy->grant.weight, 5);
    cr_assert_eq(late->granted_count, 0);
    give_back(heavy);
    cr_assert_eq(late->granted_count, 1);
    give_back(late);
    admission_destroy(&admission);
}

Test(admission, who_waits_with_less_than_its_weight_asks_for_all_of_it_when_there_is_more)
{
    open_with(5);
    struct group *first = group_with(0, 0), *heavy = group_with(0, 0);
    cr_assert(ask(first, 1));
    cr_assert_not(ask(heavy, 100));
    admission_set_capacity(admission, 10);
    cr_assert_eq(heavy->granted_count, 0);
    give_back(first);
    cr_assert_eq(heavy->granted_count, 1);
    cr_assert_eq(heavy->grant.weight, 10);
    give_back(heavy);
    admission_destroy(&admission);
}

Test(admission, a_capacity_below_the_reserves_is_a_bug, .signal = SIGABRT)
{
    open_with(10);
    group_with(0, 6);
    admission_set_capacity(admission, 6);
}

Test(admission, a_cap_that_is_raised_or_lifted_lets_its_group_go)
{
    for (int32_t cap = 0; cap <= 4; cap += 4) {
        open_with(10);
        struct group *capped = group_with(2, 0);
        cr_assert(ask(capped, 2));
        struct grant first = capped->grant;
        cr_assert_not(ask(capped, 2));
        admission_set_cap(admission, capped->options.party, cap);
        cr_assert_eq(capped->granted_count, 1);
        cr_assert_eq(admission_in_use(admission), 4);
        gate.give_back(gate.context, capped, &first);
        give_back(capped);
        admission_destroy(&admission);
    }
}

Test(admission, a_cap_that_is_lowered_holds_its_group_and_nobody_else)
{
    open_with(10);
    struct group *all = group_with(0, 0), *capped = group_with(0, 0), *other = group_with(0, 0);
    cr_assert(ask(capped, 3));
    struct grant first = capped->grant;
    cr_assert(ask(all, 7));
    cr_assert_not(ask(capped, 3));
    cr_assert_not(ask(other, 1));
    admission_set_cap(admission, capped->options.party, 2);
    give_back(all);
    cr_assert_eq(capped->granted_count, 0); /* it has more than its cap already */
    cr_assert_eq(other->granted_count, 1);
    gate.give_back(gate.context, capped, &first);
    cr_assert_eq(capped->granted_count, 1);
    cr_assert_eq(capped->grant.weight, 2);
    give_back(capped);
    give_back(other);
    admission_destroy(&admission);
}

Test(admission, weighs_one_for_each_started_ten_milliseconds_up_to_a_quarter)
{
    open_with(100);
    static const struct {
        int64_t mean_ns;
        int32_t weight;
    } table[] = {{0, 1}, {1, 1}, {10000000, 1}, {10000001, 2}, {95000000, 10}, {INT64_MAX / 2, 25}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        cr_expect_eq(gate.weigh(gate.context, table[i].mean_ns), table[i].weight);
    admission_destroy(&admission);
    for (int32_t capacity = 1; capacity < 8; capacity++) {
        open_with(capacity);
        cr_expect_eq(gate.weigh(gate.context, INT64_MAX / 2), capacity < 8 ? 1 : 2);
        admission_destroy(&admission);
    }
}

/* A random load over groups with caps and reserves and jobs with caps, looked at after each
 * step. */
enum { CAPACITY = 40, GROUPS = 12, GRANTS_MOST = 64 };

static struct load {
    struct group *group;
    int32_t max_weight, reserve;
    bool waits;
    int seen; /* grants of this group that were taken over */
    struct grant grants[GRANTS_MOST];
    int held;
} loads[GROUPS];

static void take_over_grants(void)
{
    for (int i = 0; i < GROUPS; i++) {
        if (loads[i].group->refused_count > 0) {
            cr_assert(loads[i].waits);
            cr_assert_eq(loads[i].group->refused_count--, 1);
            loads[i].waits = false;
        }
        if (loads[i].group->granted_count > loads[i].seen) {
            cr_assert(loads[i].waits);
            cr_assert_eq(loads[i].group->granted_count, ++loads[i].seen);
            loads[i].waits = false;
            loads[i].grants[loads[i].held++] = loads[i].group->grant;
        }
    }
}

static void check_limits(void)
{
    int32_t in_use = 0, common = 0, reserved = 0, by_job[2] = {0};
    for (int i = 0; i < GROUPS; i++) {
        int32_t group_in_use = 0, from_reserve = 0;
        for (int k = 0; k < loads[i].held; k++) {
            group_in_use += loads[i].grants[k].weight;
            from_reserve += loads[i].grants[k].reserved;
            by_job[loads[i].grants[k].job == &jobs[1]] += loads[i].grants[k].weight;
        }
        cr_assert(loads[i].max_weight == 0 || group_in_use <= loads[i].max_weight);
        cr_assert_leq(from_reserve, loads[i].reserve);
        in_use += group_in_use;
        common += group_in_use - from_reserve;
        reserved += loads[i].reserve;
    }
    cr_assert_eq(admission_in_use(admission), in_use);
    cr_assert_leq(in_use, CAPACITY);
    cr_assert_leq(common, CAPACITY - reserved);
    cr_assert_leq(by_job[1], jobs[1].max_weight);
    cr_assert_eq(jobs[1].weight_in_use, by_job[1]);
}

static void ask_at_random(struct load *load)
{
    struct grant grant;
    if (load->waits || load->held == GRANTS_MOST)
        return;
    struct job *job = &jobs[rand() % 2];
    if (gate.ask(gate.context, load->group, job, rand() % 20 + 1, &grant) == GATE_GRANTED)
        load->grants[load->held++] = grant;
    else
        load->waits = true;
}

static bool give_back_at_random(struct load *load)
{
    if (load->held == 0)
        return false;
    int at = rand() % load->held;
    struct grant grant = load->grants[at];
    load->grants[at] = load->grants[--load->held];
    gate.give_back(gate.context, load->group, &grant);
    take_over_grants();
    return true;
}

Test(admission, keeps_every_limit_under_a_random_load_and_forgets_nobody)
{
    open_with(CAPACITY);
    srand(11);
    jobs[1].max_weight = 15;
    for (int i = 0; i < GROUPS; i++) {
        loads[i].max_weight = i % 3 == 0 ? 8 : 0;
        loads[i].reserve = i % 4 == 1 ? 4 : 0;
        loads[i].group = group_with(loads[i].max_weight, loads[i].reserve);
    }
    for (int step = 0; step < 50000; step++) {
        fake_granted_count = 0;
        if (rand() % 2 == 0)
            ask_at_random(&loads[rand() % GROUPS]);
        else
            give_back_at_random(&loads[rand() % GROUPS]);
        check_limits();
    }
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < GROUPS; i++)
            more |= give_back_at_random(&loads[i]);
    }
    for (int i = 0; i < GROUPS; i++)
        cr_assert_not(loads[i].waits, "group %d waits for ever", i);
    cr_assert_eq(admission_in_use(admission), 0);
    admission_destroy(&admission);
}
