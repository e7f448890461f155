/* job_text: the text of a scalar with what its ${...} stand for put in. The reader's thread. */
#pragma once

#include <stdbool.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"
#include "plugin/params.h"

/* Resolves the text of a scalar that has a dollar in it, in reader->scratch: valid until the next
 * call. False, and reported at its ${...}, if something in it cannot be resolved. */
bool job_text_resolve(struct job_reader *reader, const struct yaml_node *node,
                      struct params_text *text);
