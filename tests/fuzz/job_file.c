/* job_file: libFuzzer reads each input as a job file, the way `check` does and the way `run
 * --stream` does, with the types of the unit tests in place of plugins. Beyond crashes it looks for
 * a wrong file without an error, an error that says nothing or has no place in the file, and a file
 * that may stream but not be checked. Started by run.sh. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "accept/job_file.h"
#include "accept/job_file/yaml_feed.h"
#include "accept/late.h"
#include "support/clock.h"

enum {
    PIPE_MOST_BYTES = 64 * 1024,
    COMMENT_BYTES = YAML_FEED_AHEAD_LEAST_BYTES, /* makes it large: parsed ahead, by a thread */
    WEIGHT_CAPACITY = 100,
};

/* One input, read once. */
struct reading {
    enum job_mode mode;
    enum job_file_answer answer;
    uint32_t taken; /* JOB_STREAMED: tasks handed on */
    uint32_t tasks; /* read, of all jobs */
    struct chunk_pool pool;
    struct job_list jobs;
    struct diagnostics diagnostics;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* The input itself can be the items of a for_each: `lines: /proc/self/fd/100`. Others are in this
 * folder. */
enum { SELF_FD = 100 };
#define ITEMS TEST_SOURCE_DIR "/tests/fuzz/items/"

static void expect(bool right, const char *sentence)
{
    if (right)
        return;
    fprintf(stderr, "job_file: not so: %s\n", sentence);
    abort();
}

static bool take(void *context, struct task_list *tasks)
{
    struct reading *reading = context;
    for (struct task *task; (task = task_list_pop(tasks)) != NULL;) {
        reading->taken++;
        if (task->late)
            late_release(task);
        chunk_release(task->chunk, 1);
    }
    return true;
}

/* --set vars.set=7, where a job has such a variable. */
static const struct job_setting setting = {"set", "7"};
static bool has_setting;

/* From a file, or if there is a text, from that. */
static void reading_init(struct reading *reading, int fd, enum job_mode mode, const char *text,
                         size_t length)
{
    const struct job_file_options options = {.weight_capacity = WEIGHT_CAPACITY,
                                             .default_timeout_ns = 3600 * NS_PER_S,
                                             .take = take,
                                             .context = reading,
                                             .settings = &setting,
                                             .settings_count = has_setting,
                                             .stop_fd = -1};
    *reading = (struct reading){.mode = mode};
    chunk_pool_init(&reading->pool);
    diagnostics_init(&reading->diagnostics, "job.yaml");
    struct job_file *file = text != NULL
                                ? job_file_open_text(text, length, &options, &reading->diagnostics)
                                : job_file_open(fd, mode, &options, &reading->diagnostics);
    while (job_file_next(file)) {
        struct job *job = job_create(&reading->pool, NULL, ITEMS "job.yaml", mode);
        job_list_add(&reading->jobs, job);
        job_file_read(file, job);
        reading->tasks += job->tasks_count;
    }
    reading->answer = job_file_close(&file);
}

static void reading_fini(struct reading *reading)
{
    job_list_fini(&reading->jobs);
    chunk_pool_fini(&reading->pool);
    diagnostics_fini(&reading->diagnostics);
}

static void expect_places(const struct diagnostics *diagnostics, const uint8_t *data, size_t length)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += data[i] == '\n' || data[i] == '\r';
    for (size_t i = 0; i < diagnostics->kept_count; i++) {
        const struct diagnostic *one = &diagnostics->kept[i];
        expect(one->message[0] != '\0', "an error says something");
        expect(one->code != NULL && one->code[0] != '\0', "an error has a code");
        expect(one->place.line <= lines + 1, "an error has its place in the file");
        expect(one->excerpt == NULL || strpbrk(one->excerpt, "\r\n\033") == NULL,
               "an excerpt is one line without control characters");
    }
}

static void print_text(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    diagnostics_print(diagnostics, memory, true);
    fclose(memory);
    expect(length > 0, "errors are printed");
    free(text);
}

static void print_json(const struct diagnostics *diagnostics)
{
    char *text = diagnostics_json(diagnostics);
    expect(text[0] == '[' && text[1] == '{', "errors are printed as JSON");
    free(text);
}

static void expect_jobs(const struct job_list *jobs)
{
    expect(jobs->count > 0, "a right file has jobs");
    for (const struct job *job = jobs->first; job != NULL; job = job->next)
        expect(job->tasks_count > 0, "a right job has tasks");
}

/* Two jobs are the same if their names and numbers of tasks are. */
static void expect_same(const struct job_list *checked, const struct job_list *streamed)
{
    const struct job *other = streamed->first;
    expect(checked->count == streamed->count, "both ways give the same jobs");
    for (const struct job *job = checked->first; job != NULL; job = job->next) {
        expect(strcmp(job->name, other->name) == 0, "both ways give the same names");
        expect(job->tasks_count == other->tasks_count, "both ways give the same tasks");
        other = other->next;
    }
}

