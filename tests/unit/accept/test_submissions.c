/* What is sent to a host that goes on, from the text to the tasks in inbound, with the types of the
 * fake registry. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../await.h"
#include "accept/submissions.h"
#include "fake_registry.h"
#include "support/clock.h"
#include "support/thread.h"

enum { ROOM = 10 };

static struct counter {
    struct submissions *submissions;
    struct chunk_pool chunks;
    struct room pending;
    struct job_table *table;
    struct intake intake;
    _Atomic int queue;  /* enum submission_answer of reserve, */
    _Atomic int places; /* and of how many before it is full; below 0: it is not */
    _Atomic int over;
} counter;

/* One that was sent, with what came of it. */
struct parcel {
    struct submission submission;
    _Atomic bool answered;
    enum submission_answer answer;
    size_t jobs_count;
    uint64_t tasks_count;
    size_t errors;
    char message[256], refusal[SUBMISSION_REFUSAL_BYTES], job[JOB_ID_BYTES], name[64];
};

static void on_answered(void *context, struct submission *submission)
{
    struct parcel *parcel = context;
    parcel->answer = submission->answer;
    parcel->jobs_count = submission->jobs_count;
    parcel->tasks_count = submission->tasks_count;
    parcel->errors = submission->diagnostics.found_count;
    if (parcel->errors > 0)
        snprintf(parcel->message, sizeof parcel->message, "%s",
                 submission->diagnostics.kept[0].message);
    snprintf(parcel->refusal, sizeof parcel->refusal, "%s", submission->refusal);
    if (submission->answer == SUBMISSION_ADMITTED) {
        memcpy(parcel->job, submission->jobs[0]->id, JOB_ID_BYTES);
        snprintf(parcel->name, sizeof parcel->name, "%s", submission->jobs[0]->name);
    }
    submission_fini(submission);
    atomic_store(&parcel->answered, true);
}

static void drop(void *context, struct task_list *tasks)
{
    (void)context;
    room_give(&counter.pending, tasks->count);
    task_list_init(tasks);
}

static enum submission_answer reserve(void *context, struct submission *submission)
{
    (void)context;
    snprintf(submission->refusal, sizeof submission->refusal, "the queue");
    if (atomic_load(&counter.places) == 0)
        return SUBMISSION_QUEUE_FULL;
    if (atomic_load(&counter.places) > 0)
        atomic_fetch_sub(&counter.places, 1);
    return (enum submission_answer)atomic_load(&counter.queue);
}

static void job_over(void *context, struct job *job)
{
    (void)context;
    atomic_fetch_add(&counter.over, 1);
    job_table_over(counter.table, job);
}

static void open_counter(enum submissions_overflow overflow)
{
    struct error error;
    struct store_options options = {.describe = task_describe};
    counter.queue = SUBMISSION_ADMITTED;
    counter.places = -1;
    chunk_pool_init(&counter.chunks);
    room_init(&counter.pending, ROOM);
    counter.table = job_table_create();
    counter.intake = (struct intake){.store = store_open("memory", &options, &error),
                                     .inbound = inbound_create(1000),
                                     .pending = &counter.pending,
                                     .figures = figures_create(),
                                     .drop = drop};
    const struct submissions_options all = {.chunks = &counter.chunks,
                                            .intake = counter.intake,
                                            .table = counter.table,
                                            .weight_capacity = 100,
                                            .default_timeout_ns = 3600 * NS_PER_S,
                                            .overflow = overflow,
                                            .reserve = reserve,
                                            .job_over = job_over};
    counter.submissions = submissions_start(&all, &error);
    cr_assert_not_null(counter.submissions);
}

/* Its tasks are ended as those of jobs that were never handed on. */
static void close_counter(void)
{
    struct task_list rest;
    task_list_init(&rest);
    submissions_close(counter.submissions);
    submissions_stop(&counter.submissions);
    inbound_close(counter.intake.inbound);
    inbound_take(counter.intake.inbound, &rest);
    for (struct task *task; (task = task_list_pop(&rest)) != NULL;)
        chunk_release(task->chunk, 1);
    inbound_destroy(&counter.intake.inbound);
    figures_destroy(&counter.intake.figures);
    job_table_destroy(&counter.table);
    store_close(&counter.intake.store);
    room_fini(&counter.pending);
    chunk_pool_fini(&counter.chunks);
}

