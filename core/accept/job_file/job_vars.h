/* job_vars: the variables of a job, what ${vars.x} stands for: as its file has them, but for those
 * that the command line sets (--set). Embedded in its job_reader; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/job_file/name_table.h"
#include "accept/job_file/yaml_node.h"
#include "support/buffer.h"
#include "support/suggest.h"

struct job_reader;

struct job_vars {
    struct buffer texts;     /* name NUL text NUL ... */
    struct name_table names; /* name -> where it stands in texts; VAR_WRONG: reported */
};

/* Frees everything. */
void job_vars_fini(struct job_vars *vars);

/* Reads the map that a node begins in place of what was read before. Reports what is wrong, and
 * what --set names without the file having it. False when the source is broken. */
bool job_vars_read(struct job_reader *reader, const struct yaml_node *map);

/* For a job without vars: reports all that --set names. */
void job_vars_none(struct job_reader *reader);

/* Returns the text of a variable until the next change; NULL if there is none of that name, or
 * it is wrong. */
const char *job_vars_find(const struct job_vars *vars, const char *name, size_t length);

/* Returns whether there is a variable of that name whose text is not known, as it is wrong. */
bool job_vars_is_wrong(const struct job_vars *vars, const char *name, size_t length);

/* Offers the names of all variables as what was perhaps meant. */
void job_vars_suggest(const struct job_vars *vars, struct suggest *suggest);

/* Returns whether a text can be the name of a variable: 1 to JOB_FILE_VAR_NAME_MOST_BYTES letters,
 * digits, '_' and '-'. */
bool job_vars_name_is_valid(const char *name, size_t length);
