#include "accept/job_file/job_late.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/graph.h"
#include "accept/job.h"
#include "accept/job_file/job_reader.h"
#include "accept/job_file/job_report.h"
#include "accept/late.h"
#include "plugin/name.h"
#include "plugin/param_late.h"
#include "support/cleanup.h"
#include "support/memory.h"

enum { CAPACITY_FIRST = 16, LOOKS_A_STEP = 16, PAIR = sizeof "[*]" - 1 };

void job_late_fini(struct job_late *late)
{
    free(late->own.items);
    free(late->open.items);
    free(late->referred);
    name_table_fini(&late->names);
    *late = (struct job_late){0};
}

void job_late_begin(struct job_reader *reader)
{
    struct job_late *late = &reader->late;
    late->own.count = 0;
    late->turn++;
    if (reader->job->mode == JOB_STREAMED)
        name_table_clear(&late->names);
}

static void push(struct job_references *references, struct job_reference reference)
{
    if (references->count == references->capacity) {
        references->capacity = references->capacity ? references->capacity * 2 : CAPACITY_FIRST;
        references->items =
            memory_grow(references->items, references->capacity, sizeof *references->items);
    }
    references->items[references->count++] = reference;
}

/* ---- while a task is read ---- */

static uint32_t name_number(struct job_late *late, const char *id, size_t length)
{
    const uint32_t *known = name_table_find(&late->names, id, length);
    if (known != NULL)
        return *known;
    name_table_set(&late->names, id, length, (uint32_t)late->names.count);
    return (uint32_t)late->names.count - 1;
}

static struct job_referred *referred_get(struct job_late *late, uint32_t name)
{
    size_t before = late->referred_capacity;
    while (name >= late->referred_capacity)
        late->referred_capacity =
            late->referred_capacity ? late->referred_capacity * 2 : CAPACITY_FIRST;
    if (late->referred_capacity > before) {
        late->referred =
            memory_grow(late->referred, late->referred_capacity, sizeof *late->referred);
        memset(late->referred + before, 0,
               (late->referred_capacity - before) * sizeof *late->referred);
    }
    return &late->referred[name];
}

/* Returns the index in the task's list. */
static uint32_t refer(struct job_late *late, uint32_t name, struct place place)
{
    struct job_referred *referred = referred_get(late, name);
    uint32_t index = (uint32_t)late->own.count;
    if (referred->turn == late->turn)
        return referred->index;
    push(&late->own, (struct job_reference){.name = name, .index = index, .place = place});
    *referred = (struct job_referred){late->turn, index};
    return index;
}

/* Finds the length of the id in front of ".status" or ".output.NAME"; 0: it is neither. Ids may
 * have dots. */
static size_t id_length(const char *text, size_t length)
{
    static const char status[] = ".status", output[] = ".output.";
    enum { STATUS = sizeof status - 1, OUTPUT = sizeof output - 1 };
    for (size_t at = length; at-- > 0;) {
        char name[SLUICE_NAME_MAX + 1];
        size_t left = length - at - (length - at > OUTPUT ? OUTPUT : 0);
        if (length - at <= OUTPUT || left > SLUICE_NAME_MAX || memcmp(text + at, output, OUTPUT))
            continue;
        memcpy(name, text + at + OUTPUT, left);
        name[left] = '\0';
        return name_is_output(name) ? at : 0;
    }
    return length > STATUS && memcmp(text + length - STATUS, status, STATUS) == 0 ? length - STATUS
                                                                                  : 0;
}

static bool is_pair(const char *id, size_t length)
{
    return length > PAIR && memcmp(id + length - PAIR, "[*]", PAIR) == 0;
}

/* Writes the id; name[*] in a for_each is the one with the same number. */
static size_t id_write(const struct job_reader *reader, const char *text, size_t length, char *id)
{
    memcpy(id, text, length);
    if (!reader->each.in_hand || !is_pair(text, length))
        return length;
    size_t own = length - PAIR;
    return own + (size_t)snprintf(id + own, PAIR + 12, "[%" PRIu32 "]", reader->each.instances);
}