TestSuite(submissions, .fini = close_counter, .timeout = 60);

static void gather(struct parcel *parcel, enum job_file_root root, const char *text,
                   struct gathering *gathering)
{
    *parcel = (struct parcel){.answered = false};
    submission_init(&parcel->submission, root, text, strlen(text));
    parcel->submission.file = "sent.yaml";
    parcel->submission.context = parcel;
    parcel->submission.answered = on_answered;
    parcel->submission.gathering = gathering;
    submissions_take(counter.submissions, &parcel->submission);
}

static void post(struct parcel *parcel, enum job_file_root root, const char *text)
{
    gather(parcel, root, text, NULL);
}

static bool is_answered(struct parcel *parcel)
{
    return atomic_load(&parcel->answered);
}

static void send_job(struct parcel *parcel, const char *text)
{
    post(parcel, JOB_FILE_JOBS, text);
    AWAIT(is_answered(parcel));
}

#define THREE "version: 1\nname: three\ntasks: [{type: noop}, {type: noop}, {type: noop}]\n"
#define FOUR  "version: 1\ntasks: [{type: noop}, {type: noop}, {type: noop}, {type: noop}]\n"

Test(submissions, a_job_is_read_admitted_and_found_by_its_id)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    send_job(&parcel, THREE);
    cr_assert_eq(parcel.answer, SUBMISSION_ADMITTED);
    cr_assert_eq(parcel.tasks_count, 3);
    cr_assert_str_eq(parcel.name, "three");
    cr_assert_eq(inbound_length(counter.intake.inbound), 3);
    cr_assert_eq(room_taken(&counter.pending), 3);
    struct job *job = job_table_find(counter.table, parcel.job);
    uint32_t number;
    cr_assert_not_null(job);
    cr_assert(job_find_task(job, "noop-2", 6, &number));
    cr_assert_eq(number, 1);
    job_let_go(job);
}

Test(submissions, each_document_is_a_job_and_all_are_admitted_or_none)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    send_job(&parcel, THREE "---\n" FOUR);
    cr_assert_eq(parcel.answer, SUBMISSION_ADMITTED);
    cr_assert_eq(parcel.jobs_count, 2);
    send_job(&parcel, THREE "---\nversion: 1\ntasks: [{type: noop}]\n");
    cr_assert_eq(parcel.answer, SUBMISSION_PENDING_FULL);
    cr_assert_eq(inbound_length(counter.intake.inbound), 7, "nothing of it has come in");
    cr_assert_eq(submissions_refused(counter.submissions, SUBMISSION_PENDING_FULL), 1);
}

Test(submissions, what_is_wrong_is_answered_with_its_errors)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    send_job(&parcel, "version: 1\ntasks: [{type: plan}, {typ: plain}]\n");
    cr_assert_eq(parcel.answer, SUBMISSION_INVALID);
    cr_assert_eq(parcel.errors, 3);
    cr_assert_eq(job_table_count(counter.table), 0);
    cr_assert_eq(room_taken(&counter.pending), 0);
}

Test(submissions, what_never_fits_is_told_apart_from_what_does_not_fit_now)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_WAIT);
    send_job(&parcel, THREE "---\n" FOUR "---\n" FOUR);
    cr_assert_eq(parcel.answer, SUBMISSION_TOO_MANY);
    cr_assert_str_eq(parcel.refusal, "11 tasks are more than max_pending allows in all, 10");
}

Test(submissions, a_group_that_is_full_refuses_and_the_room_is_given_back)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    counter.queue = SUBMISSION_QUEUE_FULL;
    send_job(&parcel, THREE);
    cr_assert_eq(parcel.answer, SUBMISSION_QUEUE_FULL);
    cr_assert_str_eq(parcel.refusal, "the queue");
    cr_assert_eq(room_taken(&counter.pending), 0);
}

