/* yaml_problem: what libyaml and the input found wrong, in our words and with its place. Stateless,
 * called on the reader's thread. */
#pragma once

#include <yaml.h>

#include "accept/job_file/job_input.h"
#include "accept/job_file/job_report.h"

/* Reports why yaml_parser_parse failed. */
void yaml_problem_report(const yaml_parser_t *parser, struct job_input *input,
                         struct job_faults *faults);
