#include "accept/job_file/job_draft.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_labels.h"
#include "accept/job_file/job_params.h"
#include "accept/job_file/job_report.h"
#include "accept/late.h"

/* What follows is set for every task: kept, for example, is not, as it is large. */
void job_draft_begin(struct job_reader *reader, struct job_draft *draft)
{
    draft->fields = &reader->fields;
    draft->faults_before = reader->faults.count;
    draft->id_length = 0;
    draft->offer = NULL;
    draft->type_place.line = 0;
    draft->params_aside = false;
    draft->for_each = false;
    draft->kept_count = 0;
    job_params_begin(reader);
    job_needs_begin(&reader->needs);
}

/* Reads or checks what had to wait for the type. */
static bool read_late_params(struct job_reader *reader, const struct job_draft *draft)
{
    struct yaml_node node;
    if (draft->offer == NULL)
        return true;
    if (draft->params_aside) {
        yaml_source_replay(reader->source, draft->params);
        job_params_begin(reader);
        return yaml_source_next(reader->source, &node) &&
               job_params_read(reader, &node, draft->offer, draft->type_place);
    }
    if ((draft->fields->given & task_key_bit(TASK_KEY_PARAMS)) == 0)
        job_params_none(reader, draft->offer, draft->type_place);
    return true;
}

/* A weight that the type says is checked as if it stood in the task. */
static void check_weight(struct job_reader *reader, const struct job_draft *draft, int32_t weight,
                         struct place place)
{
    int32_t own = reader->job->max_weight, most = reader->options->weight_capacity;
    if (own > 0 && weight > own)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_OUT_OF_RANGE, place, NULL},
                   "weight %" PRId32 " is above the max_weight of this job, %" PRId32, weight, own);
    else if (weight > most)
        job_report(&reader->faults,
                   (struct job_fault){JOB_FILE_OUT_OF_RANGE, place, "give the task a weight"},
                   "weight %" PRId32 " of type '%s' is above the capacity, %" PRId32, weight,
                   draft->offer->type->name, most);
}

static void inherit_weight(struct job_reader *reader, struct job_draft *draft)
{
    struct task_fields *fields = draft->fields;
    int32_t of_type = draft->offer->weight;
    if (fields->given & task_key_bit(TASK_KEY_WEIGHT)) {
        check_weight(reader, draft, fields->weight, fields->weight_place);
    } else if (reader->defaults.given & task_key_bit(TASK_KEY_WEIGHT)) {
        fields->weight = reader->defaults.weight; /* checked once, where it stands */
    } else {
        fields->weight = of_type == SLUICE_WEIGHT_AUTO ? TASK_WEIGHT_AUTO : of_type;
        check_weight(reader, draft, fields->weight, draft->type_place);
    }
}

static void inherit_timeout(struct job_reader *reader, struct job_draft *draft)
{
    if (draft->fields->given & task_key_bit(TASK_KEY_TIMEOUT))
        return;
    int64_t of_type = draft->offer->timeout_ns;
    if (reader->defaults.given & task_key_bit(TASK_KEY_TIMEOUT))
        draft->fields->timeout_ns = reader->defaults.timeout_ns;
    else
        draft->fields->timeout_ns = of_type > 0 ? of_type : reader->options->default_timeout_ns;
}

/* A task that waits for a failure has to say whose. */
static void inherit_when(struct job_reader *reader, struct job_draft *draft)
{
    struct task_fields *fields = draft->fields;
    bool own = fields->given & task_key_bit(TASK_KEY_WHEN);
    if (!own)
        fields->when = reader->defaults.when;
    if (fields->when != WHEN_FAILURE || reader->needs.named ||
        reader->faults.count > draft->faults_before)
        return;
    job_report(
        &reader->faults,
        (struct job_fault){JOB_FILE_MISSING_KEY, own ? fields->when_place : draft->place, NULL},
        "'needs' is missing: with 'when: failure' a task runs when one that it needs has failed");
}

/* Fills in what the task does not say: from defaults, the type, the host, in this order. */
static void inherit(struct job_reader *reader, struct job_draft *draft)
{
    struct task_fields *fields = draft->fields;
    const struct task_fields *defaults = &reader->defaults;
    if ((fields->given & task_key_bit(TASK_KEY_PRIORITY)) == 0)
        fields->priority = defaults->priority;
    if ((fields->given & (task_key_bit(TASK_KEY_DELAY) | task_key_bit(TASK_KEY_AT))) == 0)
        fields->due_ns = defaults->due_ns;
    inherit_when(reader, draft);
    inherit_timeout(reader, draft);
    inherit_weight(reader, draft);
    if (defaults->labels.count > 0 && fields->labels.count > 0)
        job_labels_inherit(reader, &fields->labels, &defaults->labels, draft->place);
}

