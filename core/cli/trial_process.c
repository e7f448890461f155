/* The process of a trial. It loads the plugin as the host does, by a registry over the folder in
 * which the copy lies alone: twice, and compares what the process is like before and after. */
#include <jansson.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/footprint.h"
#include "cli/roles.h"
#include "cli/trial.h"
#include "cli/trial_sample.h"
#include "cli/trial_word.h"
#include "plugin/signals.h"
#include "support/child.h"
#include "support/cleanup.h"
#include "support/log.h"
#include "support/thread.h"

enum { ORDER_FD = CHILD_FIRST_FD + 1, FDS_COUNT = 2, ROUNDS_COUNT = 2 };

/* The registry gives up before that: so it can say which function it was. */
static const int64_t call_most_ns = 10 * NS_PER_S, load_most_ns = 30 * NS_PER_S;

struct trial {
    json_t *order;
    struct registry_setting *settings;
    struct registry *registry;
    bool wrong[ASPECT_COUNT];
    struct signals_put_back put_back;    /* until now */
    const char *types[SLUICE_TYPES_MAX]; /* of the registry */
    size_t types_count;
};

static void fail(const char *check, const char *why)
{
    trial_found(&(struct finding){FINDING_FAILED, check, 0, why});
}

static const char *order_text(const struct trial *trial, const char *key)
{
    const char *text = json_string_value(json_object_get(trial->order, key));

    return text == NULL ? "" : text;
}

/* ---- what has changed ---- */

static void compare(struct trial *trial, const struct footprint *before, enum aspect aspect,
                    const char *when)
{
    CLEANUP(buffer_fini) struct buffer text = BUFFER_EMPTY;

    buffer_printf(&text, "%s: ", when);
    if (footprint_holds(before, aspect, &text))
        return;
    trial->wrong[aspect] = true;
    trial_found(&(struct finding){FINDING_FAILED, aspect_word(aspect), aspect_rule(aspect),
                                  buffer_text(&text)});
}

/* A plugin that is loaded may keep files open, and all else must be as it was. */
static void compare_loaded(struct trial *trial, const struct footprint *before, const char *when)
{
    for (enum aspect i = 0; i < ASPECT_COUNT; i++)
        if (i != ASPECT_FILES)
            compare(trial, before, i, when);
}

/* Says each thing once: what is wrong already is so still. */
static void compare_unloaded(struct trial *trial, const struct footprint *before)
{
    for (enum aspect i = 0; i < ASPECT_COUNT; i++)
        if (!trial->wrong[i])
            compare(trial, before, i, "after it was unloaded");
}

/* What is put back at once, as in a host, cannot be seen afterwards. */
static void tell_put_back(struct trial *trial, const char *who)
{
    struct signals_put_back before = trial->put_back;
    char text[SLUICE_NAME_MAX + 64];

    trial->put_back = signals_put_back();
    snprintf(text, sizeof(text), "%s changes what is there", who);
    if (trial->put_back.masks > before.masks && !trial->wrong[ASPECT_MASK]) {
        trial->wrong[ASPECT_MASK] = true;
        trial_found(&(struct finding){FINDING_FAILED, "mask", 3, text});
    }
    if (trial->put_back.handlers > before.handlers && !trial->wrong[ASPECT_HANDLERS]) {
        trial->wrong[ASPECT_HANDLERS] = true;
        trial_found(&(struct finding){FINDING_FAILED, "handlers", 3, text});
    }
}

static int look_for_copy(struct dl_phdr_info *info, size_t size, void *context)
{
    const char *code = context;

    (void)size;
    return strncmp(info->dlpi_name, code, strlen(code)) == 0;
}

static void tell_unmapped(const struct trial *trial)
{
    CLEANUP(cleanup_free) char *code = NULL;

    if (asprintf(&code, "%s/code/", order_text(trial, "state_dir")) < 0)
        abort();
    if (dl_iterate_phdr(look_for_copy, code) == 0)
        trial_found(
            &(struct finding){FINDING_OK, "unload", 0, "twice, and nothing of it stays mapped"});
    else
        trial_found(&(struct finding){
            FINDING_WARNING, "unload", 0,
            "stays mapped after dlclose: each reload leaves a copy, 64 at most (-z nodelete, a "
            "unique symbol of C++, a thread-local destructor, or a thread that is left)"});
}

