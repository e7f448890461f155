/* Two arrays: needs, and by task where its part of them begins. That is four bytes for each need
 * and each task up to the last that needs one; a job whose tasks need nothing has no graph. */
#include "accept/graph.h"
#include "support/memory.h"

#include <assert.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 256 };

#define BEGUN (UINT32_C(1) << 31)

struct numbers {
    uint32_t *items;
    size_t count, capacity;
};

struct graph {
    struct numbers first; /* by task: index of its first need, and BEGUN */
    struct numbers needs;
};

static void numbers_push(struct numbers *numbers, uint32_t number)
{
    if (numbers->count == numbers->capacity) {
        numbers->capacity = numbers->capacity ? numbers->capacity * 2 : CAPACITY_FIRST;
        numbers->items = memory_grow(numbers->items, numbers->capacity, sizeof *numbers->items);
    }
    numbers->items[numbers->count++] = number;
}

struct graph *graph_create(void)
{
    struct graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL)
        abort();
    return graph;
}

void graph_destroy(struct graph **graph)
{
    if (*graph == NULL)
        return;
    free((*graph)->first.items);
    free((*graph)->needs.items);
    free(*graph);
    *graph = NULL;
}

void graph_begin(struct graph *graph, uint32_t task)
{
    assert(task >= graph->first.count);
    while (graph->first.count <= task)
        numbers_push(&graph->first, (uint32_t)graph->needs.count);
    graph->first.items[task] |= BEGUN;
}

void graph_add(struct graph *graph, uint32_t needed)
{
    assert(graph->first.count > 0 && graph->needs.count < BEGUN);
    numbers_push(&graph->needs, needed);
}

void graph_set(struct graph *graph, size_t need, uint32_t needed)
{
    assert(need < graph->needs.count && graph->needs.items[need] == GRAPH_UNKNOWN);
    graph->needs.items[need] = needed;
}

size_t graph_count(const struct graph *graph)
{
    return graph->needs.count;
}

struct graph_needs graph_of(const struct graph *graph, uint32_t task)
{
    if (task >= graph->first.count)
        return (struct graph_needs){0};
    const uint32_t *first = graph->first.items;
    uint32_t begin = first[task] & ~BEGUN;
    size_t end = task + 1 < graph->first.count ? first[task + 1] & ~BEGUN : graph->needs.count;
    return (struct graph_needs){graph->needs.items + begin, end - begin, begin,
                                (first[task] & BEGUN) != 0};
}
