/* job_params: the parameters of one task, checked against its type's table and packed. The reader's
 * thread. */
#pragma once

#include <stdbool.h>

#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"
#include "plugin/registry.h"

/* Begins a record without parameters. */
void job_params_begin(struct job_reader *reader);

/* Reads the map that a node begins into reader->params, an empty record. Reports what is wrong,
 * and missing parameters at `place`. False when the source is broken. */
bool job_params_read(struct job_reader *reader, const struct yaml_node *map,
                     const struct offer *offer, struct place place);

/* For a task without params: reports the required ones. */
void job_params_none(struct job_reader *reader, const struct offer *offer, struct place place);
