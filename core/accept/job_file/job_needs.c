#include "accept/job_file/job_needs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/graph.h"
#include "accept/job.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_value.h"
#include "accept/window.h"
#include "support/memory.h"

enum { CAPACITY_FIRST = 256 };

void job_needs_fini(struct job_needs *needs)
{
    free(needs->tasks);
    free(needs->hand.items);
    free(needs->open.items);
    free(needs->listed_tasks.lists);
    free(needs->listed_names.lists);
    buffer_fini(&needs->ids);
    name_table_fini(&needs->names);
    *needs = (struct job_needs){0};
}

void job_needs_begin(struct job_needs *needs)
{
    needs->count = 0;
    needs->named = false;
    needs->hand.count = 0;
    needs->ids.length = 0;
}

static void push(struct job_needs *needs, uint32_t task)
{
    if (needs->count == needs->capacity) {
        needs->capacity = needs->capacity ? needs->capacity * 2 : CAPACITY_FIRST;
        needs->tasks = memory_grow(needs->tasks, needs->capacity, sizeof *needs->tasks);
    }
    needs->tasks[needs->count++] = task;
}

static void push_open(struct job_need_opens *opens, struct job_need_open open)
{
    if (opens->count == opens->capacity) {
        opens->capacity = opens->capacity ? opens->capacity * 2 : CAPACITY_FIRST;
        opens->items = memory_grow(opens->items, opens->capacity, sizeof *opens->items);
    }
    opens->items[opens->count++] = open;
}

/* Notes that it stands in a list; false if it did already. */
static bool list_once(struct job_listed *listed, size_t number, uint32_t list)
{
    size_t before = listed->capacity;
    while (number >= listed->capacity)
        listed->capacity = listed->capacity ? listed->capacity * 2 : CAPACITY_FIRST;
    if (listed->capacity > before) {
        listed->lists = memory_grow(listed->lists, listed->capacity, sizeof *listed->lists);
        memset(listed->lists + before, 0, (listed->capacity - before) * sizeof *listed->lists);
    }
    bool is_new = listed->lists[number] != list;
    listed->lists[number] = list;
    return is_new;
}

/* ---- one name ---- */

struct name {
    const struct yaml_node *node;
    struct params_text text;
    bool is_pair; /* the node is NAME[*], the text that of one instance */
};

static void report(struct job_reader *reader, const struct name *name, enum job_file_error code,
                   const char *format)
{
    job_report(&reader->faults, (struct job_fault){code, name->node->place, NULL}, format,
               yaml_node_shown(name->node).text);
}

static bool is_outside(const struct job_reader *reader, uint32_t task, uint32_t needed)
{
    return reader->job->mode == JOB_STREAMED && task - needed > JOB_STREAM_WINDOW;
}

static void refuse_outside(struct job_reader *reader, struct place place, const char *id,
                           uint32_t back)
{
    job_report(&reader->faults, (struct job_fault){JOB_FILE_STREAM_WINDOW, place, NULL},
               "'%s' is outside the stream window: %" PRIu32 " tasks back, at most %d are known",
               id, back, JOB_STREAM_WINDOW);
}

/* In a streamed job places are used again: of two that share one, the older cannot be found any
 * more. */
static void add_known(struct job_reader *reader, const struct name *name, uint32_t number)
{
    struct job_needs *needs = &reader->needs;
    bool streamed = reader->job->mode == JOB_STREAMED;
    uint32_t task = reader->job->tasks_count;
    size_t place = streamed ? number % (2 * JOB_STREAM_WINDOW) : number;
    if (is_outside(reader, task, number)) {
        refuse_outside(reader, name->node->place, name->text.bytes, task - number);
    } else if (list_once(&needs->listed_tasks, place, needs->list)) {
        push(needs, number);
        if (streamed)
            buffer_append(&needs->ids, name->text.bytes, name->text.length + 1);
    } else {
        report(reader, name, JOB_FILE_DUPLICATE_NEED, "'%s' stands in 'needs' twice");
    }
}