Test(submissions, what_may_wait_is_admitted_when_there_is_room)
{
    struct parcel first, second, third;
    open_counter(SUBMISSIONS_WAIT);
    send_job(&first, THREE "---\n" FOUR);
    post(&second, JOB_FILE_JOBS, FOUR);
    send_job(&third, "version: 1\ntasks: [{type: none}]\n");
    cr_assert_eq(third.answer, SUBMISSION_INVALID, "who waits holds up nobody who is only read");
    cr_assert_not(is_answered(&second));
    room_give(&counter.pending, 3);
    AWAIT(is_answered(&second));
    cr_assert_eq(second.answer, SUBMISSION_ADMITTED);
}

static int answered_of(struct parcel *parcels, int count)
{
    int answered = 0;
    for (int i = 0; i < count; i++)
        answered += is_answered(&parcels[i]);
    return answered;
}

Test(submissions, a_large_one_gets_its_turn_before_small_ones_that_came_later)
{
    enum { SMALL = 20 };
    static struct parcel first, large, read, small[SMALL];
    open_counter(SUBMISSIONS_WAIT);
    send_job(&first, THREE "---\n" FOUR);
    post(&large, JOB_FILE_JOBS, FOUR "---\n" FOUR);
    send_job(&read, "version: 1\ntasks: [{type: none}]\n"); /* so the large one was, too */
    for (int i = 0; i < SMALL; i++)
        post(&small[i], i % 2 == 0 ? JOB_FILE_TASK : JOB_FILE_JOBS,
             i % 2 == 0 ? "type: noop\n" : "version: 1\ntasks: [{type: noop}]\n");
    for (int given = 0; given < 5; given++) {
        cr_assert_not(is_answered(&large));
        cr_assert_eq(room_taken(&counter.pending), 7 - given);
        room_give(&counter.pending, 1);
    }
    AWAIT(is_answered(&large));
    cr_assert_eq(large.answer, SUBMISSION_ADMITTED);
    cr_assert_eq(room_taken(&counter.pending), 10, "and no small one has come in");
    for (int i = 0; i < SMALL; i += 2) {
        room_give(&counter.pending, 2);
        AWAIT(answered_of(small, SMALL) == i + 2); /* tasks and jobs are read by two threads */
    }
}

Test(submissions, behind_one_that_waits_for_the_host_nobody_is_tried)
{
    static struct parcel first, large, read, small;
    open_counter(SUBMISSIONS_WAIT);
    send_job(&first, THREE "---\n" FOUR);
    post(&large, JOB_FILE_JOBS, FOUR);
    post(&small, JOB_FILE_JOBS, "version: 1\ntasks: [{type: noop}]\n");
    send_job(&read, "version: 1\ntasks: [{type: none}]\n"); /* so both were read, too */
    cr_assert_not(is_answered(&small), "there is room for three");
    submissions_set_limits(counter.submissions, 100, SUBMISSIONS_REFUSE);
    AWAIT(is_answered(&large));
    cr_assert_eq(large.answer, SUBMISSION_PENDING_FULL);
    AWAIT(is_answered(&small));
    cr_assert_eq(small.answer, SUBMISSION_ADMITTED, "nobody waits any more");
}

Test(submissions, a_single_task_is_answered_within_the_call)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    post(&parcel, JOB_FILE_TASK, "{\"type\":\"noop\",\"id\":\"one\"}");
    cr_assert(is_answered(&parcel));
    cr_assert_eq(parcel.answer, SUBMISSION_ADMITTED);
    cr_assert_str_eq(parcel.name, "noop");
    post(&parcel, JOB_FILE_TASK, "type: noop\nneeds: [other]\n");
    cr_assert_eq(parcel.answer, SUBMISSION_INVALID);
    cr_assert_str_eq(parcel.message, "unknown key 'needs' in a task");
    post(&parcel, JOB_FILE_TASK, "type: noop\n---\ntype: noop\n");
    cr_assert_str_eq(parcel.message, "more than one task");
    post(&parcel, JOB_FILE_TASK, "");
    cr_assert_str_eq(parcel.message, "the file is empty: a task has a 'type'");
    post(&parcel, JOB_FILE_TASK, "[]");
    cr_assert_eq(parcel.answer, SUBMISSION_INVALID);
}

