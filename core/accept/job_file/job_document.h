/* job_document: reads one document of a job file, a job. Stateless; the reader's thread. */
#pragma once

#include "accept/job_file/job_reader.h"
#include "accept/job_file/yaml_node.h"

/* Reads what is in the root node of a document, which is not empty, into the reader's job. Leaves
 * the source somewhere in the document. May block. */
void job_document_read(struct job_reader *reader, const struct yaml_node *root);
