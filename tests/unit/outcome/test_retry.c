#include <criterion/criterion.h>

#include "outcome/retry.h"

static const struct sluice_retry base = {
    .attempts = 5, .backoff = SLUICE_BACKOFF_EXPONENTIAL, .delay_ns = 100};

static struct sluice_retry with_backoff(enum sluice_backoff backoff)
{
    struct sluice_retry policy = base;
    policy.backoff = backoff;
    return policy;
}

static void expect_waits(struct sluice_retry policy, const int64_t waits_ns[4])
{
    for (uint32_t attempt = 1; attempt <= 4; attempt++)
        cr_expect_eq(retry_wait_ns(&policy, attempt, 7), waits_ns[attempt - 1]);
}

Test(retry, a_constant_backoff_waits_the_same_each_time)
{
    expect_waits(with_backoff(SLUICE_BACKOFF_CONSTANT), (int64_t[]){100, 100, 100, 100});
}

Test(retry, a_linear_backoff_waits_the_delay_longer_each_time)
{
    expect_waits(with_backoff(SLUICE_BACKOFF_LINEAR), (int64_t[]){100, 200, 300, 400});
}

Test(retry, an_exponential_backoff_waits_twice_as_long_each_time)
{
    expect_waits(with_backoff(SLUICE_BACKOFF_EXPONENTIAL), (int64_t[]){100, 200, 400, 800});
}

Test(retry, no_wait_is_longer_than_max_delay)
{
    struct sluice_retry policy = base;
    policy.max_delay_ns = 250;
    expect_waits(policy, (int64_t[]){100, 200, 250, 250});
    policy.max_delay_ns = 50;
    expect_waits(policy, (int64_t[]){50, 50, 50, 50});
}

Test(retry, without_max_delay_no_wait_is_longer_than_an_hour_or_the_delay)
{
    struct sluice_retry policy = base;
    cr_expect_eq(retry_wait_ns(&policy, 64, 7), RETRY_WAIT_MOST_NS);
    cr_expect_eq(retry_wait_ns(&policy, UINT32_MAX, 7), RETRY_WAIT_MOST_NS);
    policy.backoff = SLUICE_BACKOFF_LINEAR;
    policy.delay_ns = INT64_MAX / 2;
    cr_expect_eq(retry_wait_ns(&policy, UINT32_MAX, 7), INT64_MAX / 2);
}

Test(retry, jitter_takes_a_part_of_the_delay_away)
{
    struct sluice_retry policy = with_backoff(SLUICE_BACKOFF_CONSTANT);
    int64_t least = INT64_MAX, most = 0;
    policy.delay_ns = 1000 * 1000;
    policy.jitter = 0.25;
    for (uint64_t random = 0; random < 1000; random++) {
        int64_t wait_ns = retry_wait_ns(&policy, 1, random);
        least = wait_ns < least ? wait_ns : least;
        most = wait_ns > most ? wait_ns : most;
    }
    cr_expect(least >= 750 * 1000 && least < 760 * 1000);
    cr_expect(most <= 1000 * 1000 && most > 990 * 1000);
}

Test(retry, a_jitter_of_one_never_makes_a_wait_negative)
{
    struct sluice_retry policy = {.attempts = 2, .delay_ns = INT64_MAX, .jitter = 1};
    for (uint64_t random = 0; random < 1000; random++)
        cr_expect_geq(retry_wait_ns(&policy, 1, random), 0);
}

static bool follows(enum verdict verdict, uint32_t attempt, bool given_up)
{
    struct task task = {.retry = &base, .attempt = attempt};
    return retry_follows(&task, &(struct attempt){.verdict = verdict, .memory_stays = given_up});
}

Test(retry, follows_a_failure_and_a_timeout_and_nothing_else)
{
    cr_expect(follows(VERDICT_FAILED, 1, false));
    cr_expect(follows(VERDICT_TIMED_OUT, 4, false));
    cr_expect_not(follows(VERDICT_OK, 1, false));
    cr_expect_not(follows(VERDICT_FAILED_FOR_GOOD, 1, false));
    cr_expect_not(follows(VERDICT_TRY_AGAIN, 1, false));
    cr_expect_not(follows(VERDICT_CANCELLED, 1, false));
}

Test(retry, does_not_follow_the_last_attempt_or_a_call_that_still_runs)
{
    struct task task = {.attempt = 1};
    cr_expect_not(follows(VERDICT_FAILED, 5, false));
    cr_expect_not(follows(VERDICT_TIMED_OUT, 1, true));
    cr_expect_not(retry_follows(&task, &(struct attempt){.verdict = VERDICT_FAILED}));
}
