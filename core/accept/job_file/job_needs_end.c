/* What can be said about needs only when all tasks of a file are known. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/graph.h"
#include "accept/job.h"
#include "accept/job_file/job_needs.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "support/cleanup.h"
#include "support/suggest.h"

enum {
    /* Ids looked at for hints in one file: where more is unknown it is not a matter of letters. */
    SUGGEST_MOST = 2 * 1000 * 1000,
    CIRCLE_SHOWN = 8, /* tasks of a circle: these at its beginning, and its last two */
};

/* ---- names that no task has ---- */

char *job_needs_suggest(struct job_reader *reader, const char *name, size_t length)
{
    const struct job *job = reader->job;
    struct suggest suggest;
    char *hint = NULL;
    suggest_begin(&suggest, name, length);
    for (uint32_t i = 0; i < job->tasks_count && reader->needs.suggested < SUGGEST_MOST; i++) {
        suggest_offer(&suggest, job_task(job, i)->id);
        reader->needs.suggested++;
    }
    if (suggest.best != NULL && asprintf(&hint, "did you mean '%s'?", suggest.best) < 0)
        abort();
    return hint;
}

/* A task that only what is wrong in its for_each keeps from being there: that is reported. */
static bool is_cut_off(const struct job_reader *reader, const char *id, size_t length)
{
    const struct job_group *group = job_groups_find_of(reader, id, length);
    return group != NULL && group->is_cut;
}

/* The length of the name in NAME[NUMBER]. */
static int base_of(const char *id, size_t length)
{
    return (int)((const char *)memrchr(id, '[', length) - id);
}

/* Two for_each of different lengths; false if that is not why the task is not there. */
static bool refuse_pair(struct job_reader *reader, const struct job_need_open *open)
{
    const struct name_entry *entry = &reader->needs.names.entries[open->name];
    const char *id = job_task(reader->job, open->task)->id;
    const char *name = reader->needs.names.texts.bytes + entry->text;
    const struct job_group *own = job_groups_find_of(reader, id, strlen(id));
    const struct job_group *other = job_groups_find_of(reader, name, entry->length);
    if (!open->is_pair || own == NULL || other == NULL)
        return false;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_TASK, open->place, NULL},
               "'%.*s[*]' pairs the tasks of two for_each: '%.*s' has %" PRIu32
               ", '%.*s' has %" PRIu32,
               base_of(name, entry->length), name, base_of(id, strlen(id)), id, own->count,
               base_of(name, entry->length), name, other->count);
    return true;
}

static void refuse_unknown(struct job_reader *reader, const struct job_need_open *open)
{
    const struct name_entry *entry = &reader->needs.names.entries[open->name];
    if (job_groups_find(reader, reader->needs.names.texts.bytes + entry->text, entry->length) &&
        !reader->groups_known) {
        reader->again = reader->groups_known = true; /* a for_each that comes later */
        return;
    }
    if (is_cut_off(reader, reader->needs.names.texts.bytes + entry->text, entry->length) ||
        refuse_pair(reader, open))
        return;
    CLEANUP(cleanup_free)
    char *name = strndup(reader->needs.names.texts.bytes + entry->text, entry->length);
    if (name == NULL)
        abort();
    CLEANUP(cleanup_free) char *hint = job_needs_suggest(reader, name, entry->length);
    const struct yaml_node shown = {.text = name, .length = entry->length};
    job_report(&reader->faults, (struct job_fault){JOB_FILE_UNKNOWN_TASK, open->place, hint},
               "no task has the id '%s'", yaml_node_shown(&shown).text);
}

/* Gives each name the number of its task; GRAPH_UNKNOWN: there is none. */
static void find_tasks(struct job_reader *reader)
{
    const struct name_table *names = &reader->needs.names;
    for (size_t i = 0; i < names->count; i++) {
        struct name_entry *entry = &names->entries[i];
        char id[TASK_ID_MOST_BYTES + 1];
        entry->value = GRAPH_UNKNOWN;
        if (entry->length > TASK_ID_MOST_BYTES)
            continue;
        memcpy(id, names->texts.bytes + entry->text, entry->length);
        id[entry->length] = '\0';
        job_find_task(reader->job, id, entry->length, &entry->value);
    }
}

static void settle_names(struct job_reader *reader)
{
    struct job_needs *needs = &reader->needs;
    struct graph *graph = reader->job->graph;
    find_tasks(reader);
    for (size_t i = 0; i < needs->open.count; i++) {
        const struct job_need_open *open = &needs->open.items[i];
        uint32_t task = needs->names.entries[open->name].value;
        if (task == GRAPH_UNKNOWN)
            refuse_unknown(reader, open);
        else
            graph_set(graph, open->need, task);
    }
}

/* ---- circles ---- */

/* "a -> b -> c -> a", long ones without their middle. */
static void write_path(const struct job *job, const struct graph_circle *circle,
                       struct buffer *path)
{
    bool is_cut = circle->count > CIRCLE_SHOWN + 3;
    for (size_t i = 0; i < circle->count; i++) {
        if (is_cut && i == CIRCLE_SHOWN) {
            buffer_printf(path, "(%zu more) -> ", circle->count - CIRCLE_SHOWN - 2);
            i = circle->count - 2;
        }
        buffer_printf(path, "%s -> ", job_task(job, circle->tasks[i])->id);
    }
    buffer_puts(path, job_task(job, circle->tasks[0])->id);
}

/* Where a need stands that was open: so was each for a later task. They are kept in the order of
 * their numbers. */
static struct place place_of(const struct job_need_opens *open, size_t need)
{
    size_t low = 0, high = open->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (open->items[middle].need < need)
            low = middle + 1;
        else
            high = middle;
    }
    return open->items[low].place;
}

/* Of two for_each that need each other there are millions: behind those that are shown, all that
 * counts is their number. */
static void report_circle(void *context, const struct graph_circle *circle)
{
    struct job_reader *reader = context;
    CLEANUP(buffer_fini) struct buffer path = BUFFER_EMPTY;
    struct job_fault fault = {JOB_FILE_CIRCLE, (struct place){0}, NULL};
    if (reader->faults.diagnostics->found_count < DIAGNOSTIC_KEEP_MOST) {
        fault.place = place_of(&reader->needs.open, circle->need);
        write_path(reader->job, circle, &path);
    }
    job_report(&reader->faults, fault, "tasks need each other in a circle: %s", buffer_text(&path));
}

/* Where every task needs earlier ones alone, there is no circle, and the file's order will do. */
void job_needs_finish(struct job_reader *reader)
{
    if (reader->needs.open.count == 0)
        return;
    settle_names(reader);
    uint32_t *order =
        graph_sort(reader->job->graph, reader->job->tasks_count, report_circle, reader);
    job_set_order(reader->job, order);
}
