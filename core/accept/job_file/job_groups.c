#include "accept/job_file/job_groups.h"

#include <stdlib.h>
#include <string.h>

#include "accept/job_file/job_reader.h"
#include "support/memory.h"

static void list_fini(struct job_group_list *list)
{
    name_table_fini(&list->names);
    free(list->items);
    *list = (struct job_group_list){0};
}

void job_groups_fini(struct job_groups *groups)
{
    list_fini(&groups->now);
    list_fini(&groups->before);
}

static struct job_group *list_find(const struct job_group_list *list, const char *name,
                                   size_t length)
{
    const uint32_t *index = name_table_find(&list->names, name, length);
    return index == NULL ? NULL : &list->items[*index];
}

static struct job_group *list_add(struct job_group_list *list, const char *name, size_t length)
{
    size_t index = list->names.count;
    if (index == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items = memory_grow(list->items, list->capacity, sizeof *list->items);
    }
    name_table_set(&list->names, name, length, (uint32_t)index);
    return &list->items[index];
}

/* Returns the group of a name, made if there is none. */
static struct job_group *group_get(struct job_reader *reader, const char *name, size_t length)
{
    struct job_groups *groups = &reader->groups;
    struct job_group *group = list_find(&groups->now, name, length);
    if (reader->job->mode == JOB_STREAMED && groups->now.names.count == JOB_STREAM_WINDOW) {
        list_fini(&groups->before);
        groups->before = groups->now;
        groups->now = (struct job_group_list){0};
        group = NULL;
    }
    return group != NULL ? group : list_add(&groups->now, name, length);
}

void job_groups_note(struct job_reader *reader, const char *name, size_t length, uint32_t number)
{
    struct job_group *group = list_find(&reader->groups.now, name, length);
    if (group != NULL && reader->each.instances > 0)
        group->count = number - group->first + 1;
    else
        *group_get(reader, name, length) = (struct job_group){.first = number, .count = 1};
}

void job_groups_close(struct job_reader *reader, const char *name, size_t length,
                      enum job_group_end how)
{
    struct job_group *group = list_find(&reader->groups.now, name, length);
    if (group == NULL || reader->each.instances == 0) {
        group = group_get(reader, name, length);
        *group = (struct job_group){.first = reader->job->tasks_count};
    }
    group->is_cut = how == JOB_GROUP_CUT;
}

const struct job_group *job_groups_find_of(const struct job_reader *reader, const char *id,
                                           size_t length)
{
    const char *bracket = memrchr(id, '[', length);
    return bracket != NULL ? job_groups_find(reader, id, (size_t)(bracket - id)) : NULL;
}

const struct job_group *job_groups_find(const struct job_reader *reader, const char *name,
                                        size_t length)
{
    const struct job_group *group = list_find(&reader->groups.now, name, length);
    return group != NULL ? group : list_find(&reader->groups.before, name, length);
}