/* The number of a for_each that is wrong is not known; that of one that may come, not yet. */
static bool has_no_item(struct job_reader *reader, const char *id, size_t length)
{
    if (!is_pair(id, length) || reader->each.in_hand)
        return false;
    reader->faults.count += reader->each.wrong;
    return reader->each.wrong || job_each_awaited(reader);
}

enum job_late_answer job_late_put(struct job_reader *reader, const struct template_part *part,
                                  struct place place)
{
    char id[TASK_ID_MOST_BYTES + 16];
    size_t written = id_length(part->name, part->name_length);
    if (written == 0 || written > TASK_ID_MOST_BYTES)
        return JOB_LATE_NO_NAME;
    if (has_no_item(reader, part->name, written))
        return JOB_LATE_NO_ITEM;
    size_t length = id_write(reader, part->name, written, id);
    uint32_t name = name_number(&reader->late, id, length);
    uint32_t index = refer(&reader->late, name, place);
    buffer_printf(&reader->scratch, PARAM_LATE_MARK "%" PRIu32 "/%zu/%.*s%.*s" PARAM_LATE_MARK,
                  index, length, (int)length, id, (int)(part->name_length - written),
                  part->name + written);
    reader->late.found = reader->late.found_in_json = true;
    return JOB_LATE_PUT;
}

/* ---- when it was read ---- */

/* Copies an id, with its NUL. */
static const char *id_of(const struct job_late *late, uint32_t name,
                         char id[TASK_ID_MOST_BYTES + 16])
{
    const struct name_entry *entry = &late->names.entries[name];
    memcpy(id, late->names.texts.bytes + entry->text, entry->length);
    id[entry->length] = '\0';
    return id;
}

static bool find(const struct job_reader *reader, uint32_t name, uint32_t *number)
{
    char id[TASK_ID_MOST_BYTES + 16];
    id_of(&reader->late, name, id);
    return job_find_task(reader->job, id, strlen(id), number);
}

static bool needs_directly(const uint32_t *tasks, size_t count, uint32_t needed)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i] == needed)
            return true;
    return false;
}

static void refuse_unknown(struct job_reader *reader, const struct job_reference *reference)
{
    char id[TASK_ID_MOST_BYTES + 16];
    size_t length = strlen(id_of(&reader->late, reference->name, id));
    struct job_fault fault = {JOB_FILE_UNKNOWN_TASK, reference->place, NULL};
    CLEANUP(cleanup_free) char *hint = NULL;
    const struct job_group *all = job_groups_find(reader, id, length);
    const struct job_group *group = job_groups_find_of(reader, id, length);
    if (is_pair(id, length)) {
        if (reader->job->mode == JOB_STREAMED)
            fault.hint = "in a streamed file 'for_each' stands before it";
        job_report(&reader->faults, fault,
                   "'%s' names the task of the same number, and this one is in no for_each", id);
        return;
    }
    if (group != NULL && group->is_cut)
        return; /* what is wrong in its for_each is reported */
    if (all != NULL)
        fault.hint = "a for_each has this name: its tasks are called NAME[0], NAME[1] ...";
    else if (reader->job->mode == JOB_CHECKED)
        fault.hint = hint = job_needs_suggest(reader, id, length);
    job_report(&reader->faults, fault, "no task has the id '%s'", id);
}

static void refuse_not_needed(struct job_reader *reader, const struct job_reference *reference,
                              uint32_t number)
{
    char id[TASK_ID_MOST_BYTES + 16];
    struct job_fault fault = {JOB_FILE_NOT_NEEDED, reference->place,
                              "in a streamed file its id has to stand in 'needs' itself"};
    id_of(&reader->late, reference->name, id);
    if (reader->job->mode == JOB_CHECKED)
        fault.hint = reference->task == number ? NULL : "put its id into 'needs'";
    job_report(&reader->faults, fault,
               reader->job->mode == JOB_CHECKED && reference->task == number
                   ? "task '%s' refers to itself"
                   : "task '%s' is not needed by the task that refers to it",
               id);
}

