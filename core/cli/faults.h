/* faults: what the daemon found wrong in a file, as its answers list it, printed as `check` and
 * `run` print what they find themselves. Stateless; main thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "support/diagnostic.h"

/* Adds the details of an answer to the diagnostics of their file. False if it has none. */
bool faults_add(const json_t *answer, struct diagnostics *diagnostics);

/* Prints the details of an answer, if it has any, without source lines on standard error. */
void faults_print(const json_t *answer, bool colour);