/* Of a checked job the task may come later. */
static void add_open(struct job_reader *reader, const struct name *name)
{
    struct job_needs *needs = &reader->needs;
    const struct params_text *text = &name->text;
    const uint32_t *known = name_table_find(&needs->names, text->bytes, text->length);
    uint32_t number = known != NULL ? *known : (uint32_t)needs->names.count;
    if (known == NULL)
        name_table_set(&needs->names, text->bytes, text->length, number);
    if (!list_once(&needs->listed_names, number, needs->list)) {
        report(reader, name, JOB_FILE_DUPLICATE_NEED, "'%s' stands in 'needs' twice");
        return;
    }
    push_open(&needs->hand, (struct job_need_open){.need = (uint32_t)needs->count,
                                                   .name = number,
                                                   .is_pair = name->is_pair,
                                                   .place = name->node->place});
    push(needs, GRAPH_UNKNOWN);
}

/* In a stream there is no later; and what is far back is not known any more. */
static void refuse_unknown(struct job_reader *reader, const struct name *name)
{
    const struct job_group *other =
        name->is_pair ? job_groups_find_of(reader, name->text.bytes, name->text.length) : NULL;
    if (other != NULL) {
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_UNKNOWN_TASK, name->node->place, NULL},
                   "'%s' pairs the tasks of two for_each: '%.*s' has %" PRIu32 ", this one more",
                   yaml_node_shown(name->node).text, (int)strcspn(name->text.bytes, "["),
                   name->text.bytes, other->count);
        return;
    }
    if (reader->job->tasks_count > JOB_STREAM_WINDOW) {
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_STREAM_WINDOW, name->node->place, NULL},
                   "'%s' is outside the stream window: it is none of the last %d tasks",
                   yaml_node_shown(name->node).text, JOB_STREAM_WINDOW);
        return;
    }
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_UNKNOWN_TASK, name->node->place,
                                  "in a streamed file a task needs only what stands before it"},
               "no task before has the id '%s'", yaml_node_shown(name->node).text);
}

/* Often it is what was found last, as where many need one task, or the next in the file, as where
 * one needs many. */
static bool find_known(struct job_reader *reader, const struct params_text *id, uint32_t *number)
{
    const struct job *job = reader->job;
    uint32_t *found = &reader->needs.found;
    if (job_is_task(job, *found, id->bytes))
        *number = *found;
    else if (job_is_task(job, *found + 1, id->bytes))
        *number = *found + 1;
    else if (!job_find_task(job, id->bytes, id->length, number))
        return false;
    *found = *number;
    return true;
}

static void add_one(struct job_reader *reader, const struct name *name)
{
    uint32_t number;
    if (find_known(reader, &name->text, &number))
        add_known(reader, name, number);
    else if (reader->job->mode == JOB_CHECKED)
        add_open(reader, name);
    else
        refuse_unknown(reader, name);
}

/* ---- names of a for_each ---- */

struct instance_id {
    char text[TASK_ID_MOST_BYTES + sizeof "[4294967295]"];
};

/* Makes the name that of one instance; its base are the first letters. */
static void name_instance(struct name *name, size_t base, uint32_t number, struct instance_id *id)
{
    int length = snprintf(id->text, sizeof id->text, "%.*s[%" PRIu32 "]", (int)base,
                          name->text.bytes, number);
    name->text = (struct params_text){id->text, (uint32_t)length};
}

/* All instances. They may come later in a file that is read again: then each is an open one. */
static void add_group(struct job_reader *reader, const struct name *group, struct job_group tasks)
{
    size_t base = group->text.length, faults = reader->faults.count;
    for (uint32_t i = 0; i < tasks.count && reader->faults.count == faults; i++) {
        struct name name = *group;
        struct instance_id id;
        name_instance(&name, base, i, &id);
        if (tasks.first + i < reader->job->tasks_count)
            add_known(reader, &name, tasks.first + i);
        else
            add_open(reader, &name);
    }
}

/* name[*]: of another for_each, the instance with the number of the one in hand; not known where
 * that is wrong. */
static void add_pair(struct job_reader *reader, struct name *name)
{
    struct instance_id id;
    if (!reader->each.wrong && !job_each_awaited(reader) && !reader->each.in_hand) {
        bool streamed = reader->job->mode == JOB_STREAMED;
        job_report(
            &reader->faults,
            (struct job_fault){JOB_FILE_UNKNOWN_TASK, name->node->place,
                               streamed ? "in a streamed file 'for_each' stands before it" : NULL},
            "'%s' names the task of the same number, and this one is in no for_each",
            yaml_node_shown(name->node).text);
    } else if (reader->each.in_hand) {
        name_instance(name, name->text.length - strlen("[*]"), reader->each.instances, &id);
        name->is_pair = true;
        add_one(reader, name);
    }
}