void job_late_check(struct job_reader *reader)
{
    const struct job_references *own = &reader->late.own;
    const struct job_needs *needs = &reader->needs;
    uint32_t number;
    for (size_t i = 0; i < own->count && reader->job->mode == JOB_STREAMED; i++) {
        if (!find(reader, own->items[i].name, &number))
            refuse_unknown(reader, &own->items[i]);
        else if (!needs_directly(needs->tasks, needs->count, number))
            refuse_not_needed(reader, &own->items[i], number);
    }
}

static void keep_streamed(struct job_reader *reader, struct task *task)
{
    struct job_late *late = &reader->late;
    uint32_t count, number;
    struct result **results = late_results(task, &count);
    for (uint32_t i = 0; i < count; i++)
        if (find(reader, late->own.items[i].name, &number))
            results[i] = job_hold_result(reader->job, number);
}

void job_late_keep(struct job_reader *reader, struct task *task)
{
    struct job_late *late = &reader->late;
    if (late->own.count == 0)
        return;
    if (reader->job->mode == JOB_STREAMED) {
        if (task->late)
            keep_streamed(reader, task);
        return;
    }
    for (size_t i = 0; i < late->own.count; i++) {
        late->own.items[i].task = task->number;
        push(&late->open, late->own.items[i]);
    }
}

/* ---- when all tasks were read ---- */

/* A search from one task towards what it needs. */
struct search {
    const struct job *job;
    const struct graph *graph;
    uint32_t *seen; /* by task: the number of the search that came there last */
    uint32_t turn;
    uint32_t *stack;
    size_t height, capacity;
    uint64_t steps; /* in all searches */
};

static uint32_t place_of(const struct job *job, uint32_t task)
{
    return job->places != NULL ? job->places[task] : task;
}

/* What stands before the one that is searched for cannot need it. */
static void search_push(struct search *search, uint32_t task, uint32_t ancestor)
{
    if (search->seen[task] == search->turn ||
        place_of(search->job, task) < place_of(search->job, ancestor))
        return;
    search->seen[task] = search->turn;
    search->steps++;
    if (search->height == search->capacity) {
        search->capacity = search->capacity ? search->capacity * 2 : CAPACITY_FIRST;
        search->stack = memory_grow(search->stack, search->capacity, sizeof *search->stack);
    }
    search->stack[search->height++] = task;
}

/* Where so much has been searched that a wrong reference would take too long to find, one that is
 * wrong is left to the start of its task. A list of needs may be long, too: some looks at one make
 * a step. */
static bool is_ancestor(struct search *search, uint32_t task, uint32_t ancestor)
{
    search->turn++;
    search->height = 0;
    search_push(search, task, ancestor);
    while (search->height > 0) {
        struct graph_needs needs = graph_of(search->graph, search->stack[--search->height]);
        search->steps += needs.count / LOOKS_A_STEP;
        if (search->steps > JOB_FILE_SEARCH_MOST ||
            needs_directly(needs.tasks, needs.count, ancestor))
            return true;
        for (size_t i = 0; i < needs.count; i++)
            if (needs.tasks[i] != GRAPH_UNKNOWN)
                search_push(search, needs.tasks[i], ancestor);
    }
    return false;
}

static void settle(struct job_reader *reader, struct search *search,
                   const struct job_reference *reference)
{
    struct job *job = reader->job;
    uint32_t number, count;
    if (!find(reader, reference->name, &number)) {
        refuse_unknown(reader, reference);
        return;
    }
    if (search->graph == NULL || !is_ancestor(search, reference->task, number)) {
        refuse_not_needed(reader, reference, number);
        return;
    }
    const struct task *task = job_task(job, reference->task);
    if (task->late)
        late_results(task, &count)[reference->index] = job_hold_result(job, number);
}

void job_late_finish(struct job_reader *reader)
{
    struct job_references *open = &reader->late.open;
    struct search search = {.job = reader->job, .graph = reader->job->graph};
    if (open->count == 0)
        return;
    search.seen = calloc(reader->job->tasks_count, sizeof *search.seen);
    if (search.seen == NULL)
        abort();
    for (size_t i = 0; i < open->count; i++)
        settle(reader, &search, &open->items[i]);
    free(search.seen);
    free(search.stack);
    job_late_fini(&reader->late);
}
