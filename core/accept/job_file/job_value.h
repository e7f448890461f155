/* job_value: one scalar of a job file as the kind that is expected there; YAML's own guess plays no
 * part. What is wrong is reported. The reader's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"
#include "plugin/params.h"

enum job_quotes { JOB_QUOTES_ALLOWED, JOB_QUOTES_REFUSED };

/* Whose value it is and what it must be, for messages: {"parameter ", "url", "a string"}. */
struct job_want {
    const char *role, *name;
    const char *kind;
    enum job_quotes quotes; /* of numbers, true and false: they make another value of it */
};

/* Says that a value is of the wrong kind: "'NAME' wants KIND, found ...". */
void job_value_refuse(struct job_reader *reader, const struct yaml_node *node,
                      struct job_want want);

/* Reads any scalar but nothing; the text is valid until the source or another value is read. */
bool job_value_text(struct job_reader *reader, const struct yaml_node *node, struct job_want want,
                    struct params_text *text);

/* Reads a decimal or 0x number between least and most. */
bool job_value_int(struct job_reader *reader, const struct yaml_node *node, struct job_want want,
                   const int64_t limits[2], int64_t *value);

/* Reads a decimal number with a fraction, or without, between least and most. */
bool job_value_float(struct job_reader *reader, const struct yaml_node *node, const char *name,
                     const double limits[2], double *value);

/* Reads one of some words (ending in NULL) and returns its index; -1 if it is none of them. */
int job_value_word(struct job_reader *reader, const struct yaml_node *node, const char *name,
                   const char *const words[]);

/* Reads true or false. */
bool job_value_bool(struct job_reader *reader, const struct yaml_node *node, const char *name,
                    bool *value);

/* Reads a duration of at least least_ns. */
bool job_value_duration(struct job_reader *reader, const struct yaml_node *node, const char *name,
                        int64_t least_ns, int64_t *value);

/* Reads a time in UTC, from 1970 on, as nanoseconds since then. */
bool job_value_time(struct job_reader *reader, const struct yaml_node *node, const char *name,
                    int64_t *wall_ns);