static void report_duplicate(struct job_reader *reader, const struct job_draft *draft,
                             uint32_t first_line)
{
    bool named = draft->fields->given & task_key_bit(TASK_KEY_ID);
    struct job_fault fault = {JOB_FILE_DUPLICATE_ID, draft->id_place, NULL};
    if (!named)
        fault.hint = "a task without an id is called TYPE-POSITION";
    if (first_line > 0)
        job_report(&reader->faults, fault, "id '%s' is taken by the task in line %" PRIu32,
                   draft->id, first_line);
    else
        job_report(&reader->faults, fault, "id '%s' is taken by an earlier task", draft->id);
}

/* Returns how many digits of a number it has put. */
static size_t put_number(char *to, uint32_t number)
{
    size_t length = number < 10 ? 0 : put_number(to, number / 10);
    to[length] = (char)('0' + number % 10);
    return length + 1;
}

/* Nearly every task is called so: snprintf would be a fifth of what else is done for it. */
static void name_by_type(struct job_draft *draft)
{
    const char *type = draft->offer->type->name;
    size_t length = strlen(type);
    memcpy(draft->id, type, length);
    draft->id[length++] = '-';
    length += put_number(draft->id + length, draft->position);
    draft->id[length] = '\0';
    draft->id_place = draft->place;
    draft->id_length = length;
}

/* The tasks of a for_each are called as it is, with their numbers behind: name[0]. */
static bool name_instance(struct job_reader *reader, struct job_draft *draft)
{
    size_t room = sizeof draft->id - draft->id_length;
    int length =
        snprintf(draft->id + draft->id_length, room, "[%" PRIu32 "]", reader->each.instances);
    draft->id_length += (size_t)length;
    if ((size_t)length < room)
        return true;
    job_report(&reader->faults, (struct job_fault){JOB_FILE_INVALID_ID, draft->id_place, NULL},
               "the id is too long for a for_each: with the number at most %d letters",
               TASK_ID_MOST_BYTES);
    return false;
}

/* An id is either that of a task or that of all tasks of a for_each. */
static bool is_other(struct job_reader *reader, struct job_draft *draft, size_t base)
{
    char id[TASK_ID_MOST_BYTES + 1];
    uint32_t number;
    const struct job_group *group = job_groups_find(reader, draft->id, base);
    bool none = group != NULL && group->count == 0 && !group->is_cut;
    if (!reader->each.in_hand)
        return none || (group != NULL && group->first < reader->job->tasks_count);
    memcpy(id, draft->id, base);
    id[base] = '\0';
    if (reader->each.instances > 0 || !(none || job_find_task(reader->job, id, base, &number)))
        return false;
    memcpy(draft->id, id, base + 1);
    return true;
}

/* Tasks of one chunk that have no labels of their own share those of defaults. */
static const struct sluice_map *labels_of(struct job_reader *reader,
                                          const struct task_fields *fields)
{
    if (fields->labels.count > 0)
        return job_labels_keep(&fields->labels, reader->job);
    if (reader->shared_labels == NULL)
        reader->shared_labels = job_labels_keep(&reader->defaults.labels, reader->job);
    return reader->shared_labels;
}

static const char *unique_of(struct job_reader *reader, const struct task_fields *fields)
{
    uint32_t bit = task_key_bit(TASK_KEY_UNIQUE);
    const struct task_fields *from = fields->given & bit ? fields : &reader->defaults;
    if ((from->given & bit) == 0)
        return NULL;
    size_t bytes = strlen(from->unique) + 1;
    return memcpy(job_alloc(reader->job, bytes, 1), from->unique, bytes);
}

/* Copies the record into the memory of the task that was added last; what it refers to comes in
 * front of it. */
static const char *params_keep(struct job_reader *reader)
{
    uint32_t late = (uint32_t)reader->late.own.count;
    size_t front = late > 0 ? late_bytes(late) : 0, bytes = reader->params.length;
    char *memory = job_alloc(reader->job, front + bytes, late > 0 ? _Alignof(struct result *) : 1);
    if (late > 0)
        late_begin(memory, late);
    memcpy(memory + front, reader->params.bytes, bytes);
    return memory + front;
}

