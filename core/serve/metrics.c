#include "serve/metrics.h"

#include <stdio.h>
#include <string.h>

#include "serve/metric_text.h"

#define VALUES(...) ((const char *const[]){__VA_ARGS__})

/* ---- tasks, by type ---- */

static uint64_t now(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void add_submitted(void *out, struct type_figures *of_type)
{
    metric_text_number(out, METRIC_task_submitted, VALUES(of_type->type->name),
                       now(&of_type->submitted));
}

static void add_finished(void *out, struct type_figures *of_type)
{
    for (enum task_state state = TASK_SUCCEEDED; state < TASK_STATE_COUNT; state++)
        metric_text_number(out, METRIC_task_finished,
                           VALUES(of_type->type->name, task_state_word(state)),
                           now(&of_type->finished[state]));
}

static void add_retries(void *out, struct type_figures *of_type)
{
    metric_text_number(out, METRIC_task_retries, VALUES(of_type->type->name),
                       now(&of_type->retries));
}

static void add_latency(void *out, struct type_figures *of_type)
{
    metric_text_histogram(out, METRIC_task_latency, VALUES(of_type->type->name), &of_type->latency);
}

static void add_wait(void *out, struct type_figures *of_type)
{
    metric_text_histogram(out, METRIC_task_wait, VALUES(of_type->type->name), &of_type->wait);
}

static void add_run(void *out, struct type_figures *of_type)
{
    metric_text_histogram(out, METRIC_task_run, VALUES(of_type->type->name), &of_type->run);
}

static void add_crashes(void *out, struct type_figures *of_type)
{
    for (enum crash_reason reason = 0; reason < CRASH_REASON_COUNT; reason++)
        metric_text_number(out, METRIC_worker_crashes,
                           VALUES(of_type->type->name, crash_reason_word(reason)),
                           now(&of_type->crashes[reason]));
}

static void write_task_submitted(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_submitted, out);
}

static void write_task_finished(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_finished, out);
}

static void write_task_retries(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_retries, out);
}

static void write_task_latency(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_latency, out);
}

static void write_task_wait(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_wait, out);
}

static void write_task_run(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_run, out);
}

static void write_worker_crashes(struct buffer *out, const struct metrics_sources *sources)
{
    figures_visit(sources->figures, add_crashes, out);
}

/* ---- groups ---- */

static void write_task_oldest_waiting(struct buffer *out, const struct metrics_sources *sources)
{
    for (size_t i = 0; i < sources->groups_count; i++)
        metric_text_seconds(out, METRIC_task_oldest_waiting, VALUES(sources->groups[i].name),
                            sources->groups[i].oldest_waiting_ns);
}

static void write_worker_queue_length(struct buffer *out, const struct metrics_sources *sources)
{
    for (size_t i = 0; i < sources->groups_count; i++)
        metric_text_number(out, METRIC_worker_queue_length,
                           VALUES(sources->groups[i].type, sources->groups[i].name),
                           sources->groups[i].queued);
}

static void write_worker_busy(struct buffer *out, const struct metrics_sources *sources)
{
    for (size_t i = 0; i < sources->groups_count; i++)
        metric_text_number(out, METRIC_worker_busy, VALUES(sources->groups[i].name),
                           sources->groups[i].busy);
}

static void write_worker_stuck(struct buffer *out, const struct metrics_sources *sources)
{
    for (size_t i = 0; i < sources->groups_count; i++)
        metric_text_number(out, METRIC_worker_stuck, VALUES(sources->groups[i].name),
                           sources->groups[i].stuck);
}

static void write_admission_waiting(struct buffer *out, const struct metrics_sources *sources)
{
    for (size_t i = 0; i < sources->groups_count; i++)
        metric_text_number(out, METRIC_admission_waiting, VALUES(sources->groups[i].name),
                           sources->groups[i].waits_for_weight);
}

/* ---- plugins ---- */

