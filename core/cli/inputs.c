#include "cli/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/job_file.h"
#include "cli/output.h"
#include "serve/json_text.h"
#include "support/cleanup.h"

error_t input_names_parse(int key, struct argp_state *state, struct input_names *names)
{
    switch (key) {
    case ARGP_KEY_ARGS:
        names->files = state->argv + state->next;
        names->count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which job file?");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void input_refuse(struct reader_input *input, const char *reason)
{
    diagnostics_add(&input->diagnostics, (struct place){0}, job_file_error_word(JOB_FILE_READ),
                    reason, NULL);
}

static void input_open(struct reader_input *input, bool *standard_input_taken)
{
    struct stat status;

    if (strcmp(input->file, "-") == 0) {
        input->fd = STDIN_FILENO;
        if (*standard_input_taken)
            input_refuse(input, "standard input is named twice");
        *standard_input_taken = true;
        return;
    }
    input->fd = open(input->file, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0)
        input_refuse(input, strerror(errno));
    else if (fstat(input->fd, &status) == 0 && S_ISDIR(status.st_mode))
        input_refuse(input, "it is a folder");
}

bool inputs_open(struct inputs *inputs, const struct input_names *names)
{
    bool standard_input_taken = false;

    inputs->items = calloc(names->count, sizeof(*inputs->items));
    if (inputs->items == NULL)
        abort();
    inputs->count = names->count;
    chunk_pool_init(&inputs->pool);
    for (size_t i = 0; i < inputs->count; i++) {
        inputs->items[i].file = names->files[i];
        inputs->items[i].fd = -1;
        inputs->items[i].settings = names->settings.items;
        inputs->items[i].settings_count = names->settings.count;
        diagnostics_init(&inputs->items[i].diagnostics, names->files[i]);
        input_open(&inputs->items[i], &standard_input_taken);
    }
    return inputs_errors(inputs) == 0;
}

void inputs_close(struct inputs *inputs)
{
    if (inputs->items == NULL)
        return;
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].fd > STDIN_FILENO)
            close(inputs->items[i].fd);
        diagnostics_fini(&inputs->items[i].diagnostics);
    }
    job_list_fini(&inputs->jobs);
    chunk_pool_fini(&inputs->pool);
    free(inputs->items);
    *inputs = (struct inputs){0};
}

static void input_read(struct inputs *inputs, struct reader_input *input,
                       const struct job_file_options *options)
{
    struct job_file *file = job_file_open(input->fd, JOB_CHECKED, options, &input->diagnostics);

    while (job_file_next(file)) {
        struct job *job = job_create(&inputs->pool, NULL, input->file, JOB_CHECKED);
        job_list_add(&inputs->jobs, job);
        job_file_read(file, job);
        input->jobs_count++;
        input->tasks_count += job->tasks_count;
    }
    job_file_close(&file);
}

void inputs_read(struct inputs *inputs, const struct config *config, struct registry *registry)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct reader_input *input = &inputs->items[i];
        struct job_file_options options = {
            .registry = registry,
            .weight_capacity = (int32_t)config->max_weight,
            .default_timeout_ns = config->timeout_ns,
            .settings = input->settings,
            .settings_count = input->settings_count,
            .stop_fd = -1,
        };
        if (input->diagnostics.found_count == 0)
            input_read(inputs, input, &options);
    }
}

size_t inputs_errors(const struct inputs *inputs)
{
    size_t count = 0;

    for (size_t i = 0; i < inputs->count; i++)
        count += inputs->items[i].diagnostics.found_count;
    return count;
}

void inputs_print(const struct inputs *inputs, const struct options *options)
{
    bool colour = output_colour(options->colour, STDERR_FILENO);

    for (size_t i = 0; i < inputs->count; i++)
        diagnostics_print(&inputs->items[i].diagnostics, stderr, colour);
}

json_t *inputs_json(const struct inputs *inputs)
{
    json_t *files = json_array();

    for (size_t i = 0; i < inputs->count; i++) {
        const struct reader_input *input = &inputs->items[i];
        CLEANUP(cleanup_free) char *errors = diagnostics_json(&input->diagnostics);
        json_array_append_new(files, json_pack("{so sI so}", "file", json_text_or_null(input->file),
                                               "tasks", (json_int_t)input->tasks_count, "errors",
                                               json_loads(errors, 0, NULL)));
    }
    return json_pack("{so}", "files", files);
}