Test(submissions, single_tasks_that_are_gathered_enter_together)
{
    struct parcel parcels[3];
    struct gathering gathering;
    open_counter(SUBMISSIONS_REFUSE);
    gathering_init(&gathering);
    for (size_t i = 0; i < 3; i++) {
        gather(&parcels[i], JOB_FILE_TASK, "type: noop\n", &gathering);
        cr_assert_not(is_answered(&parcels[i]));
    }
    cr_assert_eq(job_table_count(counter.table), 0);
    submissions_admit(counter.submissions, &gathering);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(parcels[i].answer, SUBMISSION_ADMITTED);
    cr_assert_eq(job_table_count(counter.table), 3, "they are known before");
    cr_assert_eq(inbound_length(counter.intake.inbound), 0);
    submissions_enter(counter.submissions, &gathering);
    cr_assert_eq(gathering.tasks.count, 0);
    cr_assert_eq(inbound_length(counter.intake.inbound), 3);
}

Test(submissions, what_is_read_by_another_thread_is_not_gathered)
{
    struct parcel job, task;
    struct gathering gathering;
    open_counter(SUBMISSIONS_WAIT);
    gathering_init(&gathering);
    gather(&job, JOB_FILE_JOBS, THREE "---\n" FOUR "---\n" THREE, &gathering);
    AWAIT(is_answered(&job));
    gather(&task, JOB_FILE_TASK, "type: noop\n", &gathering);
    submissions_admit(counter.submissions, &gathering);
    cr_assert_not(is_answered(&task), "there is no room");
    room_give(&counter.pending, 1);
    AWAIT(is_answered(&task));
    cr_assert_eq(task.answer, SUBMISSION_ADMITTED);
    cr_assert_eq(gathering.tasks.count, 0);
    cr_assert_eq(inbound_length(counter.intake.inbound), 11);
}

Test(submissions, what_was_sent_sees_neither_environment_nor_files)
{
    struct parcel parcel;
    open_counter(SUBMISSIONS_REFUSE);
    send_job(&parcel, "version: 1\ntasks: [{type: noop, id: \"${env.HOME}\"}]\n");
    cr_assert_eq(parcel.answer, SUBMISSION_INVALID);
    cr_assert(strstr(parcel.message, "has no environment") != NULL, "%s", parcel.message);
    send_job(&parcel, "version: 1\ntasks: [{type: noop, for_each: {x: {lines: /etc/passwd}}}]\n");
    cr_assert_eq(parcel.answer, SUBMISSION_INVALID);
    cr_assert(strstr(parcel.message, "files are not read") != NULL, "%s", parcel.message);
}

Test(submissions, when_it_closes_everybody_is_answered)
{
    struct parcel waits, late;
    open_counter(SUBMISSIONS_WAIT);
    counter.queue = SUBMISSION_QUEUE_FULL;
    post(&waits, JOB_FILE_JOBS, THREE);
    post(&late, JOB_FILE_TASK, "type: noop\n");
    submissions_close(counter.submissions);
    AWAIT(is_answered(&waits));
    AWAIT(is_answered(&late));
    cr_assert_eq(waits.answer, SUBMISSION_STOPPING);
    cr_assert_eq(late.answer, SUBMISSION_STOPPING);
    send_job(&late, THREE);
    cr_assert_eq(late.answer, SUBMISSION_STOPPING);
}

/* ---- gatherings ---- */

/* Each parcel, gathered and admitted; tasks that were admitted are left in the gathering. */
static void gather_all(struct parcel *parcels, size_t count, struct gathering *gathering)
{
    gathering_init(gathering);
    for (size_t i = 0; i < count; i++)
        gather(&parcels[i], JOB_FILE_TASK, "type: noop\n", gathering);
    submissions_admit(counter.submissions, gathering);
    cr_assert_null(gathering->read.head);
}

Test(submissions, of_more_than_there_is_room_for_the_first_ones_are_admitted)
{
    static struct parcel parcels[ROOM + 5];
    struct gathering gathering;
    open_counter(SUBMISSIONS_REFUSE);
    gather_all(parcels, ROOM + 5, &gathering);
    for (size_t i = 0; i < ROOM + 5; i++)
        cr_assert_eq(parcels[i].answer, i < ROOM ? SUBMISSION_ADMITTED : SUBMISSION_PENDING_FULL);
    cr_assert_eq(room_taken(&counter.pending), ROOM);
    cr_assert_eq(job_table_count(counter.table), ROOM);
    cr_assert_eq(submissions_refused(counter.submissions, SUBMISSION_PENDING_FULL), 5);
    submissions_enter(counter.submissions, &gathering);
    cr_assert_eq(inbound_length(counter.intake.inbound), ROOM);
}

