/* graph: which task of a checked job needs which, in dense arrays by the tasks' numbers. Made by
 * the job when a task first needs another, filled by its reader thread, and gone when the job is
 * handed on: then its dependents (dependents.h) take its place. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stands for a task that is not known yet: it comes later in the file, or never. */
#define GRAPH_UNKNOWN UINT32_MAX

struct graph;

/* What one task needs, in the order of its list; valid until the graph changes. */
struct graph_needs {
    const uint32_t *tasks;
    size_t count;
    size_t first;  /* the number of the first of them among all that were added */
    bool is_begun; /* it was: it waits for its release, if only for its own entering */
};

/* Tasks that need each other: each needs the next one, the last needs the first. */
struct graph_circle {
    const uint32_t *tasks;
    size_t count;
    size_t forward; /* index of one that stands before the task that it needs */
    size_t need;    /* the number of that need among all that were added */
};

/* Makes an empty graph; running out of memory aborts, here and below. */
struct graph *graph_create(void);

/* Frees it; clears the pointer; accepts NULL. */
void graph_destroy(struct graph **graph);

/* Begins the needs of a task, whose number is above all before; perhaps none follow. Reader
 * thread. */
void graph_begin(struct graph *graph, uint32_t task);

/* Adds one to the needs of the task begun last. Reader thread. */
void graph_add(struct graph *graph, uint32_t needed);

/* Says which task a GRAPH_UNKNOWN is; need counts all that were added, from 0. Reader thread. */
void graph_set(struct graph *graph, size_t need, uint32_t needed);

/* Returns how many needs were added. Reader thread. */
size_t graph_count(const struct graph *graph);

/* Returns what a task needs. Reader thread. */
struct graph_needs graph_of(const struct graph *graph, uint32_t task);

/* Brings the tasks 0 to count - 1 into an order in which each comes behind all that it needs, and
 * else as the file has them; says each circle that it meets. Needed only where a task needs a later
 * one. Returns the order, for the caller to free. Reader thread. */
uint32_t *graph_sort(const struct graph *graph, uint32_t count,
                     void (*circle)(void *context, const struct graph_circle *circle),
                     void *context);