static void expect_sense(const struct reading *reading, const uint8_t *data, size_t length)
{
    bool right = reading->answer == JOB_FILE_RIGHT;
    expect(reading->answer != JOB_FILE_STOPPED, "nobody has stopped it");
    expect(right == (reading->diagnostics.found_count == 0), "a file is wrong if it has errors");
    expect(reading->mode == JOB_CHECKED || reading->taken == reading->tasks,
           "all tasks of a stream are handed on");
    if (right) {
        expect_jobs(&reading->jobs);
        return;
    }
    expect_places(&reading->diagnostics, data, length);
    if (reading->mode == JOB_CHECKED)
        print_text(&reading->diagnostics);
    else
        print_json(&reading->diagnostics);
}

/* A memory file is read as a regular one is. */
static void file_write(const uint8_t *data, size_t length)
{
    static int file = -1;
    if (file < 0) {
        file = memfd_create("fuzzed", 0);
        expect(dup2(file, SELF_FD) == SELF_FD, "the file can be made");
    }
    expect(ftruncate(file, 0) == 0 && pwrite(file, data, length, 0) == (ssize_t)length,
           "the file can be written");
}

/* What is too long for a pipe that nobody reads yet is a file. */
static int pipe_of(const uint8_t *data, size_t length)
{
    int ends[2];
    if (length > PIPE_MOST_BYTES)
        return dup(SELF_FD);
    expect(pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
    expect(write(ends[1], data, length) == (ssize_t)length, "the pipe can be written");
    close(ends[1]);
    return ends[0];
}

static void read_input(struct reading *reading, int fd, enum job_mode mode)
{
    reading_init(reading, fd, mode, NULL, 0);
    close(fd);
}

/* A stream may be larger than jobs that are checked, and forgets ids behind its window. */
static bool may_only_stream(const struct reading *checked, const struct reading *streamed)
{
    const char *too_large = job_file_error_word(JOB_FILE_TOO_LARGE);
    const char *too_many = job_file_error_word(JOB_FILE_DOCUMENTS);
    const struct diagnostics *diagnostics = &checked->diagnostics;
    size_t larger = 0;
    for (size_t i = 0; i < diagnostics->kept_count; i++)
        larger += strcmp(diagnostics->kept[i].code, too_large) == 0 ||
                  strcmp(diagnostics->kept[i].code, too_many) == 0;
    return streamed->taken > JOB_STREAM_WINDOW || (larger > 0 && larger == diagnostics->kept_count);
}

/* What is sent to a daemon is a text, and one that is JSON is read by another reader. */
static void read_text(const struct reading *checked, const uint8_t *data, size_t length)
{
    struct reading text;

    reading_init(&text, -1, JOB_CHECKED, (const char *)data, length);
    expect_sense(&text, data, length);
    expect(text.answer == checked->answer, "a text is as right as a file");
    if (text.answer == JOB_FILE_RIGHT)
        expect_same(&text.jobs, &checked->jobs);
    reading_fini(&text);
}

static void read_both_ways(const uint8_t *data, size_t length)
{
    struct reading checked, streamed;
    /* One in eight the other way round: a check of a pipe, a stream from a file. */
    bool swapped = length % 8 == 7;

    file_write(data, length);
    has_setting = memmem(data, length, "set: ", 5) != NULL;
    read_input(&checked, swapped ? pipe_of(data, length) : dup(SELF_FD), JOB_CHECKED);
    expect_sense(&checked, data, length);
    if (length > 0 && data[0] == '{')
        read_text(&checked, data, length);
    read_input(&streamed, swapped ? dup(SELF_FD) : pipe_of(data, length), JOB_STREAMED);
    expect_sense(&streamed, data, length);
    if (streamed.answer == JOB_FILE_RIGHT && !may_only_stream(&checked, &streamed)) {
        expect(checked.answer == JOB_FILE_RIGHT, "what may stream is right when it is checked");
        expect_same(&checked.jobs, &streamed.jobs);
    }
    reading_fini(&checked);
    reading_fini(&streamed);
}

/* One in 32 is continued by a comment that makes it large. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length % 32 != 5) {
        read_both_ways(data, length);
        return 0;
    }
    uint8_t *large = malloc(COMMENT_BYTES + length);
    expect(large != NULL, "there is memory");
    memcpy(large, data, length);
    for (size_t i = 0; i < COMMENT_BYTES; i++)
        large[length + i] = (uint8_t) "\n# and so on"[i % 12];
    read_both_ways(large, COMMENT_BYTES + length);
    free(large);
    return 0;
}
