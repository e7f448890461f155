#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/faults.h"
#include "cli/field.h"
#include "cli/follow.h"
#include "cli/inputs.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/parcel.h"
#include "serve/json_text.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/utf8.h"

enum { OPTION_SET = 2000, OPTION_WAIT, OPTION_KEY, KEY_MOST_BYTES = 200 };

struct submit {
    struct options *common;
    struct input_names names;
    bool wait;
    const char *key; /* NULL: none */
};

/* Jobs that the daemon has taken, to be waited for. */
struct taken {
    json_t *jobs;     /* {"id", "name", "file", "begun"} */
    int64_t begun_ns; /* when the newest was sent */
};

static void read_key(struct submit *submit, const char *key, struct argp_state *state)
{
    size_t length = strlen(key), printable = 0;

    while (key[printable] >= ' ' && key[printable] <= '~')
        printable++;
    if (length == 0 || length > KEY_MOST_BYTES || printable < length)
        argp_error(state, "--idempotency-key: 1 to %d printable ASCII characters", KEY_MOST_BYTES);
    submit->key = key;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct submit *submit = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = submit->common;
        return 0;
    case OPTION_SET:
        settings_add(&submit->names.settings, argument, state);
        return 0;
    case OPTION_WAIT:
        submit->wait = true;
        return 0;
    case OPTION_KEY:
        read_key(submit, argument, state);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (submit->key != NULL && submit->names.count > 1)
            argp_error(state, "--idempotency-key is that of one job file, not of several");
        return 0;
    }
    return input_names_parse(key, state, &submit->names);
}

static const struct argp_option table[] = {
    {.name = "wait", .key = OPTION_WAIT, .doc = "follow the jobs to their end, as `run' does"},
    {.name = "idempotency-key",
     .key = OPTION_KEY,
     .arg = "KEY",
     .doc = "a file that was submitted with the same key before is not submitted again"},
    SETTINGS_OPTION(OPTION_SET),
    {0},
};

static const struct argp argp = {
    .options = table,
    .parser = parse,
    .args_doc = "JOB.yaml...",
    .doc = "Hands job files to the daemon, one after the other, up to the first that it does not "
           "take; `-' reads standard input. What a file wants of the environment and the files of "
           "items that it names are sent along. Prints the id of each job."
           "\vFor example:\n\n"
           "  sluice submit nightly.yaml\n"
           "  sluice submit --wait --set vars.out=/srv/out nightly.yaml\n\n"
           "Exit code: 0 the daemon has the jobs, and with --wait all tasks succeeded; 1 some did "
           "not; 2 wrong usage or job file; 3 there is no daemon, or it can take nothing now; 130, "
           "143 stopped by SIGINT, SIGTERM: the jobs go on.\n",
    .children = options_children,
};

static int refused(const struct submit *submit, const struct daemon *daemon, struct parcel *parcel,
                   const struct daemon_answer *answer)
{
    bool colour = output_colour(submit->common->colour, STDERR_FILENO);

    if (submit->common->format == FORMAT_JSON && answer->status == 422)
        output_json(json_incref(answer->json));
    if (answer->status != 422 || !faults_add(answer->json, &parcel->diagnostics))
        return daemon_explain(daemon, answer);
    if (submit->common->format == FORMAT_JSON)
        return EXIT_USAGE;
    diagnostics_read_excerpts(&parcel->diagnostics, parcel->fd);
    diagnostics_print(&parcel->diagnostics, stderr, colour);
    return EXIT_USAGE;
}

static void print_taken(const json_t *jobs)
{
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        const char *name = field_text(job, "name");
        CLEANUP(cleanup_free) char *clean = utf8_clean_line(name, strlen(name));
        long long tasks = field_int(job, "tasks");
        printf("%s: %lld task%s: %s\n", clean, tasks, tasks == 1 ? "" : "s", field_text(job, "id"));
    }
    output_flush();
}

/* Notes the jobs of an answer; false if it is none. */
static bool note_taken(const struct submit *submit, const json_t *answer, const char *file,
                       struct taken *taken)
{
    json_t *jobs = json_object_get(answer, "jobs");

