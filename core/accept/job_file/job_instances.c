#include "accept/job_file/job_instances.h"

#include "accept/job_file/job_report.h"
#include "accept/job_file/job_task.h"

bool job_instances_begin(struct job_reader *reader, struct job_draft *draft)
{
    struct yaml_node node;
    draft->for_each = true;
    return yaml_source_next(reader->source, &node) && job_each_read(reader, &node);
}

bool job_instances_keep(struct job_reader *reader, enum task_key key, struct job_draft *draft)
{
    struct job_kept *kept = &draft->kept[draft->kept_count++];
    kept->key = key;
    return yaml_source_record(reader->source, &kept->value);
}

static bool read_kept(struct job_reader *reader, struct job_draft *draft)
{
    for (uint32_t i = 0; i < draft->kept_count; i++) {
        yaml_source_replay(reader->source, draft->kept[i].value);
        if (!job_task_value(reader, draft->kept[i].key, draft))
            return false;
    }
    return true;
}

/* A for_each that has made no task, or not all, has a name as well. What stands for the id is read
 * without items; a type with some in it is none, which is no fault. */
static bool close_each(struct job_reader *reader, const struct job_draft *common,
                       enum job_group_end how)
{
    struct job_draft draft = *common;
    size_t faults = reader->faults.count, found = reader->faults.diagnostics->found_count;
    reader->each.in_hand = false;
    reader->each.wrong = true;
    for (uint32_t i = 0; i < draft.kept_count; i++) {
        enum task_key key = draft.kept[i].key;
        if (key != TASK_KEY_ID && key != TASK_KEY_TYPE)
            continue;
        yaml_source_replay(reader->source, draft.kept[i].value);
        if (!job_task_value(reader, key, &draft))
            return false;
    }
    if (reader->faults.diagnostics->found_count == found)
        reader->faults.count = faults;
    job_draft_close_each(reader, &draft, how);
    return true;
}

/* Adds one task of a for_each. */
static bool add_instance(struct job_reader *reader, const struct job_draft *common)
{
    struct job_draft draft = *common;
    return read_kept(reader, &draft) && job_draft_finish(reader, &draft);
}

/* What an instance takes besides its items: a small file must not fill the memory. */
static bool each_has_room(struct job_reader *reader, const struct job_draft *common)
{
    const struct job_labels *labels = &reader->fields.labels;
    reader->each_bytes += reader->params.length + (labels->count > 0 ? labels->texts.length : 0);
    if (reader->job->mode == JOB_STREAMED || reader->each_bytes <= JOB_FILE_EACH_MOST_BYTES)
        return true;
    job_report(&reader->faults,
               (struct job_fault){JOB_FILE_TOO_LARGE, common->place, "--stream has no such limit"},
               "the tasks of for_each have more than 2 GiB of params and labels in all");
    return false;
}

/* Adds the tasks of a for_each; if too many of them are wrong, not all. */
static bool add_instances(struct job_reader *reader, struct job_draft *common)
{
    struct job_each *each = &reader->each;
    size_t before = common->faults_before, wrong = 0;
    bool clean = reader->faults.count == before, goes_on = true;
    bool more = job_each_first(reader);
    yaml_source_count_aliases(reader->source, false);
    while (more && wrong < JOB_FILE_WRONG_INSTANCES) {
        if (clean)
            common->faults_before = reader->faults.count;
        each->in_hand = true;
        goes_on = job_draft_has_room(reader, common->place) && add_instance(reader, common) &&
                  each_has_room(reader, common) && job_reader_goes_on(reader);
        each->instances++;
        wrong += reader->faults.count > common->faults_before;
        more = goes_on && job_each_next(reader);
    }
    yaml_source_count_aliases(reader->source, true);
    bool is_cut = more || each->wrong;
    if (goes_on && (is_cut || each->instances == 0))
        goes_on = close_each(reader, common, is_cut ? JOB_GROUP_CUT : JOB_GROUP_WHOLE);
    return goes_on && (reader->job->mode == JOB_CHECKED || reader->faults.count == before);
}

/* What is wrong in a for_each is no reason not to look for more in the task. */
bool job_instances_add(struct job_reader *reader, struct job_draft *draft)
{
    if (draft->for_each && !reader->each.wrong)
        return add_instances(reader, draft);
    return add_instance(reader, draft) &&
           (!draft->for_each || close_each(reader, draft, JOB_GROUP_CUT));
}
