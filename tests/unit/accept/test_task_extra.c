#include <criterion/criterion.h>
#include <string.h>

#include "accept/task_extra.h"
#include "read_job.h"
#include "support/cleanup.h"
#include "support/clock.h"

static struct read_job job_read;

static void read_fini(void)
{
    read_job_fini(&job_read);
}

TestSuite(task_extra, .fini = read_fini);

static const char job_text[] =
    "version: 1\ntasks:\n"
    "- {id: plain, type: noop}\n"
    "- {id: second, type: noop, needs: [last], when: always}\n"
    "- {id: all, type: full, needs: [plain, second, last], when: failure, delay: 3s, unique: key,\n"
    "   retry: {attempts: 4, delay: 2s, backoff: linear, max_delay: 9s, jitter: 0.5},\n"
    "   params: {text: \"${tasks.last.status} of ${tasks.plain.output.x}\"}}\n"
    "- {id: last, type: noop}\n";

/* Packs the task with an index. */
static void pack(size_t index, struct buffer *record)
{
    read_job_text(&job_read, job_text);
    cr_assert(job_read.right, "%s", read_job_errors(&job_read));
    job_keep_needs(job_read.job);
    task_extra_pack(read_job_task(&job_read, index), record);
}

Test(task_extra, a_task_of_which_there_is_nothing_to_say_has_none)
{
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    struct task_extra extra;
    pack(0, &record);
    cr_assert_eq(record.length, 0);
    cr_assert(task_extra_read(NULL, 0, &extra));
    cr_assert_eq(extra.when, WHEN_SUCCESS);
    cr_assert_eq(extra.needs.count + extra.late.count, 0);
    cr_assert_null(extra.unique);
    cr_assert_not(extra.has_retry);
}

/* The second task needs the last one, so that comes before it into the store. */
Test(task_extra, everything_that_was_said_is_read)
{
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    struct task_extra extra;
    pack(2, &record);
    const struct job *job = job_read.job;
    cr_assert(task_extra_read(record.bytes, record.length, &extra));
    cr_assert_eq(extra.when, WHEN_FAILURE);
    cr_assert_eq(extra.due_ns, 3 * NS_PER_S);
    cr_assert_str_eq(extra.unique, "key");
    cr_assert(extra.has_retry);
    cr_assert_eq(extra.retry.attempts, 4);
    cr_assert_eq(extra.retry.backoff, SLUICE_BACKOFF_LINEAR);
    cr_assert_eq(extra.retry.delay_ns, 2 * NS_PER_S);
    cr_assert_eq(extra.retry.max_delay_ns, 9 * NS_PER_S);
    cr_assert_float_eq(extra.retry.jitter, 0.5, 1e-12);
    cr_assert_eq(extra.needs.count, 3);
    cr_assert_eq(task_extra_place(&extra.needs, 0), job_place_of(job, 0));
    cr_assert_eq(task_extra_place(&extra.needs, 1), job_place_of(job, 1));
    cr_assert_eq(task_extra_place(&extra.needs, 2), job_place_of(job, 3));
    cr_assert_lt(job_place_of(job, 3), job_place_of(job, 1));
    cr_assert_eq(extra.late.count, 2);
    cr_assert_eq(task_extra_place(&extra.late, 0), job_place_of(job, 3));
    cr_assert_eq(task_extra_place(&extra.late, 1), job_place_of(job, 0));
}

Test(task_extra, of_a_dead_letter_only_retries_and_key_are_kept)
{
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    CLEANUP(buffer_fini) struct buffer plain = BUFFER_EMPTY;
    struct task_extra extra;
    read_job_text(&job_read, job_text);
    task_extra_pack_dead(read_job_task(&job_read, 2), &record);
    cr_assert(task_extra_read(record.bytes, record.length, &extra));
    cr_assert_str_eq(extra.unique, "key");
    cr_assert(extra.has_retry);
    cr_assert_eq(extra.retry.attempts, 4);
    cr_assert_float_eq(extra.retry.jitter, 0.5, 1e-12);
    cr_assert_eq(extra.when, WHEN_SUCCESS);
    cr_assert_eq(extra.due_ns, 0);
    cr_assert_eq(extra.needs.count + extra.late.count, 0);
    task_extra_pack_dead(read_job_task(&job_read, 1), &plain);
    cr_assert_eq(plain.length, 0);
}

Test(task_extra, a_record_that_is_cut_or_longer_is_damaged)
{
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    struct task_extra extra;
    pack(2, &record);
    for (size_t length = 1; length < record.length; length++) {
        char *cut = memcpy(malloc(length), record.bytes, length);
        cr_assert_not(task_extra_read(cut, length, &extra), "of %zu bytes", length);
        free(cut);
    }
    buffer_append(&record, "", 1);
    cr_assert_not(task_extra_read(record.bytes, record.length, &extra));
}

/* What it says then may be wrong, but nothing outside of it is read: the address sanitizer looks. */
Test(task_extra, a_record_with_other_bytes_is_read_within_its_bounds)
{
    CLEANUP(buffer_fini) struct buffer record = BUFFER_EMPTY;
    struct task_extra extra;
    pack(2, &record);
    for (size_t i = 0; i < record.length; i++)
        for (unsigned byte = 0; byte < 256; byte += 5) {
            char *changed = memcpy(malloc(record.length), record.bytes, record.length);
            changed[i] = (char)byte;
            if (task_extra_read(changed, record.length, &extra)) {
                for (uint32_t n = 0; n < extra.needs.count; n++)
                    task_extra_place(&extra.needs, n);
                cr_assert(extra.unique == NULL || strlen(extra.unique) < record.length);
            }
            free(changed);
        }
}
