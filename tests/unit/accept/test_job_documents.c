/* A job file of several documents, each read into a job of its own. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "read_job.h"
#include "support/buffer.h"
#include "support/cleanup.h"

#define NOOP "version: 1\ntasks: [{type: noop}]\n"

static const struct job *nth_job(const struct read_job *read, size_t index)
{
    const struct job *job = read->jobs.first;
    for (; index > 0; index--)
        job = job->next;
    return job;
}

/* The label of a job's last task. */
static int last_label(const struct job *job)
{
    const struct sluice_map *labels = job_task(job, job->tasks_count - 1)->labels;
    return atoi(labels->pairs[0].value);
}

Test(job_documents, are_named_after_the_file_and_their_number_unless_they_say_a_name)
{
    struct read_job read;
    read_job_text(&read, NOOP "---\n" NOOP "---\nname: x\n" NOOP "---\n" NOOP);
    cr_assert(read.right, "%s", read_job_errors(&read));
    cr_assert(eq(sz, read.jobs.count, 4));
    cr_assert(eq(str, nth_job(&read, 0)->name, "job"));
    cr_assert(eq(str, nth_job(&read, 1)->name, "job-2"));
    cr_assert(eq(str, nth_job(&read, 2)->name, "x"));
    cr_assert(eq(str, nth_job(&read, 3)->name, "job-4"));
    read_job_fini(&read);
}

Test(job_documents, share_no_ids_no_vars_and_no_defaults)
{
    struct read_job read;
    read_job_text(
        &read, "version: 1\nvars: {v: 1}\ndefaults: {priority: 3}\ntasks: [{id: a, type: noop}]\n"
               "---\nversion: 1\ntasks: [{id: a, type: noop, params: {n: \"${vars.v}\"}}]\n"
               "---\nversion: 1\ntasks: [{id: a, type: noop}]\n");
    cr_assert(
        eq(str, (char *)read_job_errors(&read), "7:42+9 unknown_var the job has no var 'v'\n"));
    cr_assert(eq(int, job_task(nth_job(&read, 0), 0)->priority, 3));
    cr_assert(eq(int, job_task(nth_job(&read, 2), 0)->priority, 0));
    read_job_fini(&read);
}

Test(job_documents, an_empty_one_is_none_at_the_end_and_an_error_elsewhere)
{
    struct read_job read;
    read_job_text(&read, NOOP "---\n# nothing\n");
    cr_assert(read.right, "%s", read_job_errors(&read));
    cr_assert(eq(sz, read.jobs.count, 1));
    read_job_fini(&read);
    read_job_text(&read, "---\n---\n" NOOP "---\n---\n" NOOP);
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "1:1+3 empty the document is empty: a job has 'version' and 'tasks'\n"
                 "5:1+3 empty the document is empty: a job has 'version' and 'tasks'\n"));
    cr_assert(eq(sz, read.jobs.count, 2));
    read_job_fini(&read);
}

Test(job_documents, what_stops_one_does_not_stop_the_next)
{
    struct read_job read;
    read_job_text(&read, "version: 2\ntasks: [{type: nop}]\n"
                         "---\nversion: 1\ntasks: "
                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
                         "---\nversion: 1\ntasks: [{type: nop}]\n---\n- x\n");
    cr_assert(eq(sz, read.diagnostics.found_count, 5), "%s", read_job_errors(&read));
    cr_assert(eq(str, (char *)read.diagnostics.kept[0].code, "version"));
    cr_assert(eq(str, (char *)read.diagnostics.kept[2].code, "too_large"));
    cr_assert(eq(u32, read.diagnostics.kept[3].place.line, 8));
    cr_assert(eq(u32, read.diagnostics.kept[4].place.line, 10));
    read_job_fini(&read);
}

/* Some of them large enough for a parser thread, with more than one byte a character before. */
Test(job_documents, each_can_be_read_a_second_time, .timeout = 60)
{
    enum { DOCUMENTS = 12 };
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;
    struct read_job read;
    buffer_puts(&text, "\xef\xbb\xbf");
    for (int i = 0; i < DOCUMENTS; i++) {
        buffer_puts(&text, "--- # \xc3\xa4\xe2\x82\xac\nversion: 1\ntasks:\n");
        for (int task = 0; task < (i % 4 == 3 ? 10000 : 1); task++)
            buffer_puts(&text, "- {type: noop, labels: {n: \"${vars.n}\"}}\n");
        buffer_printf(&text, "vars: {n: \"%d\"}\n", 100 + i);
    }
    read_job_bytes(&read, text.bytes, text.length);
    cr_assert(read.right, "%s", read_job_errors(&read));
    cr_assert(eq(sz, read.jobs.count, DOCUMENTS));
    for (int i = 0; i < DOCUMENTS; i++) {
        cr_assert(eq(int, last_label(nth_job(&read, (size_t)i)), 100 + i));
        cr_assert(eq(u32, nth_job(&read, (size_t)i)->tasks_count, i % 4 == 3 ? 10000 : 1));
    }
    read_job_fini(&read);
}

Test(job_documents, the_second_reading_of_one_keeps_the_errors_of_those_before)
{
    struct read_job read;
    read_job_text(&read,
                  "version: 1\ntasks: [{type: nop}]\n---\nversion: 1\n"
                  "tasks: [{type: noop, params: {n: \"${vars.n}\"}, colour: red}]\nvars: {n: 1}\n");
    cr_assert(eq(str, (char *)read_job_errors(&read),
                 "2:16+3 unknown_type no plugin has the task type 'nop' = did you mean 'noop'?\n"
                 "5:48+6 unknown_key unknown key 'colour' in a task\n"));
    read_job_fini(&read);
}