static void read_name(struct job_reader *reader, const struct yaml_node *node)
{
    const struct job_want want = {"an item of ", "needs", "the id of a task", JOB_QUOTES_ALLOWED};
    struct name name = {.node = node};
    if (!job_value_text(reader, node, want, &name.text))
        return;
    char text[TASK_ID_MOST_BYTES + 1];
    const struct params_text *id = &name.text;
    reader->needs.named = true;
    if (id->length > TASK_ID_MOST_BYTES) {
        add_one(reader, &name);
        return;
    }
    memcpy(text, id->bytes, id->length + 1); /* what is read next may take its place */
    name.text.bytes = text;
    const struct job_group *group = job_groups_find(reader, text, id->length);
    if (group != NULL)
        add_group(reader, &name, *group);
    else if (id->length > 3 && strcmp(text + id->length - 3, "[*]") == 0)
        add_pair(reader, &name);
    else
        add_one(reader, &name);
}

bool job_needs_read(struct job_reader *reader, const struct yaml_node *list)
{
    struct yaml_node node;
    job_needs_begin(&reader->needs);
    reader->needs.list++;
    reader->needs.place = list->place;
    if (list->kind != YAML_KIND_LIST) {
        job_value_refuse(reader, list,
                         (struct job_want){"", "needs", "a list of ids", JOB_QUOTES_ALLOWED});
        return yaml_source_skip(reader->source, list);
    }
    while (yaml_source_next(reader->source, &node) && node.kind != YAML_KIND_END) {
        read_name(reader, &node);
        if (!yaml_source_skip(reader->source, &node))
            return false;
    }
    return !yaml_source_broken(reader->source);
}

/* ---- the task has ended ---- */

static bool is_name(const struct job_needs *needs, uint32_t number, const char *id)
{
    const struct name_entry *entry = &needs->names.entries[number];
    const char *text = needs->names.texts.bytes + entry->text;
    return strlen(id) == entry->length && memcmp(text, id, entry->length) == 0;
}

/* Adds the open ones to those of the file, but for one that is the task itself. */
static void keep_open(struct job_reader *reader, const struct task *task, size_t first_need)
{
    struct job_needs *needs = &reader->needs;
    for (size_t i = 0; i < needs->hand.count; i++) {
        struct job_need_open open = needs->hand.items[i];
        if (is_name(needs, open.name, task->id)) {
            job_report(&reader->faults, (struct job_fault){JOB_FILE_CIRCLE, open.place, NULL},
                       "task '%s' needs itself", task->id);
            continue;
        }
        open.need += (uint32_t)first_need;
        open.task = task->number;
        push_open(&needs->open, open);
    }
}

/* What was in the window when the list was read may not be for a later instance of a for_each. */
static bool keep_streamed(struct job_reader *reader, struct task *task)
{
    const struct job_needs *needs = &reader->needs;
    const char *id = needs->ids.bytes;
    for (size_t i = 0; i < needs->count; i++, id += strlen(id) + 1)
        if (is_outside(reader, task->number, needs->tasks[i])) {
            refuse_outside(reader, needs->place, id, task->number - needs->tasks[i]);
            return false;
        }
    window_need(reader->job->window, task,
                (struct window_needs){needs->tasks, needs->ids.bytes, needs->count});
    return true;
}

/* All of a for_each need all of another: that soon is a number that no memory holds. */
static bool has_room(struct job_reader *reader, size_t kept)
{
    const struct job_needs *needs = &reader->needs;
    if (reader->needs_before + kept + needs->count <= JOB_FILE_NEEDS_MOST)
        return true;
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_TOO_LARGE, needs->place,
                                  "needs: [\"name[*]\"] pairs the tasks of two for_each"},
               "the tasks of a job have at most %d needs in all", JOB_FILE_NEEDS_MOST);
    return false;
}

bool job_needs_keep(struct job_reader *reader, struct task *task)
{
    const struct job_needs *needs = &reader->needs;
    if (!needs->named)
        return true;
    if (reader->job->mode == JOB_STREAMED)
        return keep_streamed(reader, task);
    struct graph *graph = job_graph(reader->job);
    if (!has_room(reader, graph_count(graph)))
        return false;
    keep_open(reader, task, graph_count(graph));
    graph_begin(graph, task->number);
    for (size_t i = 0; i < needs->count; i++)
        graph_add(graph, needs->tasks[i]);
    return true;
}
