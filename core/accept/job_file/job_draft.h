/* job_draft: a task while it is read, and what becomes of it at its end: it takes over what it does
 * not say, gets its id and becomes a task of the job. On the reader's stack; its thread alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/job_keys.h"
#include "accept/job_file/job_reader.h"
#include "accept/task.h"
#include "plugin/registry.h"

/* The value of a key that is read again for each task of a for_each. */
struct job_kept {
    enum task_key key;
    struct yaml_aside value;
};

struct job_draft {
    struct task_fields *fields; /* what it says so far */
    size_t faults_before;       /* of reader->faults.count */
    struct place place;
    uint32_t position;
    char id[TASK_ID_MOST_BYTES + 1];
    size_t id_length; /* 0: none */
    struct place id_place;
    const struct offer *offer; /* NULL: not seen yet, or wrong */
    struct place type_place;   /* line 0: not seen yet */
    struct yaml_aside params;  /* that came before the type */
    bool params_aside;
    bool for_each; /* it has one: reader->each */
    struct job_kept kept[TASK_KEY_COUNT];
    uint32_t kept_count;
};

/* Begins a task that says nothing so far, but for its place and position. */
void job_draft_begin(struct job_reader *reader, struct job_draft *draft);

/* Returns whether the job may have one more task; if not, it is reported at the place. */
bool job_draft_has_room(struct job_reader *reader, struct place place);

/* Adds the task that was read to the job; one with an error is reported and not handed on. False
 * when the source is broken, or a streamed job has an error. */
bool job_draft_finish(struct job_reader *reader, struct job_draft *draft);

/* Ends the for_each of a task, by whose name others may need all that it has made. */
void job_draft_close_each(struct job_reader *reader, struct job_draft *draft,
                          enum job_group_end how);
