#include <criterion/criterion.h>

#include <string.h>

#include "read_job.h"
#include "support/clock.h"

static struct read_job job_read;

static void read_fini(void)
{
    read_job_fini(&job_read);
}

TestSuite(job_retry, .fini = read_fini);

/* Reads one task; returns its policy. */
static const struct sluice_retry *policy_of(const char *text)
{
    read_job_text(&job_read, text);
    cr_assert(job_read.right, "%s", read_job_errors(&job_read));
    return read_job_task(&job_read, 0)->retry;
}

Test(job_retry, without_retry_one_attempt_is_all)
{
    cr_assert_null(policy_of("version: 1\ntasks: [{type: noop}]\n"));
}

Test(job_retry, one_attempt_is_no_retry)
{
    cr_assert_null(policy_of("version: 1\ntasks: [{type: heavy, retry: {attempts: 1}}]\n"));
}

Test(job_retry, keys_that_nobody_gives_have_defaults)
{
    const struct sluice_retry *policy =
        policy_of("version: 1\ntasks: [{type: noop, retry: {attempts: 3}}]\n");
    cr_assert_eq(policy->attempts, 3);
    cr_assert_eq(policy->delay_ns, NS_PER_S);
    cr_assert_eq(policy->backoff, SLUICE_BACKOFF_EXPONENTIAL);
    cr_assert_eq(policy->max_delay_ns, 0);
    cr_assert_float_eq(policy->jitter, 0.1, 1e-12);
}

Test(job_retry, every_key_is_read)
{
    const struct sluice_retry *policy =
        policy_of("version: 1\ntasks:\n- type: noop\n  retry: {attempts: 7, delay: 500ms, "
                  "backoff: constant, max_delay: 30s, jitter: 0.2}\n");
    cr_assert_eq(policy->attempts, 7);
    cr_assert_eq(policy->delay_ns, 500 * NS_PER_MS);
    cr_assert_eq(policy->backoff, SLUICE_BACKOFF_CONSTANT);
    cr_assert_eq(policy->max_delay_ns, 30 * NS_PER_S);
    cr_assert_float_eq(policy->jitter, 0.2, 1e-12);
}

Test(job_retry, the_type_says_what_nobody_else_says)
{
    const struct sluice_retry *policy =
        policy_of("version: 1\ndefaults: {retry: {delay: 9ns}}\n"
                  "tasks: [{type: heavy, retry: {backoff: constant}}]\n");
    cr_assert_eq(policy->attempts, 4);
    cr_assert_eq(policy->delay_ns, 9);
    cr_assert_eq(policy->backoff, SLUICE_BACKOFF_CONSTANT);
}

Test(job_retry, a_merge_brings_in_the_keys_that_are_not_there)
{
    const struct sluice_retry *policy =
        policy_of("version: 1\ndefaults: {retry: &all {attempts: 5, delay: 3ns}}\n"
                  "tasks: [{type: noop, retry: {<<: *all, delay: 4ns}}]\n");
    cr_assert_eq(policy->attempts, 5);
    cr_assert_eq(policy->delay_ns, 4);
}

Test(job_retry, tasks_that_look_alike_share_one_policy_within_a_chunk)
{
    char text[64 * 300] = "version: 1\ndefaults: {retry: {attempts: 2}}\ntasks:\n";
    for (int i = 0; i < 300; i++)
        strcat(text, i == 2 ? "- {type: noop, retry: {attempts: 3}}\n" : "- {type: noop}\n");
    policy_of(text);
    cr_assert_eq(read_job_task(&job_read, 0)->retry, read_job_task(&job_read, 1)->retry);
    cr_assert_eq(read_job_task(&job_read, 2)->retry->attempts, 3);
    cr_assert_eq(read_job_task(&job_read, 3)->retry, read_job_task(&job_read, 255)->retry);
    cr_assert_neq(read_job_task(&job_read, 255)->retry, read_job_task(&job_read, 256)->retry);
    cr_assert_eq(read_job_task(&job_read, 299)->retry->attempts, 2);
}
