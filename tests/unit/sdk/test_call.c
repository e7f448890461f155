/* What the header's inline functions do with the host's table. */
#include <criterion/criterion.h>

#include "fake_host.h"

static struct fake fake;

static void setup(void)
{
    fake_init(&fake);
}

static void teardown(void)
{
    fake_fini(&fake);
}

TestSuite(call, .init = setup, .fini = teardown);

Test(call, a_failure_carries_its_code_and_formatted_message)
{
    cr_assert_eq(sluice_fail(&fake.call, "not_found", "no file '%s'", "x"), SLUICE_FAILED);
    cr_assert_eq(fake.fail_status, SLUICE_FAILED);
    cr_assert_str_eq(fake.fail_code, "not_found");
    cr_assert_str_eq(fake.fail_message, "no file 'x'");
}

Test(call, a_failure_for_good_says_so)
{
    cr_assert_eq(sluice_fail_for_good(&fake.call, "gone", "gone"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_eq(fake.fail_status, SLUICE_FAILED_FOR_GOOD);
}

Test(call, a_long_message_is_cut_and_terminated)
{
    sluice_log(&fake.call, SLUICE_ERROR, "%5000d", 1);
    cr_assert_eq(strlen(fake.log), SLUICE_MESSAGE_MAX - 1);
    cr_assert_eq(fake.log_level, SLUICE_ERROR);
}

Test(call, try_again_hands_the_delay_over)
{
    cr_assert_eq(sluice_try_again(&fake.call, 5000), SLUICE_TRY_AGAIN);
    cr_assert_eq(fake.try_again_ns, 5000);
}

Test(call, outputs_arrive_with_and_without_a_length)
{
    cr_assert_eq(sluice_output(&fake.call, "a", "text"), SLUICE_E_OK);
    cr_assert_eq(sluice_output_bytes(&fake.call, "b", "text", 2), SLUICE_E_OK);
    cr_assert_eq(sluice_output(&fake.call, "c", NULL), SLUICE_E_INVALID);
    cr_assert_str_eq(fake_output(&fake, "a"), "text");
    cr_assert_str_eq(fake_output(&fake, "b"), "te");
}

Test(call, what_the_task_is_can_be_asked)
{
    fake.call.self = &fake;
    fake.call.worker = &fake.log;
    cr_assert_str_eq(sluice_task_id(&fake.call), "task");
    cr_assert_str_eq(sluice_job_id(&fake.call), "job");
    cr_assert_str_eq(sluice_idempotency_key(&fake.call), "job:task");
    cr_assert_str_eq(sluice_label(&fake.call, "region"), "sh");
    cr_assert_null(sluice_label(&fake.call, "zone"));
    cr_assert_str_eq(sluice_node(&fake.call), "here");
    cr_assert_eq(sluice_attempt(&fake.call), 1);
    cr_assert_eq(sluice_deadline(&fake.call), INT64_MAX);
    cr_assert_eq(sluice_self(&fake.call), &fake);
    cr_assert_eq(sluice_worker(&fake.call), &fake.log);
}

Test(call, progress_and_memory_and_extensions_come_from_the_host)
{
    sluice_progress(&fake.call, 3, 4);
    cr_assert_eq(fake.progress_done, 3);
    cr_assert_eq(fake.progress_total, 4);
    cr_assert_not_null(sluice_alloc(&fake.call, 100));
    cr_assert_null(sluice_alloc(&fake.call, SLUICE_ALLOC_BYTES_MAX + 1));
    cr_assert_not_null(sluice_extension(fake_host(), "test.extension/1"));
    cr_assert_null(sluice_extension(fake_host(), "test.extension/2"));
}

Test(call, a_member_beyond_the_table_of_an_older_host_is_not_there)
{
    struct sluice_host older = {.size = offsetof(struct sluice_host, get_extension)};
    cr_assert(SLUICE_HOST_HAS(&older, try_again));
    cr_assert_not(SLUICE_HOST_HAS(&older, get_extension));
    older.size = offsetof(struct sluice_host, print) - 1;
    cr_assert_not(SLUICE_HOST_HAS(&older, get_extension));
}

Test(call, what_is_printed_goes_to_the_host_and_an_older_one_says_that_it_cannot)
{
    struct sluice_host older = {.size = offsetof(struct sluice_host, print)};
    cr_assert_eq(sluice_print(&fake.call, "one\ntwo", 5), SLUICE_E_OK);
    cr_assert_str_eq(fake.printed, "one\nt");
    fake.call.host = &older;
    cr_assert_eq(sluice_print(&fake.call, "one", 3), SLUICE_E_NOSUPPORT);
}

Test(call, a_refusal_stays_within_the_room_that_the_host_gives)
{
    struct sluice_error err = {.size = offsetof(struct sluice_error, message) + 8};
    memset(err.message, '!', sizeof err.message);
    cr_assert_not(sluice_error_set(&err, "no key '%s'", "token"));
    cr_assert_str_eq(err.message, "no key ");
    cr_assert_eq(err.message[8], '!');
}

Test(call, a_host_of_another_major_version_is_refused_by_the_plugin)
{
    struct sluice_error err = {.size = sizeof err};
    struct sluice_host other = {.size = sizeof other, .abi_major = 2, .abi_minor = 7};
    cr_assert_not(sluice_host_fits(&other, &err));
    cr_assert_str_eq(err.message, "built for Sluice ABI 1, this host offers 2.7");
    cr_assert(sluice_host_fits(fake_host(), &err));
}
