/* job_types: the task types that a job file names, each looked up once and pinned, and looked up
 * anew when the plugins have changed. Embedded in its job_reader, on the reader's thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/name_table.h"
#include "accept/job_file/yaml_node.h"
#include "plugin/registry.h"

struct job_reader;

struct job_type {
    const struct offer *offer; /* pinned; NULL: unknown or refused */
    char *refused;             /* the reason; NULL: unknown */
    char *hint;                /* may be NULL */
};

struct job_types {
    struct registry *registry; /* NULL: nothing was looked up yet */
    uint32_t version;          /* of the registry when the first was looked up */
    struct name_table names;   /* name -> index */
    struct job_type *types;
    size_t count, capacity;
    const struct offer *last; /* the one found last: most often it comes again */
    size_t last_length;
};

/* Gives the offers back and forgets everything, but keeps the memory. */
void job_types_clear(struct job_types *types);

/* Gives the offers back and frees everything. */
void job_types_fini(struct job_types *types);

/* Returns the offer of the type that a scalar names; NULL if there is none, which is reported. It
 * stays until the next call. May load a plugin. */
const struct offer *job_types_find(struct job_reader *reader, const struct yaml_node *name);
