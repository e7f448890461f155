#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/field.h"
#include "cli/job_line.h"
#include "cli/job_name.h"
#include "cli/output.h"
#include "cli/subject.h"
#include "support/cleanup.h"
#include "support/utf8.h"

static const struct argp argp = {
    .parser = subject_parse,
    .args_doc = "JOB:ID",
    .doc =
        "Prints what a task that succeeded has put out: one output as it is, several each under a "
        "line with its name, or with `--format json' as an object."
        "\vFor example:\n\n"
        "  sluice result nightly:fetch\n"
        "  sluice result --format json nightly:fetch | jq -r .outputs.body\n\n"
        "Exit code: 0; 1 the task has not succeeded, or there is none such; 3 there is no "
        "daemon.\n",
    .children = options_children,
};

/* On a terminal an output must not steer it, and ends its line. */
static void print_output(const json_t *output)
{
    const char *text = json_string_value(output);
    size_t length = json_string_length(output);

    if (text == NULL || !output_is_terminal(STDOUT_FILENO)) {
        fwrite(text == NULL ? "" : text, 1, length, stdout);
        return;
    }
    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        size_t piece = newline == NULL ? length : (size_t)(newline - text);
        CLEANUP(cleanup_free) char *clean = utf8_clean(text, piece);
        puts(clean);
        piece += newline != NULL;
        text += piece;
        length -= piece;
    }
}

static void print_outputs(json_t *outputs)
{
    bool several = json_object_size(outputs) > 1;
    const char *name;
    json_t *output;

    json_object_foreach(outputs, name, output)
    {
        const char *text = json_string_value(output);
        size_t length = json_string_length(output);
        if (several)
            printf("==> %s <==\n", name);
        print_output(output);
        if (several && !output_is_terminal(STDOUT_FILENO) && length > 0 && text[length - 1] != '\n')
            putchar('\n');
    }
}

static int print(const json_t *answer, const struct options *options)
{
    const char *state = field_text(answer, "state"), *task = field_text(answer, "task");
    json_t *outputs = json_object_get(answer, "outputs");
    bool succeeded = strcmp(state, "succeeded") == 0;

    if (options->format == FORMAT_JSON)
        output_json(json_pack("{ss ss sO}", "task", task, "state", state, "outputs",
                              outputs == NULL ? json_null() : outputs));
    else if (succeeded)
        print_outputs(outputs);
    else
        output_error("%s is %s: only a task that succeeded has outputs; see `sluice why %s'", task,
                     job_line_state(state), task);
    return succeeded ? EXIT_ALL_WELL : EXIT_TASKS;
}

static int show(struct daemon *daemon, const char *task, const struct options *options)
{
    const struct daemon_question question = {.before = "/v1/tasks/", .name = task};
    int code;
    json_t *answer = daemon_ask(daemon, &question, &code);

    if (answer == NULL)
        return code;
    code = print(answer, options);
    json_decref(answer);
    return code;
}

int command_result(struct options *common, int argc, char **argv)
{
    struct subject subject = {.common = common, .what = "task"};

    argp_parse(&argp, argc, argv, 0, NULL, &subject);
    return subject_find(&subject, job_name_find_task, show);
}