    if (json_array_size(jobs) == 0 || field_text(json_array_get(jobs, 0), "id")[0] == '\0')
        return false;
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        json_t *job = json_array_get(jobs, i);
        json_array_append_new(taken->jobs,
                              json_pack("{ss ss so sI}", "id", field_text(job, "id"), "name",
                                        field_text(job, "name"), "file", json_text_or_null(file),
                                        "begun", (json_int_t)taken->begun_ns));
    }
    if (submit->common->format == FORMAT_JSON && !submit->wait)
        output_json(json_incref((json_t *)answer));
    else if (submit->common->format == FORMAT_TEXT && !submit->common->quiet)
        print_taken(jobs);
    return true;
}

static int send(const struct submit *submit, struct daemon *daemon, struct parcel *parcel,
                struct taken *taken)
{
    CLEANUP(daemon_answer_fini) struct daemon_answer answer;
    CLEANUP(buffer_fini) struct buffer key = BUFFER_EMPTY;
    bool whole = parcel->body.length > 0;

    buffer_printf(&key, "Idempotency-Key: %s", submit->key == NULL ? "" : submit->key);
    const char *const headers[] = {parcel->type, submit->key == NULL ? NULL : buffer_text(&key),
                                   NULL};
    const struct daemon_question question = {
        .method = "POST",
        .before = whole ? "/v1/jobs" : "/v1/jobs?file=",
        .name = whole ? NULL : parcel->file,
        .headers = headers,
        .body = whole ? parcel->body.bytes : buffer_text(&parcel->text),
        .body_length = whole ? parcel->body.length : parcel->text.length,
        .idle_s = DAEMON_SUBMIT_IDLE_S,
    };
    taken->begun_ns = clock_now_ns();
    if (!daemon_send(daemon, &question, &answer))
        return refused(submit, daemon, parcel, &answer);
    if (note_taken(submit, answer.json, parcel->file, taken))
        return EXIT_ALL_WELL;
    return daemon_explain(daemon, &answer);
}

static int submit_one(const struct submit *submit, struct daemon *daemon, const char *file,
                      struct taken *taken)
{
    CLEANUP(parcel_fini) struct parcel parcel;

    if (parcel_make(&parcel, file, &submit->names.settings))
        return send(submit, daemon, &parcel, taken);
    diagnostics_print(&parcel.diagnostics, stderr,
                      output_colour(submit->common->colour, STDERR_FILENO));
    return EXIT_USAGE;
}

/* One after the other: the order in which they end does not matter to the last word. */
static int wait_for(const struct submit *submit, struct daemon *daemon, const struct taken *taken)
{
    int fd = interrupt_open(), code = EXIT_ALL_WELL;

    for (size_t i = 0; i < json_array_size(taken->jobs) && code <= EXIT_TASKS; i++) {
        const json_t *job = json_array_get(taken->jobs, i);
        const struct follow follow = {
            .options = submit->common,
            .daemon = daemon,
            .job = field_text(job, "id"),
            .name = field_text(job, "name"),
            .file = field_text(job, "file"),
            .begun_ns = field_int(job, "begun"),
            .interrupt_fd = fd,
        };
        int one = follow_job(&follow);
        code = one > code ? one : code;
    }
    if (fd >= 0)
        close(fd);
    return code;
}

static void taken_fini(struct taken *taken)
{
    json_decref(taken->jobs);
}

int command_submit(struct options *common, int argc, char **argv)
{
    struct submit submit = {.common = common};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &submit);
    CLEANUP(daemon_close) struct daemon *daemon = daemon_open(common, &code);
    CLEANUP(taken_fini) struct taken taken = {.jobs = json_array()};
    if (daemon == NULL)
        return code;
    code = EXIT_ALL_WELL;
    for (size_t i = 0; i < submit.names.count && code == EXIT_ALL_WELL; i++)
        code = submit_one(&submit, daemon, submit.names.files[i], &taken);
    return code == EXIT_ALL_WELL && submit.wait ? wait_for(&submit, daemon, &taken) : code;
}
