#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "plugin/call.h"
#include "support/clock.h"
#include "support/thread.h"

static struct call call;
static const struct sluice_call *visible = &call.visible;

static const struct sluice_pair label_pairs[] = {{"disk", "ssd"}, {"region", "sh"}};
static const struct sluice_map labels = {2, label_pairs};
static const struct call_task task = {
    .task_id = "hash-1",
    .job_id = "01J",
    .idempotency_key = "01J:hash-1",
    .type = "hash",
    .labels = &labels,
    .attempt = 3,
    .deadline_ns = 12345,
};

static void setup(void)
{
    call_init(&call);
}

static void teardown(void)
{
    call_fini(&call);
}

TestSuite(call, .init = setup, .fini = teardown);

static bool is_readable(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1;
}

Test(call, tells_a_plugin_about_its_task)
{
    call_begin(&call, &task);
    cr_assert_str_eq(sluice_task_id(visible), "hash-1");
    cr_assert_str_eq(sluice_job_id(visible), "01J");
    cr_assert_str_eq(sluice_idempotency_key(visible), "01J:hash-1");
    cr_assert_eq(sluice_attempt(visible), 3);
    cr_assert_eq(sluice_deadline(visible), 12345);
    cr_assert_str_eq(sluice_label(visible, "region"), "sh");
    cr_assert_null(sluice_label(visible, "regio"));
    cr_assert_null(sluice_label(visible, NULL));
    cr_assert_gt(strlen(sluice_node(visible)), 0);
    cr_assert_null(sluice_extension(visible->host, "sluice.nothing/1"));
    call_end(&call);
}

Test(call, a_task_without_labels_has_none)
{
    struct call_task bare = task;
    bare.labels = NULL;
    call_begin(&call, &bare);
    cr_assert_null(sluice_label(visible, "region"));
    call_end(&call);
}

Test(call, outputs_stand_in_the_order_they_were_first_set_and_the_last_value_wins)
{
    static const char expected[] = "a\0third, longer\0b\0second";
    call_begin(&call, &task);
    cr_assert_eq(sluice_output(visible, "a", "first"), SLUICE_E_OK);
    cr_assert_eq(sluice_output_bytes(visible, "b", "second...", 6), SLUICE_E_OK);
    cr_assert_eq(sluice_output(visible, "a", "third, longer"), SLUICE_E_OK);
    cr_assert_eq(call.outputs.length, sizeof expected);
    cr_assert_eq(memcmp(call.outputs.bytes, expected, sizeof expected), 0);
    cr_assert_eq(call.outputs_count, 2);
    cr_assert_eq(call.outputs_doubled, 1);
    call_end(&call);
    call_begin(&call, &task);
    cr_assert_eq(call.outputs.length, 0);
    call_end(&call);
}

Test(call, an_output_that_cannot_be_kept_changes_nothing)
{
    call_begin(&call, &task);
    cr_assert_eq(sluice_output(visible, NULL, "x"), SLUICE_E_INVALID);
    cr_assert_eq(sluice_output(visible, "", "x"), SLUICE_E_INVALID);
    cr_assert_eq(sluice_output(visible, "a b", "x"), SLUICE_E_INVALID);
    cr_assert_eq(sluice_output(visible, "a", NULL), SLUICE_E_INVALID);
    cr_assert_eq(sluice_output_bytes(visible, "a", "x\0y", 3), SLUICE_E_INVALID);
    cr_assert_eq(sluice_output_bytes(visible, "a", "x", SIZE_MAX), SLUICE_E_TOO_BIG);
    cr_assert_eq(call.outputs.length, 0);
    call_end(&call);
}

Test(call, outputs_hold_64_names_and_64_kib_in_all)
{
    static char text[CALL_OUTPUTS_MOST_BYTES];
    call_begin(&call, &task);
    for (int i = 0; i < CALL_OUTPUTS_MOST; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        cr_assert_eq(sluice_output(visible, name, ""), SLUICE_E_OK);
    }
    cr_assert_eq(sluice_output(visible, "more", ""), SLUICE_E_TOO_BIG);
    cr_assert_eq(sluice_output(visible, "n0", "again"), SLUICE_E_OK);
    call_end(&call);
    call_begin(&call, &task);
    memset(text, 'x', sizeof text);
    cr_assert_eq(sluice_output_bytes(visible, "a", text, sizeof text - 2), SLUICE_E_TOO_BIG);
    cr_assert_eq(sluice_output_bytes(visible, "a", text, sizeof text - 3), SLUICE_E_OK);
    cr_assert_eq(sluice_output(visible, "b", ""), SLUICE_E_TOO_BIG);
    cr_assert_eq(sluice_output_bytes(visible, "a", text, sizeof text - 2), SLUICE_E_TOO_BIG);
    cr_assert_eq(call.outputs.length, sizeof text);
    call_end(&call);
}