Test(submissions, a_queue_that_becomes_full_in_the_middle_refuses_the_rest)
{
    static struct parcel parcels[8];
    struct gathering gathering;
    open_counter(SUBMISSIONS_REFUSE);
    counter.places = 3;
    gather_all(parcels, 8, &gathering);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(parcels[i].answer, i < 3 ? SUBMISSION_ADMITTED : SUBMISSION_QUEUE_FULL);
    cr_assert_str_eq(parcels[7].refusal, "the queue");
    cr_assert_eq(room_taken(&counter.pending), 3, "room for the others was given back");
    submissions_enter(counter.submissions, &gathering);
    cr_assert_eq(inbound_length(counter.intake.inbound), 3);
}

Test(submissions, more_than_are_admitted_at_once_enter_in_their_order)
{
    enum { MANY = 200 };
    static struct parcel parcels[MANY];
    struct gathering gathering;
    open_counter(SUBMISSIONS_REFUSE);
    room_set_capacity(&counter.pending, MANY);
    gather_all(parcels, MANY, &gathering);
    cr_assert_eq(gathering.tasks.count, MANY);
    size_t at = 0;
    for (const struct task *task = gathering.tasks.head; task != NULL; task = task->next)
        cr_assert_str_eq(task->job->id, parcels[at++].job);
    submissions_enter(counter.submissions, &gathering);
    cr_assert_eq(room_taken(&counter.pending), MANY);
}

Test(submissions, what_is_gathered_stands_behind_what_waits)
{
    static struct parcel first, large, read, parcels[3];
    struct gathering gathering;
    open_counter(SUBMISSIONS_WAIT);
    send_job(&first, THREE "---\n" FOUR);
    post(&large, JOB_FILE_JOBS, FOUR);
    send_job(&read, "version: 1\ntasks: [{type: none}]\n"); /* so the large one was, too */
    gather_all(parcels, 3, &gathering);
    for (size_t i = 0; i < 3; i++)
        cr_assert_not(is_answered(&parcels[i]), "there is room for three");
    room_give(&counter.pending, 1);
    AWAIT(is_answered(&large));
    for (size_t i = 0; i < 3; i++)
        cr_assert_not(is_answered(&parcels[i]));
    for (size_t i = 0; i < 3; i++) {
        room_give(&counter.pending, 1);
        AWAIT(is_answered(&parcels[i]));
        cr_assert(i == 2 || !is_answered(&parcels[i + 1]));
    }
    cr_assert_eq(gathering.tasks.count, 0, "they have entered by themselves");
    cr_assert_eq(inbound_length(counter.intake.inbound), 14);
}

Test(submissions, what_has_no_room_in_a_gathering_waits_for_it_in_its_order)
{
    static struct parcel parcels[ROOM + 3];
    struct gathering gathering;
    open_counter(SUBMISSIONS_WAIT);
    gather_all(parcels, ROOM + 3, &gathering);
    cr_assert_eq(gathering.tasks.count, ROOM);
    submissions_enter(counter.submissions, &gathering);
    for (size_t i = ROOM; i < ROOM + 3; i++) {
        cr_assert_not(is_answered(&parcels[i]));
        room_give(&counter.pending, 1);
        AWAIT(is_answered(&parcels[i]));
        cr_assert_eq(parcels[i].answer, SUBMISSION_ADMITTED);
    }
}

Test(submissions, what_is_gathered_when_it_closes_is_refused)
{
    static struct parcel parcels[3];
    struct gathering gathering;
    open_counter(SUBMISSIONS_WAIT);
    gathering_init(&gathering);
    for (size_t i = 0; i < 3; i++)
        gather(&parcels[i], JOB_FILE_TASK, "type: noop\n", &gathering);
    submissions_close(counter.submissions);
    submissions_admit(counter.submissions, &gathering);
    for (size_t i = 0; i < 3; i++) {
        AWAIT(is_answered(&parcels[i]));
        cr_assert_eq(parcels[i].answer, SUBMISSION_STOPPING);
    }
    cr_assert_eq(gathering.tasks.count, 0);
}
