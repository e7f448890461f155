/* job_labels: the labels of one task or of defaults while they are read; a finished task has them
 * as a sluice_map. Embedded in task_fields; the reader's thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "accept/job_file.h"
#include "accept/job_file/yaml_node.h"
#include "accept/task.h"
#include "support/buffer.h"

struct job_reader;

struct job_labels {
    struct buffer texts; /* key NUL value NUL ... */
    struct {
        uint32_t key, value; /* in texts */
    } pairs[JOB_FILE_LABELS_MOST];
    uint32_t count;
};

/* Frees the texts. */
void job_labels_fini(struct job_labels *labels);

/* Reads a map, whose MAP node was read, into empty labels; leaves out what is wrong, reported. */
void job_labels_read(struct job_reader *reader, struct job_labels *labels);

/* Adds those of defaults whose keys are not there; too many in all is reported at the place. */
void job_labels_inherit(struct job_reader *reader, struct job_labels *labels,
                        const struct job_labels *defaults, struct place place);

/* Copies them, sorted by key, into the memory of the task that was added last; NULL if there are
 * none. */
const struct sluice_map *job_labels_keep(const struct job_labels *labels, struct job *job);
