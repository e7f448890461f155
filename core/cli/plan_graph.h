/* plan_graph: `run --graph`: which task of a job needs which, as text for a program that draws it.
 * Main thread. */
#pragma once

#include "accept/job.h"

enum plan_graph { PLAN_GRAPH_NONE, PLAN_GRAPH_DOT, PLAN_GRAPH_MERMAID };

/* The words of --graph, from PLAN_GRAPH_DOT on; ends in NULL. */
extern const char *const plan_graph_words[];

/* Prints the graph of a checked job that was not handed on yet; not PLAN_GRAPH_NONE. */
void plan_graph_print(const struct job *job, enum plan_graph form);
