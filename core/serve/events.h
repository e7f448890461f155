/* events: one JSON line in a file for every task that ends, and for each attempt after which one is
 * tried again (state "delayed", retry_seconds) (`--events FILE`). Created and destroyed
 * by the main thread; lines are made on the threads that end the tasks. */
#pragma once

#include <stdbool.h>

#include "outcome/outcome.h"
#include "support/error.h"

struct events;

/* Opens the file anew and starts its writer; NULL with a message that names it. */
struct events *events_create(const char *file, struct error *error);

/* Adds the line of a task that has ended or is tried again. Blocks only while the file falls far
 * behind. Any thread, no lock held. */
void events_add(struct events *events, const struct outcome_record *record);

/* Writes the rest, closes the file, clears the pointer; accepts NULL. False with a message that
 * names the file if anything could not be written. */
bool events_destroy(struct events **events, struct error *error);
