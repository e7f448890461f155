#include <stdio.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/ending.h"
#include "cli/inputs.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/plugins.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/reread.h"
#include "cli/run_options.h"
#include "execute/last_words.h"
#include "host.h"
#include "serve/events.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/ready.h"
#include "support/words.h"

struct run {
    const struct run_options *options;
    struct config *config;
    struct inputs inputs;
    struct plugins plugins;
    struct host *host;
    struct report *report;
    struct events *events;
    struct progress progress;
    int64_t begun_ns;
};

static void on_ended(void *context, const struct outcome_record *record)
{
    struct run *run = context;

    if (run->events != NULL)
        events_add(run->events, record);
    report_task(run->report, record);
}

static bool submitted_any(struct host *host)
{
    const struct job *job = NULL;

    while ((job = host_next_job(host, job)) != NULL)
        if (atomic_load(&job->submitted) > 0)
            return true;
    return false;
}

/* Once a task of a checked file runs, all of them were read. */
static bool knows_all(const struct run *run)
{
    return run->options->mode == JOB_CHECKED ? submitted_any(run->host) : !host_reading(run->host);
}

static struct progress_counts count_tasks(const struct run *run)
{
    struct progress_counts counts = {.running = host_running(run->host),
                                     .total_is_known = knows_all(run)};
    const struct job *job = NULL;

    while ((job = host_next_job(run->host, job)) != NULL) {
        uint32_t total = atomic_load(&job->total);
        counts.total += total;
        counts.total_is_known &= total > 0;
        for (int state = TASK_SUCCEEDED; state <= TASK_SKIPPED; state++)
            counts.done += atomic_load(&job->ended[state]);
        for (int state = TASK_FAILED; state <= TASK_CRASHED; state++)
            counts.failed += atomic_load(&job->ended[state]);
    }
    return counts;
}

static void on_tick(void *context, int64_t now_ns)
{
    struct run *run = context;
    struct progress_counts counts = count_tasks(run);

    progress_draw(&run->progress, &counts, now_ns);
}

/* Nobody is to wait any longer for those who ought to read what is written. */
static void on_stops(void *context, int64_t until_ns)
{
    (void)context;
    ready_give_up_at(until_ns);
}

/* The file, whatever is wrong in it, must not disturb what runs. */
static void on_reread(void *context, void *report)
{
    struct run *run = context;
    CLEANUP(config_fini) struct config next;

    output_collect();
    if (run->progress.terminal && run_options_show_progress(run->options))
        fputs(PROGRESS_CLEAR, output_messages());
    bool taken = options_reread(run->options->common, run->config, &next) &&
                 run_options_apply(run->options, &next) && reread_take(run->config, &next, report);
    output_collected();
    if (taken)
        host_apply(run->host, PROGRESS_TICK_NS);
    else
        log_error("the configuration is not valid: nothing of it has changed");
}

static enum host_resume resume_of(const struct run_options *options)
{
    if (options->state == NULL)
        return HOST_BEGINS_ANEW;
    return options->changed ? HOST_RESUMES_CHANGED : HOST_RESUMES;
}

/* All that has ended is kept, to be known when the run goes on. */
static struct store_options kept(const struct run *run)
{
    if (run->options->state == NULL)
        return (struct store_options){0};
    return (struct store_options){.place = run->options->state,
                                  .commit_interval_ns = run->config->commit_interval_ns,
                                  .jobs_wait = true,
                                  .finished_max = UINT64_MAX,
                                  .dead_max = UINT64_MAX};
}

/* Makes what listens and the host; the plugins are open. False with a message printed. */
static bool run_create(struct run *run)
{
    bool progress = run_options_show_progress(run->options);
    bool terminal = output_is_terminal(STDERR_FILENO);
    const char *prefix = progress && terminal ? PROGRESS_CLEAR : NULL;
    struct error error;
    struct host_handlers handlers = {
        .context = run,
        .resume = resume_of(run->options),
        .store_backend = run->options->state != NULL ? "sqlite" : NULL,
        .store = kept(run),
        .ended = on_ended,
        .stops = on_stops,
        .wants_all = run->options->events != NULL,
        .tick = progress ? on_tick : NULL,
        .tick_ns = PROGRESS_TICK_NS,
        .reread = on_reread,
    };

    if (run->options->events != NULL &&
        (run->events = events_create(run->options->events, &error)) == NULL)
        return output_error("%s", error.message);
    run->report = report_create(run->options->common, prefix, &error);
    if (run->report == NULL)
        return output_error("%s", error.message);
    log_set_interlude(prefix, NULL);
    log_spare_main();
    run->begun_ns = clock_now_ns();
    progress_init(&run->progress, terminal, run->begun_ns);
    run->host =
        host_create(run->config, run->plugins.registry, run->options->mode, &handlers, &error);
    return run->host != NULL || output_error("%s", error.message);
}

static bool all_succeeded(struct host *host)
{
    const struct job *job = NULL;

    while ((job = host_next_job(host, job)) != NULL)
        if (atomic_load(&job->ended[TASK_SUCCEEDED]) < atomic_load(&job->total))
            return false;
    return true;
}