/* ---- its tasks ---- */

static void add_type(void *context, const char *type, const char *plugin)
{
    struct trial *trial = context;

    (void)plugin;
    if (trial->types_count < SLUICE_TYPES_MAX)
        trial->types[trial->types_count++] = type;
}

/* Runs a task, which is the trial's end if it does not come back. */
static enum trial_sample_end run_sample(struct trial *trial, const struct trial_sample *sample)
{
    CLEANUP(footprint_fini) struct footprint before;
    const struct offer *offer;
    struct error error;
    char who[SLUICE_NAME_MAX + 16], when[SLUICE_NAME_MAX + 32];

    if (registry_find(trial->registry, sample->type, strlen(sample->type), &offer, &error) !=
        REGISTRY_FOUND)
        return TRIAL_SAMPLE_BACK; /* it was there, and nobody takes it away */
    footprint_take(&before);
    enum trial_sample_end end = trial_sample_run(sample, offer);
    registry_unpin(trial->registry, offer);
    snprintf(who, sizeof(who), "a task of %s", sample->type);
    snprintf(when, sizeof(when), "after %s", who);
    if (end == TRIAL_SAMPLE_STUCK)
        return end;
    compare_loaded(trial, &before, when);
    tell_put_back(trial, who);
    return end;
}

static bool is_given(const struct trial_sample *samples, size_t count, const char *type)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i].type != NULL && strcmp(samples[i].type, type) == 0)
            return true;
    return false;
}

static enum trial_sample_end run_default(struct trial *trial, const char *type)
{
    CLEANUP(trial_sample_fini) struct trial_sample sample;
    CLEANUP(buffer_fini) struct buffer why = BUFFER_EMPTY;
    const struct offer *offer;
    struct error error;

    if (registry_find(trial->registry, type, strlen(type), &offer, &error) != REGISTRY_FOUND) {
        sample = (struct trial_sample){0};
        return TRIAL_SAMPLE_BACK;
    }
    buffer_printf(&why, "%s: ", type);
    bool can_run = trial_sample_default(&sample, offer, &why);
    registry_unpin(trial->registry, offer);
    if (can_run)
        return run_sample(trial, &sample);
    trial_found(&(struct finding){FINDING_SKIPPED, "task", 0, buffer_text(&why)});
    return TRIAL_SAMPLE_BACK;
}

static enum trial_sample_end run_given(struct trial *trial, struct trial_sample *sample,
                                       const char *text)
{
    CLEANUP(buffer_fini) struct buffer why = BUFFER_EMPTY;

    buffer_printf(&why, "%s: ", text);
    if (trial_sample_read(sample, text, trial->registry, &why))
        return run_sample(trial, sample);
    fail("task", buffer_text(&why));
    return TRIAL_SAMPLE_BACK;
}

static enum trial_sample_end run_samples(struct trial *trial)
{
    const json_t *tasks = json_object_get(trial->order, "tasks");
    size_t count = json_array_size(tasks);
    struct trial_sample *samples = calloc(count + 1, sizeof(*samples));
    enum trial_sample_end end = TRIAL_SAMPLE_BACK;

    if (samples == NULL)
        abort();
    for (size_t i = 0; i < count && end == TRIAL_SAMPLE_BACK; i++)
        end = run_given(trial, &samples[i], json_string_value(json_array_get(tasks, i)));
    trial->types_count = 0;
    registry_visit_types(trial->registry, add_type, trial);
    for (size_t i = 0; i < trial->types_count && end == TRIAL_SAMPLE_BACK; i++)
        if (!is_given(samples, count, trial->types[i]))
            end = run_default(trial, trial->types[i]);
    for (size_t i = 0; i < count && end == TRIAL_SAMPLE_BACK; i++)
        trial_sample_fini(&samples[i]);
    free(samples);
    return end;
}

/* ---- the rounds ---- */

static void take_reason(void *context, const struct registry_plugin *plugin)
{
    struct buffer *reason = context;

    if (reason->length == 0 && plugin->reason != NULL)
        buffer_puts(reason, plugin->reason);
}

