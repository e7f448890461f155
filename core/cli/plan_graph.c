#include "cli/plan_graph.h"

#include <inttypes.h>
#include <stdio.h>

#include "accept/graph.h"

const char *const plan_graph_words[] = {"dot", "mermaid", NULL};

/* In the quotes of either language; ids and types need no escape. */
static void print_quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
}

static void dot_task(const struct task *task)
{
    printf("  \"%s\" [label=\"%s\\n%s\"];\n", task->id, task->id, task->type->name);
}

static void dot_need(const struct task *needed, const struct task *task)
{
    printf("  \"%s\" -> \"%s\"", needed->id, task->id);
    if (task->when != WHEN_SUCCESS)
        printf(" [label=\"%s\", style=dashed]", task_whens[task->when]);
    printf(";\n");
}

static void mermaid_task(const struct task *task)
{
    printf("  t%" PRIu32 "[\"%s<br/>%s\"]\n", task->number, task->id, task->type->name);
}

static void mermaid_need(const struct task *needed, const struct task *task)
{
    if (task->when == WHEN_SUCCESS)
        printf("  t%" PRIu32 " --> t%" PRIu32 "\n", needed->number, task->number);
    else
        printf("  t%" PRIu32 " -. %s .-> t%" PRIu32 "\n", needed->number, task_whens[task->when],
               task->number);
}

struct language {
    void (*task)(const struct task *task);
    void (*need)(const struct task *needed, const struct task *task);
};

static void print_tasks(const struct job *job, struct language language)
{
    for (uint32_t i = 0; i < job->tasks_count; i++)
        language.task(job_task(job, i));
    for (uint32_t i = 0; i < job->tasks_count && job->graph != NULL; i++) {
        struct graph_needs needs = graph_of(job->graph, i);
        for (size_t need = 0; need < needs.count; need++)
            language.need(job_task(job, needs.tasks[need]), job_task(job, i));
    }
}

void plan_graph_print(const struct job *job, enum plan_graph form)
{
    switch (form) {
    case PLAN_GRAPH_NONE:
        break;
    case PLAN_GRAPH_DOT:
        printf("digraph \"");
        print_quoted(job->name);
        printf("\" {\n  rankdir=LR;\n  node [shape=box];\n");
        print_tasks(job, (struct language){dot_task, dot_need});
        printf("}\n");
        break;
    case PLAN_GRAPH_MERMAID:
        printf("flowchart LR\n");
        print_tasks(job, (struct language){mermaid_task, mermaid_need});
        break;
    }
}