static int exit_code_of(enum host_end end, struct host *host)
{
    switch (end) {
    case HOST_FINISHED:
        return all_succeeded(host) ? EXIT_ALL_WELL : EXIT_TASKS;
    case HOST_INVALID:
        return EXIT_USAGE;
    case HOST_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case HOST_TERMINATED:
        return EXIT_TERMINATED;
    case HOST_RESTARTS: /* no run does */
    case HOST_LOST:
        return EXIT_HOST;
    }
    return EXIT_HOST;
}

/* What is wrong in the files, and how the jobs ended. */
static void say_jobs(struct run *run, enum host_end end)
{
    double seconds = (double)(clock_now_ns() - run->begun_ns) / 1e9;
    bool checked = run->options->mode == JOB_CHECKED;
    bool stopped = end == HOST_INTERRUPTED || end == HOST_TERMINATED;

    if (!host_reading(run->host))
        inputs_print(&run->inputs, run->options->common);
    if (stopped && checked && !submitted_any(run->host))
        output_error("stopped while job files were being read: nothing ran");
    else if (end != HOST_INVALID || !checked)
        report_jobs(run->report, run->host, seconds);
    else if (run->options->common->format == FORMAT_JSON)
        output_json(inputs_json(&run->inputs));
}

/* Says everything that is left to say; returns the exit code. */
static int say_all(struct run *run, enum host_end end)
{
    int code = exit_code_of(end, run->host);
    struct error error;

    if (run_options_show_progress(run->options)) {
        struct progress_counts counts = count_tasks(run);
        progress_end(&run->progress, &counts, clock_now_ns());
    }
    log_set_interlude(NULL, NULL);
    report_end(run->report);
    say_jobs(run, end);
    if (!events_destroy(&run->events, &error)) {
        output_error("%s", error.message);
        code = code == EXIT_ALL_WELL || code == EXIT_TASKS ? EXIT_HOST : code;
    }
    output_flush();
    return code;
}

/* The same while signals are answered. */
static int run_finish(struct run *run, const struct config *config, enum host_end end)
{
    bool stopped = end == HOST_INTERRUPTED || end == HOST_TERMINATED;
    int signalled = stopped ? exit_code_of(end, run->host) : 0;
    struct error error;
    struct ending *ending = ending_start(config, signalled, &error);

    if (ending == NULL)
        output_error("%s", error.message);
    int code = say_all(run, end);
    signalled = ending_code(ending);
    ending_stop(&ending);
    return signalled != 0 ? signalled : code;
}

static void run_fini(struct run *run)
{
    host_destroy(&run->host);
    plugins_close(&run->plugins);
    report_destroy(&run->report);
    events_destroy(&run->events, NULL);
    inputs_close(&run->inputs);
}

/* The texts are for a handler: they stay. */
static void prepare_last_words(const struct run_options *options)
{
    static char command[256];
    struct words words = {.bytes = command, .capacity = sizeof(command) - 1};
    bool clears = run_options_show_progress(options) && output_is_terminal(STDERR_FILENO);

    words_put(&words, "sluice run --isolation process");
    for (size_t i = 0; i < options->names.count; i++) {
        words_put(&words, " ");
        words_put(&words, options->names.files[i]);
    }
    last_words_prepare(&(struct last_words_options){
        .prefix = clears ? PROGRESS_CLEAR : NULL,
        .command = command,
    });
}

static int run_all(const struct run_options *options, struct config *config)
{
    CLEANUP(run_fini) struct run run = {.options = options, .config = config};

    if (!inputs_open(&run.inputs, &options->names)) {
        inputs_print(&run.inputs, options->common);
        return EXIT_USAGE;
    }
    if (!options->dry_run)
        prepare_last_words(options);
    if (!plugins_open(&run.plugins, config))
        return EXIT_HOST;
    for (size_t i = 0; i < options->workers_count; i++)
        if (!plugins_know(&run.plugins, options->workers[i].type))
            return EXIT_USAGE;
    if (options->dry_run)
        return plugins_leave_if_stuck(
            &run.plugins,
            plan_print(&run.inputs, config, run.plugins.registry, options->common, options->graph));
    if (!run_create(&run))
        return EXIT_HOST;
    struct error error;
    enum host_end end = host_run(run.host, run.inputs.items, run.inputs.count, &error);
    if (end == HOST_LOST)
        output_error("%s", error.message);
    int code = run_finish(&run, config, end);
    if (!host_stop(run.host)) {
        config_remove_temporary(config);
        output_leave(code);
    }
    return plugins_leave_if_stuck(&run.plugins, code);
}

int command_run_jobs(struct options *common, int argc, char **argv)
{
    struct run_options options;
    CLEANUP(config_fini) struct config config;
    int code;

    run_options_parse(&options, common, argc, argv);
    if (!options_configure(common, &config, &code))
        return code;
    if (!run_options_apply(&options, &config))
        return EXIT_USAGE;
    return run_all(&options, &config);
}
