/* plan: `run --dry-run` and `run --graph`: what a run would do, without doing it. Main thread. */
#pragma once

#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/plan_graph.h"
#include "config.h"
#include "plugin/registry.h"

/* Reads the inputs, which are open, as `check` does, and prints each job as it would run: a job
 * file in which everything is resolved, its tasks in the order in which they are handed on; or its
 * graph. All that is wrong in any of them is printed instead. Returns the exit code. */
int plan_print(struct inputs *inputs, const struct config *config, struct registry *registry,
               const struct options *options, enum plan_graph graph);
