#include "desk.h"

#include <string.h>

#include "outcome/claim.h"

TestSuite(claim, .init = desk_begin, .fini = desk_end);

static struct task *unique_task(int job, const char *key)
{
    struct task *task = desk_task(job);
    task->unique = key;
    return task;
}

static void end_all(struct task *const tasks[], size_t count)
{
    static const struct outcome_reason reason = {"gone", "no use"};
    for (size_t i = 0; i < count; i++)
        outcome_drop(desk.outcome, tasks[i], TASK_CANCELLED, &reason, &desk.tally);
    outcome_flush(desk.outcome, &desk.tally);
}

Test(claim, a_key_is_held_by_one_task_until_that_has_ended)
{
    struct task *tasks[] = {unique_task(0, "key"), unique_task(0, "key"), unique_task(0, "other")};
    struct claim claim;
    cr_assert(claim_take(&claim, desk.store, tasks[0]));
    cr_assert_not(claim_take(&claim, desk.store, tasks[1]));
    cr_assert_str_eq(claim.reason.word, "unique");
    cr_assert_not_null(strstr(claim.reason.message, "'t-0' is waiting or running"));
    cr_assert(claim_take(&claim, desk.store, tasks[2]));
    end_all(tasks, 1);
    cr_assert(claim_take(&claim, desk.store, tasks[1]));
    end_all(tasks + 1, 2);
}

Test(claim, a_task_that_does_not_hold_its_key_gives_nothing_back)
{
    struct task *tasks[] = {unique_task(0, "key"), unique_task(0, "key"), unique_task(0, "key")};
    struct claim claim;
    cr_assert(claim_take(&claim, desk.store, tasks[0]));
    end_all(tasks + 1, 1);
    cr_assert_not(claim_take(&claim, desk.store, tasks[2]));
    end_all(tasks, 1);
    end_all(tasks + 2, 1);
}

Test(claim, the_task_of_another_job_is_named_with_its_job)
{
    struct task *tasks[] = {unique_task(0, "key"), unique_task(1, "key")};
    char name[STORE_HOLDER_BYTES];
    struct claim claim;
    cr_assert(claim_take(&claim, desk.store, tasks[0]));
    cr_assert_not(claim_take(&claim, desk.store, tasks[1]));
    snprintf(name, sizeof name, "'%s:t-0'", desk.jobs[0]->id);
    cr_assert_not_null(strstr(claim.reason.message, name));
    end_all(tasks, 2);
}

Test(claim, a_task_whose_key_the_store_does_not_take_is_told_why)
{
    struct task *tasks[] = {unique_task(0, "key"), unique_task(0, "other")};
    struct error error;
    struct claim claim;
    struct store *store = store_open(
        "memory", &(struct store_options){.describe = task_describe, .claims_max = 1}, &error);
    cr_assert(claim_take(&claim, store, tasks[0]));
    cr_assert_not(claim_take(&claim, store, tasks[1]));
    cr_assert_str_eq(claim.reason.word, "keys_full");
    cr_assert_not_null(strstr(claim.reason.message, "1 keys are held, the most allowed"));
    claim_give_back(store, tasks[0]);
    cr_assert(claim_take(&claim, store, tasks[1]));
    store_close(&store);
    end_all(tasks, 2);
}

Test(claim, a_key_is_free_only_when_the_store_knows_of_the_end)
{
    struct task *task = desk_running(0);
    struct store_counts before, counts;
    struct error error;
    struct claim claim;
    task->unique = "key";
    cr_assert(claim_take(&claim, desk.store, task));
    cr_assert(store_count(desk.store, &before, &error));
    desk_finish(task, VERDICT_OK);
    cr_assert(store_count(desk.store, &counts, &error));
    cr_assert_eq(before.claims - counts.claims, 1);
    cr_assert_eq(before.by_state[STORE_UNFINISHED] - counts.by_state[STORE_UNFINISHED], 1);
    outcome_flush(desk.outcome, &desk.tally);
}