Test(call, memory_is_zeroed_aligned_and_limited)
{
    for (int round = 0; round < 2; round++) {
        call_begin(&call, &task);
        char *bytes = sluice_alloc(visible, 1000);
        cr_assert_eq((uintptr_t)bytes % 16, 0);
        for (int i = 0; i < 1000; i++)
            cr_assert_eq(bytes[i], 0);
        memset(bytes, 1, 1000);
        cr_assert_not_null(sluice_alloc(visible, 0));
        cr_assert_null(sluice_alloc(visible, SIZE_MAX));
        cr_assert_null(sluice_alloc(visible, CALL_ALLOC_MOST_BYTES));
        cr_assert_not_null(sluice_alloc(visible, CALL_ALLOC_MOST_BYTES - 1000));
        cr_assert_null(sluice_alloc(visible, 1));
        call_end(&call);
    }
}

Test(call, a_failure_keeps_its_code_and_message_until_the_next_call)
{
    call_begin(&call, &task);
    cr_assert_eq(sluice_fail(visible, "not_found", "no file %d", 7), SLUICE_FAILED);
    cr_assert_str_eq(call.fail_code, "not_found");
    cr_assert_str_eq(call.fail_message, "no file 7");
    cr_assert_eq(sluice_fail_for_good(visible, "Not a code", "x"), SLUICE_FAILED_FOR_GOOD);
    cr_assert_str_eq(call.fail_code, "failed");
    visible->host->fail(visible, SLUICE_FAILED, NULL, NULL);
    cr_assert_str_eq(call.fail_message, "");
    cr_assert_eq(sluice_try_again(visible, 5), SLUICE_TRY_AGAIN);
    cr_assert_eq(call.try_again_ns, 5);
    sluice_try_again(visible, -5);
    cr_assert_eq(call.try_again_ns, 0);
    sluice_fail(visible, "a", "b");
    call_end(&call);
    call_begin(&call, &task);
    cr_assert_str_eq(call.fail_code, "");
    cr_assert_str_eq(call.fail_message, "");
    call_end(&call);
}

Test(call, progress_is_seen_from_outside)
{
    call_begin(&call, &task);
    sluice_progress(visible, 3, 10);
    cr_assert_eq(call.progress->done, 3);
    cr_assert_eq(call.progress->total, 10);
    call_end(&call);
}

static void keep(void *context, const char *text, size_t length)
{
    buffer_append(context, text, length);
}

/* Keeps what is logged and printed until the test ends. */
static struct buffer *keep_log(void)
{
    static struct buffer kept;
    call.keep_log = keep;
    call.keep_context = &kept;
    return &kept;
}

Test(call, what_is_printed_is_kept_as_it_is_but_for_nul)
{
    struct buffer *kept = keep_log();
    call_begin(&call, &task);
    cr_assert_eq(sluice_print(visible, "a\0b\n\xff", 5), SLUICE_E_OK);
    cr_assert_eq(sluice_print(visible, "c\n", 2), SLUICE_E_OK);
    cr_assert_eq(sluice_print(visible, NULL, 0), SLUICE_E_OK);
    cr_assert_eq(sluice_print(visible, NULL, 1), SLUICE_E_INVALID);
    call_end(&call);
    cr_assert_str_eq(buffer_text(kept), "a?b\n\xff" "c\n");
}

Test(call, nul_bytes_are_masked_however_many_are_printed_at_once)
{
    static char zeros[100000];
    struct buffer *kept = keep_log();
    call_begin(&call, &task);
    sluice_print(visible, zeros, sizeof zeros);
    call_end(&call);
    cr_assert_eq(kept->length, sizeof zeros + 1);
    cr_assert_null(memchr(kept->bytes, 0, kept->length));
}

Test(call, a_log_line_and_the_next_call_begin_lines_of_their_own)
{
    struct buffer *kept = keep_log();
    call_begin(&call, &task);
    sluice_print(visible, "half", 4);
    sluice_log(visible, SLUICE_INFO, "whole");
    sluice_print(visible, "rest", 4);
    call_end(&call);
    call_begin(&call, &task);
    sluice_log(visible, SLUICE_INFO, "again");
    call_end(&call);
    const char *text = buffer_text(kept);
    cr_assert_eq(strncmp(text, "half\n20", 7), 0, "%s", text);
    cr_assert_not_null(strstr(text, "Z info whole\nrest\n20"), "%s", text);
}

Test(call, without_a_log_that_is_kept_printing_does_nothing)
{
    call_begin(&call, &task);
    cr_assert_eq(sluice_print(visible, "x", 1), SLUICE_E_OK);
    call_end(&call);
}