static void fill(struct job_reader *reader, const struct job_draft *draft, struct task *task)
{
    const struct task_fields *fields = draft->fields;
    task->type = draft->offer->type;
    task->priority = fields->priority;
    task->when = (uint8_t)fields->when;
    task->weight = fields->weight;
    task->timeout_ns = fields->timeout_ns;
    task->due_ns = fields->due_ns;
    task->params_bytes = (uint32_t)reader->params.length;
    if (task->params_bytes > 0) {
        task->late = reader->late.own.count > 0;
        task->params = params_keep(reader);
    }
    task->labels = labels_of(reader, fields);
    task->unique = unique_of(reader, fields);
    task->retry = job_retry_keep(reader, fields, &draft->offer->retry);
}

/* What was kept last is in another chunk, which may go. */
static void forget_shared(struct job_reader *reader)
{
    reader->shared_labels = NULL;
    reader->shared_retry = NULL;
}

/* A wrong task is added as well to a job that will not run, so that its id is known to those that
 * follow. */
static struct task *add(struct job_reader *reader, struct job_draft *draft)
{
    uint32_t first_line = 0;
    if (draft->id_length == 0 && draft->offer != NULL &&
        (draft->fields->given & task_key_bit(TASK_KEY_ID)) == 0)
        name_by_type(draft);
    size_t base = draft->id_length;
    if (base == 0 || (reader->each.in_hand && !name_instance(reader, draft)))
        return NULL;
    if (is_other(reader, draft, base)) {
        report_duplicate(reader, draft, 0);
        return NULL;
    }
    struct task *task = job_add_task(reader->job, draft->id, draft->id_length, &first_line);
    if (task == NULL) {
        report_duplicate(reader, draft, first_line);
        return NULL;
    }
    if (reader->each.in_hand)
        job_groups_note(reader, draft->id, base, task->number);
    task->line = draft->place.line;
    if (chunk_count(task->chunk) == 1)
        forget_shared(reader);
    return task;
}

static void take_back(struct job_reader *reader, const struct task *task)
{
    if (task->late)
        late_release(task);
    job_take_back_task(reader->job);
}

bool job_draft_has_room(struct job_reader *reader, struct place place)
{
    if (job_reader_tasks_left(reader) > 0)
        return true;
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_TOO_LARGE, place,
                                  reader->tasks_before > 0 ? JOB_READER_BEFORE_COUNT : NULL},
               "a job has at most %d tasks", JOB_TASKS_MOST);
    return false;
}

bool job_draft_finish(struct job_reader *reader, struct job_draft *draft)
{
    if ((draft->fields->given & task_key_bit(TASK_KEY_TYPE)) == 0)
        job_report(&reader->faults, (struct job_fault){JOB_FILE_MISSING_KEY, draft->place, NULL},
                   "'type' is missing in a task");
    if (!read_late_params(reader, draft))
        return false;
    if (draft->offer != NULL)
        inherit(reader, draft);
    job_late_check(reader);
    struct task *task = add(reader, draft);
    bool right = reader->faults.count == draft->faults_before;
    assert(!right || task != NULL);
    if (right)
        fill(reader, draft, task);
    if (task != NULL && (right || reader->job->mode == JOB_CHECKED))
        right = job_needs_keep(reader, task) && right;
    if (task != NULL)
        job_late_keep(reader, task);
    if (reader->job->mode == JOB_CHECKED)
        return true;
    if (right)
        task_list_push(&reader->batch, task);
    else if (task != NULL)
        take_back(reader, task);
    return right;
}

/* By a task, or by a for_each that stands before. */
static bool is_taken(const struct job_reader *reader, const struct job_draft *draft)
{
    uint32_t number;
    const struct job_group *group = job_groups_find(reader, draft->id, draft->id_length);
    return job_find_task(reader->job, draft->id, draft->id_length, &number) ||
           (group != NULL && group->count > 0 && group->first < reader->job->tasks_count);
}

void job_draft_close_each(struct job_reader *reader, struct job_draft *draft,
                          enum job_group_end how)
{
    if (draft->id_length == 0 && draft->offer != NULL &&
        (draft->fields->given & task_key_bit(TASK_KEY_ID)) == 0)
        name_by_type(draft);
    if (draft->id_length > 0 && how == JOB_GROUP_WHOLE && is_taken(reader, draft))
        report_duplicate(reader, draft, 0);
    else if (draft->id_length > 0)
        job_groups_close(reader, draft->id, draft->id_length, how);
}
