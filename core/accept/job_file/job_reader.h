/* job_reader: what the parts of the job file reader share while one document is read. Embedded in
 * its job_file, which begins it anew for each document; the reader's thread alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job.h"
#include "accept/job_file.h"
#include "accept/job_file/job_each.h"
#include "accept/job_file/job_groups.h"
#include "accept/job_file/job_labels.h"
#include "accept/job_file/job_late.h"
#include "accept/job_file/job_needs.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/job_retry.h"
#include "accept/job_file/job_types.h"
#include "accept/job_file/job_vars.h"
#include "accept/job_file/name_table.h"
#include "accept/job_file/yaml_source.h"
#include "support/buffer.h"

/* What a task and defaults may both say. */
struct task_fields {
    uint32_t given; /* bit of each enum task_key that stands there, right or wrong */
    int32_t weight; /* or TASK_WEIGHT_AUTO */
    int64_t timeout_ns;
    int64_t due_ns; /* as in struct task: a delay, or an `at` */
    int8_t priority;
    enum task_when when;
    struct place weight_place, when_place;
    struct job_labels labels;
    struct job_retry retry;
    char unique[STORE_KEY_MOST_BYTES + 1];
};

/* What is being read: what ${...} may stand for depends on it. */
enum job_where { JOB_IN_HEAD, JOB_IN_VARS, JOB_IN_TASK, JOB_IN_ID, JOB_IN_FOR_EACH };

struct job_reader {
    /* used again for each task */
    struct buffer params;  /* its packed record */
    struct buffer scratch; /* a text with what its ${...} stand for */
    /* of the whole file */
    const struct job_file_options *options;
    struct job_faults faults;
    struct yaml_source *source;
    struct job_types types;
    /* JOB_CHECKED: what the jobs before this one in the file have: they are in memory together */
    uint32_t tasks_before;
    size_t needs_before;
    uint64_t text_bytes; /* of all texts with ${...} in them, resolved; in a checked file in all */
    uint64_t each_bytes; /* of the parameters and labels of all tasks of for_each; likewise */
    /* of a document */
    struct job *job;  /* first, see job_reader_begin */
    uint32_t given;   /* bit of each enum job_key that stood there */
    bool again;       /* what tasks depend on came behind them: everything is read a second time */
    bool second;      /* this is that time */
    bool blind;       /* what stands before the vars used them: late defaults are not complete */
    bool stopped;     /* the rest is not to be read */
    bool interrupted; /* by the options' stop_fd */
    bool unwanted;    /* JOB_STREAMED: nothing more is to be handed on */
    struct job_vars vars;
    bool vars_known; /* they were read, or are being read */
    struct job_groups groups;
    bool groups_known; /* all of the job's, with their numbers: it is read again for them */
    bool keep_all; /* tasks use their for_each before it stands: their values are kept, then read */
    enum job_where where;
    struct task_fields defaults;
    bool in_defaults;                        /* they are being read */
    const struct sluice_map *shared_labels;  /* of defaults, in the chunk of the task added last */
    const struct sluice_retry *shared_retry; /* kept last, in the same chunk */
    struct task_list batch;                  /* JOB_STREAMED: read, not yet handed on */
    struct job_needs needs;
    /* used again for each task */
    struct task_fields fields;
    struct job_late late; /* what they refer to */
    const struct offer *param_offer;
    const struct param *param; /* whose value is being read; NULL: not a parameter's */
    struct name_table keys;    /* of the map parameter that is being read */
    struct job_each each;      /* last, see job_reader_begin */
};

/* The hint where a job is too large because of those before it. */
#define JOB_READER_BEFORE_COUNT "the jobs before it in the file count as well, unless streamed"

/* Makes the reader ready for a document, whose job this is, after the one before was ended. */
void job_reader_begin(struct job_reader *reader, struct job *job);

/* Lets go of what belongs to the document. */
void job_reader_end(struct job_reader *reader);

/* JOB_STREAMED: hands on the tasks read so far; false, and nothing more of the job is to be read,
 * if they are not wanted. May block. */
bool job_reader_hand_on(struct job_reader *reader);

/* Does so if they are a full batch. */
bool job_reader_hand_on_full(struct job_reader *reader);

/* JOB_STREAMED: job_reader_hand_on_full; JOB_CHECKED: looks, now and then, whether reading is to
 * end. False if it is. May block. */
bool job_reader_goes_on(struct job_reader *reader);

/* Returns how many more tasks the job may have. */
static inline uint32_t job_reader_tasks_left(const struct job_reader *reader)
{
    return JOB_TASKS_MOST - reader->tasks_before - reader->job->tasks_count;
}
