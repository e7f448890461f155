/* A walk in depth without recursion: a task is put out when all that it needs is. A need that leads
 * back to a task on the path closes a circle. Each circle has a need for a later task, since all
 * others lead back towards the beginning of the file; the last such on the path is carried along,
 * so that nothing has to be searched. */
#include <assert.h>
#include <stdlib.h>

#include "accept/graph.h"
#include "support/memory.h"

enum { NOT_SEEN = 0, DONE = 1, ON_PATH = 2 }; /* ON_PATH + n: the n-th on it */

struct walk {
    const struct graph *graph;
    uint32_t *seen;  /* by task */
    uint32_t *order; /* filled up to done */
    uint32_t done;
    /* the path from a task to what it needs, and so on */
    uint32_t *path, *next, *forward; /* task; its next need; the last on the path that needs a
                                        later task */
    size_t length, capacity;
    void (*circle)(void *context, const struct graph_circle *circle);
    void *context;
};

static void walk_push(struct walk *walk, uint32_t task)
{
    size_t at = walk->length++;
    if (at == walk->capacity) {
        walk->capacity = walk->capacity ? walk->capacity * 2 : 256;
        walk->path = memory_grow(walk->path, walk->capacity, sizeof *walk->path);
        walk->next = memory_grow(walk->next, walk->capacity, sizeof *walk->next);
        walk->forward = memory_grow(walk->forward, walk->capacity, sizeof *walk->forward);
    }
    walk->seen[task] = ON_PATH + (uint32_t)at;
    walk->path[at] = task;
    walk->next[at] = 0;
    walk->forward[at] = 0;
    if (at > 0)
        walk->forward[at] = task > walk->path[at - 1] ? (uint32_t)at - 1 : walk->forward[at - 1];
}

static void walk_pop(struct walk *walk)
{
    uint32_t task = walk->path[--walk->length];
    walk->seen[task] = DONE;
    walk->order[walk->done++] = task;
}

/* The need that the last on the path has for one that is on it too. */
static void say_circle(const struct walk *walk, uint32_t needed)
{
    size_t begin = walk->seen[needed] - ON_PATH, last = walk->length - 1;
    size_t forward = needed > walk->path[last] ? last : walk->forward[last];
    assert(forward >= begin);
    size_t first = graph_of(walk->graph, walk->path[forward]).first;
    walk->circle(walk->context, &(struct graph_circle){.tasks = walk->path + begin,
                                                       .count = walk->length - begin,
                                                       .forward = forward - begin,
                                                       .need = first + walk->next[forward] - 1});
}

static void walk_on(struct walk *walk)
{
    size_t at = walk->length - 1;
    struct graph_needs needs = graph_of(walk->graph, walk->path[at]);
    while (walk->next[at] < needs.count) {
        uint32_t needed = needs.tasks[walk->next[at]++];
        if (needed == GRAPH_UNKNOWN || walk->seen[needed] == DONE)
            continue;
        if (walk->seen[needed] == NOT_SEEN) {
            walk_push(walk, needed);
            return;
        }
        say_circle(walk, needed);
    }
    walk_pop(walk);
}

uint32_t *graph_sort(const struct graph *graph, uint32_t count,
                     void (*circle)(void *context, const struct graph_circle *circle),
                     void *context)
{
    struct walk walk = {.graph = graph, .circle = circle, .context = context};
    walk.order = memory_grow(NULL, (size_t)count + 1, sizeof *walk.order);
    walk.seen = calloc((size_t)count + 1, sizeof *walk.seen);
    if (walk.seen == NULL)
        abort();
    for (uint32_t task = 0; task < count; task++) {
        if (walk.seen[task] == NOT_SEEN)
            walk_push(&walk, task);
        while (walk.length > 0)
            walk_on(&walk);
    }
    free(walk.seen);
    free(walk.path);
    free(walk.next);
    free(walk.forward);
    return walk.order;
}