struct plugin_lines {
    struct buffer *out;
    size_t begin; /* where the first of them stands */
};

/* Two files may look the same here, as two that are refused for the same plugin: one line is
 * enough, and a scrape with a line twice would be refused as a whole. */
static void drop_if_doubled(struct plugin_lines *lines, size_t begin)
{
    const char *line = lines->out->bytes + begin;
    size_t length = lines->out->length - begin;
    if (memmem(lines->out->bytes + lines->begin, begin - lines->begin, line, length) != NULL)
        lines->out->length = begin;
}

/* A file whose note cannot be read has no name; `plugin list` shows it. */
static void add_plugin(void *context, const struct registry_plugin *plugin)
{
    struct plugin_lines *lines = context;
    size_t begin = lines->out->length;
    char generation[16];
    if (plugin->plugin == NULL)
        return;
    snprintf(generation, sizeof generation, "%u", plugin->generation);
    metric_text_number(lines->out, METRIC_plugin_info,
                       VALUES(plugin->plugin, plugin->version == NULL ? "" : plugin->version,
                              generation, plugin->state),
                       1);
    drop_if_doubled(lines, begin);
}

static void write_plugin_info(struct buffer *out, const struct metrics_sources *sources)
{
    struct plugin_lines lines = {.out = out, .begin = out->length};
    sources->visit_plugins(sources->registry, add_plugin, &lines);
}

static void write_plugin_reloads(struct buffer *out, const struct metrics_sources *sources)
{
    const struct registry_reloaded *reloads = &sources->reloads;
    metric_text_number(out, METRIC_plugin_reloads, VALUES("kept"), reloads->kept);
    metric_text_number(out, METRIC_plugin_reloads, VALUES("replaced"), reloads->replaced);
    metric_text_number(out, METRIC_plugin_reloads, VALUES("added"), reloads->added);
    metric_text_number(out, METRIC_plugin_reloads, VALUES("removed"), reloads->removed);
    metric_text_number(out, METRIC_plugin_reloads, VALUES("refused"), reloads->refused);
}

/* ---- the host ---- */

static void add_counts(struct buffer *out, enum metric metric, const struct metrics_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++)
        metric_text_number(out, metric, VALUES(counts->items[i].label), counts->items[i].count);
}

static void write_inbound_rejected(struct buffer *out, const struct metrics_sources *sources)
{
    add_counts(out, METRIC_inbound_rejected, &sources->rejected);
}

static void write_inbound_delayed(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_inbound_delayed, NULL, sources->inbound_delayed);
}

static void write_dead_tasks(struct buffer *out, const struct metrics_sources *sources)
{
    add_counts(out, METRIC_dead_tasks, &sources->dead);
}

static void write_admission_weight_in_use(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_admission_weight_in_use, NULL, sources->admission_in_use);
}

static void write_admission_weight_capacity(struct buffer *out,
                                            const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_admission_weight_capacity, NULL, sources->admission_capacity);
}

static void write_inbound_queue_length(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_inbound_queue_length, NULL, sources->inbound_length);
}

static void write_delayed_tasks(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_delayed_tasks, NULL, sources->delayed);
}

static void write_store_commit(struct buffer *out, const struct metrics_sources *sources)
{
    if (sources->store_commit != NULL)
        metric_text_histogram(out, METRIC_store_commit, NULL, sources->store_commit);
}

static void write_scheduler_info(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_scheduler_info, VALUES(sources->policy), 1);
}

static void write_build_info(struct buffer *out, const struct metrics_sources *sources)
{
    metric_text_number(out, METRIC_build_info, VALUES(sources->version), 1);
}

void metrics_write(struct buffer *out, const struct metrics_sources *sources)
{
#define METRIC(noun, kind, name, labels, help)                                                     \
    metric_text_head(out, METRIC_##noun);                                                          \
    write_##noun(out, sources);
#include "serve/metrics.def"
#undef METRIC
}
