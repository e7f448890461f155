/* job_late: what the parameters of tasks refer to by ${tasks...} while a file is read: ids, which
 * in a checked job may be of later tasks. Embedded in its job_reader; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/name_table.h"
#include "accept/job_file/template.h"
#include "accept/task.h"
#include "support/diagnostic.h"

struct job_reader;

struct job_reference {
    uint32_t name;  /* which of names */
    uint32_t task;  /* who refers */
    uint32_t index; /* in that task's list */
    struct place place;
};

struct job_references {
    struct job_reference *items;
    size_t count, capacity;
};

/* By name: the parameters that referred to it last, and where it stands in their list. */
struct job_referred {
    uint32_t turn, index;
};

struct job_late {
    struct job_references own; /* of the parameters in hand, each id once */
    uint32_t turn;             /* which parameters these are, from 1 */
    struct job_referred *referred;
    size_t referred_capacity;
    bool found, found_in_json; /* the text, the JSON that was read last has some */
    /* JOB_CHECKED, of the whole file */
    struct job_references open;
    struct name_table names; /* the ids; JOB_STREAMED: of the parameters in hand */
};

/* Frees everything and forgets the file. */
void job_late_fini(struct job_late *late);

/* Begins parameters that refer to nothing so far. */
void job_late_begin(struct job_reader *reader);

/* What ${tasks...} is. */
enum job_late_answer {
    JOB_LATE_PUT,
    JOB_LATE_NO_NAME, /* neither ID.status nor ID.output.NAME */
    JOB_LATE_NO_ITEM, /* NAME[*] of a for_each that is wrong or comes later: that is said, or all is
                         read again */
};

/* Adds ${tasks...} at a place to reader->scratch as param_late reads it. */
enum job_late_answer job_late_put(struct job_reader *reader, const struct template_part *part,
                                  struct place place);

/* JOB_STREAMED: reports what the task in hand refers to without needing it. */
void job_late_check(struct job_reader *reader);

/* Keeps what was read as that of the task added last, which is right if it is late. */
void job_late_keep(struct job_reader *reader, struct task *task);

/* Finds the tasks that were referred to; reports what is not there or is not needed by who refers
 * to it. JOB_CHECKED, when all tasks were read and their needs are known. */
void job_late_finish(struct job_reader *reader);
