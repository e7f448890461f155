/* json_text: a part of a job file as JSON text, for parameters of kind any: plain true, false, null
 * and numbers are those, all other scalars are strings. The reader's thread. */
#pragma once

#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"

/* Returns the value that a node begins as malloc'ed JSON text, read to its end; NULL if something
 * in it is wrong, which is reported. */
char *json_text_read(struct job_reader *reader, const struct yaml_node *node, const char *param);
