#include "cli/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accept/graph.h"
#include "accept/job.h"
#include "cli/command.h"
#include "cli/output.h"
#include "serve/json_text.h"
#include "serve/task_json.h"
#include "support/cleanup.h"

struct plan {
    struct registry *registry;
    enum plan_graph graph;
    const struct offer *offer; /* found last: most often the next task has the same type */
};

static void add_needs(json_t *json, const struct task *task)
{
    const struct job *job = task->job;
    if (job->graph == NULL)
        return;
    struct graph_needs needs = graph_of(job->graph, task->number);
    if (needs.count == 0)
        return;
    json_t *ids = json_array();
    for (size_t i = 0; i < needs.count; i++)
        json_array_append_new(ids, json_string(job_task(job, needs.tasks[i])->id));
    json_object_set_new(json, "needs", ids);
}

static json_t *task_of(struct plan *plan, const struct task *task)
{
    static const struct param_table none;
    const char *type = task->type->name;
    struct error error;
    if (plan->offer == NULL || plan->offer->type != task->type) {
        registry_unpin(plan->registry, plan->offer);
        plan->offer = NULL;
        if (registry_find(plan->registry, type, strlen(type), &plan->offer, &error) !=
            REGISTRY_FOUND)
            plan->offer = NULL; /* gone since it was read: then all is masked */
    }
    json_t *json = task_json(task, plan->offer != NULL ? &plan->offer->params : &none);
    add_needs(json, task);
    if (task->when != WHEN_SUCCESS) /* with fail_fast it counts without needs as well */
        json_object_set_new(json, "when", json_string(task_whens[task->when]));
    return json;
}

static const struct task *task_at(const struct job *job, uint32_t place)
{
    return job_task(job, job->order != NULL ? job->order[place] : place);
}

/* The keys of a job but its tasks. */
static json_t *head_of(const struct job *job)
{
    json_t *head = json_pack("{si so}", "version", 1, "name", json_text_or_null(job->name));
    if (job->fail_fast)
        json_object_set_new(head, "fail_fast", json_true());
    if (job->max_weight > 0)
        json_object_set_new(head, "max_weight", json_integer(job->max_weight));
    return head;
}

static void print_value(json_t *value)
{
    json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    json_decref(value);
}

static bool has_instances(const struct job *job)
{
    for (uint32_t i = 0; i < job->tasks_count; i++)
        if (strchr(job_task(job, i)->id, '[') != NULL)
            return true;
    return false;
}

/* YAML, a task a line, so that nothing large is held. */
static void print_yaml(struct plan *plan, const struct job *job, bool first)
{
    json_t *head = head_of(job), *value;
    const char *key;
    printf("%s# %s: %u task%s would run\n", first ? "" : "---\n", job->file, job->tasks_count,
           job->tasks_count == 1 ? "" : "s");
    if (has_instances(job))
        printf("# ids with brackets are those of a for_each's tasks; no job file may say them\n");
    json_object_foreach(head, key, value)
    {
        printf("%s: ", key);
        print_value(json_incref(value));
        putchar('\n');
    }
    json_decref(head);
    printf("tasks:\n");
    for (uint32_t i = 0; i < job->tasks_count; i++) {
        printf("  - ");
        print_value(task_of(plan, task_at(job, i)));
        putchar('\n');
    }
}

static void print_json(struct plan *plan, const struct job *job)
{
    json_t *tasks = json_array(), *json = head_of(job);
    for (uint32_t i = 0; i < job->tasks_count; i++)
        json_array_append_new(tasks, task_of(plan, task_at(job, i)));
    json_object_set_new(json, "tasks", tasks);
    output_json(json);
}

static void print_all(struct plan *plan, const struct inputs *inputs, enum format format)
{
    for (const struct job *job = inputs->jobs.first; job != NULL; job = job->next) {
        if (plan->graph != PLAN_GRAPH_NONE)
            plan_graph_print(job, plan->graph);
        else if (format == FORMAT_JSON)
            print_json(plan, job);
        else
            print_yaml(plan, job, job == inputs->jobs.first);
    }
    registry_unpin(plan->registry, plan->offer);
}

int plan_print(struct inputs *inputs, const struct config *config, struct registry *registry,
               const struct options *options, enum plan_graph graph)
{
    struct plan plan = {.registry = registry, .graph = graph};

    inputs_read(inputs, config, registry);
    bool right = inputs_errors(inputs) == 0;
    if (right)
        print_all(&plan, inputs, options->format);
    else if (options->format == FORMAT_JSON)
        output_json(inputs_json(inputs));
    else
        inputs_print(inputs, options);
    return right ? EXIT_ALL_WELL : EXIT_USAGE;
}