Test(call, a_cancel_hits_the_named_call_and_no_other)
{
    uint64_t first = call_begin(&call, &task);
    call_end(&call);
    uint64_t second = call_begin(&call, &task);
    cr_assert_not(call_cancel(&call, first));
    cr_assert_not(sluice_cancelled(visible));
    cr_assert(call_cancel(&call, second));
    cr_assert(sluice_cancelled(visible));
    cr_assert_not(call_cancel(&call, second));
    cr_assert_neq(call_end(&call) & CALL_CANCELLED, 0);
    cr_assert_not(call_cancel(&call, second));
    call_begin(&call, &task);
    cr_assert_not(sluice_cancelled(visible));
    cr_assert_eq(call_end(&call) & (CALL_CANCELLED | CALL_STUCK), 0);
}

Test(call, the_descriptor_is_readable_once_cancelled_and_not_in_the_next_call)
{
    uint64_t turn = call_begin(&call, &task);
    int fd = sluice_cancel_fd(visible);
    cr_assert_not(is_readable(fd));
    call_cancel(&call, turn);
    cr_assert(is_readable(fd));
    call_end(&call);
    turn = call_begin(&call, &task);
    cr_assert_eq(sluice_cancel_fd(visible), fd);
    cr_assert_not(is_readable(fd));
    call_cancel(&call, turn);
    call_end(&call);
}

Test(call, a_descriptor_made_after_the_cancel_is_readable_at_once)
{
    uint64_t turn = call_begin(&call, &task);
    call_cancel(&call, turn);
    cr_assert(is_readable(sluice_cancel_fd(visible)));
    call_end(&call);
}

Test(call, a_call_that_was_given_up_is_told_so_at_its_end)
{
    uint64_t turn = call_begin(&call, &task);
    call_cancel(&call, turn);
    cr_assert(call_give_up(&call, turn));
    cr_assert_not(call_give_up(&call, turn));
    cr_assert_neq(call_end(&call) & CALL_STUCK, 0);
    turn = call_begin(&call, &task);
    call_end(&call);
    cr_assert_not(call_give_up(&call, turn));
}

Test(call, a_wait_lasts_its_time)
{
    call_begin(&call, &task);
    int64_t before = clock_now_ns();
    cr_assert(sluice_wait(visible, 5 * NS_PER_MS));
    cr_assert_geq(clock_now_ns() - before, 5 * NS_PER_MS);
    cr_assert(sluice_wait(visible, 0));
    cr_assert(sluice_wait(visible, INT64_MIN));
    call_end(&call);
}

struct canceller {
    _Atomic uint64_t turn; /* 0: nothing to do */
    _Atomic bool stop;
    uint64_t done;
};

static void cancel_each(void *context)
{
    struct canceller *canceller = context;
    while (!atomic_load(&canceller->stop)) {
        uint64_t turn = atomic_load(&canceller->turn);
        if (turn != 0)
            canceller->done += call_cancel(&call, turn);
    }
}

Test(call, a_wait_ends_when_the_call_is_cancelled, .timeout = 60)
{
    struct canceller canceller = {0};
    struct thread thread;
    cr_assert(thread_start(&thread, "cancel", cancel_each, &canceller, NULL));
    for (int i = 0; i < 100; i++) {
        atomic_store(&canceller.turn, call_begin(&call, &task));
        cr_assert_not(sluice_wait(visible, INT64_MAX));
        call_end(&call);
    }
    atomic_store(&canceller.stop, true);
    thread_join(&thread);
    cr_assert_eq(canceller.done, 100);
}

Test(call, cancels_that_race_with_the_end_of_calls_never_leak_into_the_next, .timeout = 60)
{
    struct canceller cancellers[2] = {0};
    struct thread threads[2];
    uint64_t cancelled = 0;
    for (int i = 0; i < 2; i++)
        cr_assert(thread_start(&threads[i], "cancel", cancel_each, &cancellers[i], NULL));
    for (int i = 0; i < 20000; i++) {
        uint64_t turn = call_begin(&call, &task);
        if (i == 10000)
            sluice_cancel_fd(visible);
        for (int k = 0; k < 2; k++)
            atomic_store(&cancellers[k].turn, turn);
        cancelled += (call_end(&call) & CALL_CANCELLED) != 0;
        if (i >= 10000 && i % 16 == 0) {
            call_begin(&call, &task); /* nobody knows this one */
            cr_assert_not(sluice_cancelled(visible));
            cr_assert_not(is_readable(sluice_cancel_fd(visible)));
            call_end(&call);
        }
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&cancellers[i].stop, true);
        thread_join(&threads[i]);
    }
    cr_assert_eq(cancellers[0].done + cancellers[1].done, cancelled);
}
