#include "cli/unserved.h"

#include <fnmatch.h>
#include <stdio.h>

#include "dispatch/labels.h"

/* Types with labels that were looked at; of more than fit the rest is left to the run. */
struct asked {
    const struct type *type;
    const struct sluice_map *labels;
};

struct looked_at {
    struct asked items[UNSERVED_SAID_MOST * 4];
    size_t count, said;
};

enum { LOOKED_AT_MOST = sizeof(((struct looked_at *)NULL)->items) / sizeof(struct asked) };

static bool is_known(const struct looked_at *looked_at, const struct task *task)
{
    for (size_t i = looked_at->count; i > 0; i--) {
        const struct asked *asked = &looked_at->items[i - 1];
        if (asked->type == task->type &&
            (asked->labels == task->labels || labels_equal(asked->labels, task->labels)))
            return true;
    }
    return false;
}

/* A type without a group gets one of its own, which has no labels. */
static bool is_served(const struct config *config, const struct task *task)
{
    for (size_t i = 0; i < config->groups_count; i++) {
        const struct config_group *group = &config->groups[i];
        if (fnmatch(group->type, task->type->name, 0) == 0 &&
            labels_include(&group->labels, task->labels))
            return true;
    }
    return false;
}

static void say(const struct task *task)
{
    char labels[256];

    labels_write(task->labels, labels, sizeof(labels));
    fprintf(stderr,
            "%s:%u: warning: no group with labels %s for type '%s', task '%s' waits for one\n",
            task->job->file, task->line, labels, task->type->name, task->id);
}

void unserved_warn(const struct job *job, const struct config *config)
{
    struct looked_at looked_at = {0};

    for (uint32_t i = 0; i < job->tasks_count; i++) {
        const struct task *task = job_task(job, i);
        if (task->labels == NULL || task->type == NULL || is_known(&looked_at, task))
            continue;
        if (looked_at.count == LOOKED_AT_MOST || looked_at.said == UNSERVED_SAID_MOST)
            return;
        looked_at.items[looked_at.count++] = (struct asked){task->type, task->labels};
        if (is_served(config, task))
            continue;
        say(task);
        looked_at.said++;
    }
}