/* Loads the plugin; false if it was refused, which was said. */
static bool load(struct trial *trial)
{
    CLEANUP(buffer_fini) struct buffer reason = BUFFER_EMPTY;
    const char *const folders[] = {order_text(trial, "folder"), NULL};
    struct error error;
    const struct registry_options options = {
        .plugin_dirs = folders,
        .state_dir = order_text(trial, "state_dir"),
        .settings = trial->settings,
        .settings_count = json_object_size(json_object_get(trial->order, "settings")),
        .start_limit_ns = call_most_ns,
        .refusals_listed = true,
    };

    trial_step("load", load_most_ns, "it was loaded: constructors, entry, init");
    trial->registry = registry_create(&options, &error);
    if (trial->registry == NULL) {
        fail("load", error.message);
        return false;
    }
    registry_load_all(trial->registry);
    registry_visit_plugins(trial->registry, take_reason, &reason);
    if (reason.length > 0) {
        fail("load", buffer_text(&reason));
        return false;
    }
    trial_found(&(struct finding){FINDING_OK, "load", 0,
                                  "entry and init have succeeded, note and descriptor agree"});
    return true;
}

static void do_nothing(void *argument)
{
    (void)argument;
}

/* What a process gets with its first thread, as one of a sanitizer's, is there before anything is
 * compared. */
static void have_had_a_thread(void)
{
    struct thread thread;

    if (thread_start(&thread, "first", do_nothing, NULL, NULL))
        thread_join(&thread);
}

enum round_end { ROUND_GOES_ON, ROUND_IS_LAST, ROUND_IS_STUCK };

/* Loads the plugin, has its tasks run if the order says so, and unloads it. */
static enum round_end run_round(struct trial *trial, enum trial_tasks tasks)
{
    CLEANUP(footprint_fini) struct footprint before;

    footprint_take(&before);
    bool loaded = load(trial);
    if (trial->registry != NULL && registry_left_behind(trial->registry) > 0)
        return ROUND_IS_STUCK;
    if (loaded && tasks == TRIAL_TASKS_RUN && run_samples(trial) == TRIAL_SAMPLE_STUCK)
        return ROUND_IS_STUCK;
    trial_step("unload", load_most_ns, "it was unloaded: deinit, destructors");
    registry_destroy(&trial->registry);
    compare_unloaded(trial, &before);
    tell_put_back(trial, "entry, init or deinit");
    return loaded ? ROUND_GOES_ON : ROUND_IS_LAST;
}

static enum round_end run_rounds(struct trial *trial)
{
    bool runs_tasks = json_is_true(json_object_get(trial->order, "runs_tasks"));
    enum round_end end = ROUND_GOES_ON;

    have_had_a_thread();
    for (int round = 1; round <= ROUNDS_COUNT && end == ROUND_GOES_ON; round++)
        end = run_round(trial,
                        runs_tasks && round == ROUNDS_COUNT ? TRIAL_TASKS_RUN : TRIAL_TASKS_NONE);
    return end;
}

static void tell_well(const struct trial *trial)
{
    tell_unmapped(trial);
    for (enum aspect i = 0; i < ASPECT_COUNT; i++)
        if (!trial->wrong[i])
            trial_found(&(struct finding){FINDING_OK, aspect_word(i), 0, aspect_well(i)});
}

static void take_settings(struct trial *trial)
{
    json_t *settings = json_object_get(trial->order, "settings");
    const char *key;
    json_t *value;
    size_t count = 0;

    trial->settings = calloc(json_object_size(settings) + 1, sizeof(*trial->settings));
    if (trial->settings == NULL)
        abort();
    json_object_foreach(settings, key, value) trial->settings[count++] =
        (struct registry_setting){order_text(trial, "plugin"), key, json_string_value(value)};
}

int trial_serve(const char *name)
{
    struct trial trial = {0};

    (void)name;
    child_settle(FDS_COUNT);
    trial.order = json_loadfd(ORDER_FD, 0, NULL);
    if (trial.order == NULL)
        return EXIT_USAGE;
    close(ORDER_FD);
    log_configure(json_is_true(json_object_get(trial.order, "verbose")) ? LOG_DEBUG : LOG_ERROR,
                  LOG_FORMAT_LOGFMT);
    take_settings(&trial);
    if (run_rounds(&trial) == ROUND_GOES_ON)
        tell_well(&trial);
    trial_say(&(struct trial_word){.kind = TRIAL_OVER});
    /* A thread may be left in the plugin: nothing is run on the way out. */
    _exit(EXIT_ALL_WELL);
}
