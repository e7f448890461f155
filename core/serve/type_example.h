/* type_example: a job file that uses a task type, made from its table of parameters. Stateless. */
#pragma once

#include "plugin/registry.h"
#include "support/buffer.h"

/* Returns the word for a kind of parameter, such as "duration". */
const char *type_example_kind(enum sluice_kind kind);

/* Adds a job file with one task of the type: what is required or has a default, or else the
 * first parameter; it passes `sluice check`. */
void type_example_write(const struct offer *offer, struct buffer *text);
