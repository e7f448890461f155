/* job_value: one scalar of a job file as the kind that is expected there; YAML's own guess plays no
 * part. What is wrong is reported. The reader's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/job_reader.h"
#include "accept/yaml_node.h"
#include "plugin/params.h"

/* Whose value it is, for messages: "parameter " and "url", or "" and "timeout". */
struct job_subject {
    const char *role, *name;
};

enum job_quotes { JOB_QUOTES_ALLOWED, JOB_QUOTES_REFUSED };

/* Says that a value is of the wrong kind: "'NAME' wants WANTS, found ...". */
void job_value_refuse(struct job_reader *reader, const struct yaml_node *node,
                      struct job_subject subject, const char *wants);

/* Reads any scalar but nothing; the text is valid until the source or another value is read. */
bool job_value_text(struct job_reader *reader, const struct yaml_node *node,
                    struct job_subject subject, enum job_quotes quotes, const char *wants,
                    struct params_text *text);

/* Reads a decimal or 0x number between least and most. */
bool job_value_int(struct job_reader *reader, const struct yaml_node *node, const char *name,
                   const int64_t limits[2], int64_t *value);

/* Reads true or false. */
bool job_value_bool(struct job_reader *reader, const struct yaml_node *node, const char *name,
                    bool *value);

/* Reads a duration of at least least_ns. */
bool job_value_duration(struct job_reader *reader, const struct yaml_node *node, const char *name,
                        int64_t least_ns, int64_t *value);
