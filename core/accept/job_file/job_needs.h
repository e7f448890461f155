/* job_needs: the `needs` of tasks while a file is read: names of tasks that are known already, or,
 * in a checked job, come later in the file. Embedded in job_reader; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file/name_table.h"
#include "accept/job_file/yaml_node.h"
#include "accept/task.h"
#include "support/buffer.h"

struct job_reader;

/* A need for a task that was not known where it stands. */
struct job_need_open {
    uint32_t need; /* which of the list in hand; once it is kept, of all in the graph */
    uint32_t task; /* who needs it, once it is kept */
    uint32_t name; /* which of names */
    bool is_pair;  /* it stands there as NAME[*] */
    struct place place;
};

struct job_need_opens { /* in the order of the file */
    struct job_need_open *items;
    size_t count, capacity;
};

/* By number: in which list it stands last. */
struct job_listed {
    uint32_t *lists;
    size_t capacity;
};

struct job_needs {
    /* the list in hand; the instances of a for_each may share one */
    uint32_t *tasks; /* GRAPH_UNKNOWN: one of hand */
    size_t count, capacity;
    bool named; /* something stands in the list, if only a for_each without tasks */
    struct job_need_opens hand;
    struct buffer ids; /* JOB_STREAMED: each with its NUL */
    struct place place;
    uint32_t list; /* its number, from 1 */
    /* of the whole file */
    struct job_need_opens open;
    struct name_table names; /* of the open ones, each numbered in the order it came */
    struct job_listed listed_tasks, listed_names;
    uint32_t found;     /* the last known one that a list named */
    uint32_t suggested; /* ids that were looked at for hints */
};

/* Frees everything and forgets the file. */
void job_needs_fini(struct job_needs *needs);

/* Begins a task that needs nothing so far. */
void job_needs_begin(struct job_needs *needs);

/* Reads the list that a node begins, in place of what the task needs so far; leaves out what is
 * wrong, reported. False when the source is broken. */
bool job_needs_read(struct job_reader *reader, const struct yaml_node *list);

/* Keeps what was read as the needs of the task added last. False, reported, if one of them is not
 * known any more in a stream. */
bool job_needs_keep(struct job_reader *reader, struct task *task);

/* Returns a malloc'ed hint for an id that no task has, or NULL. JOB_CHECKED. */
char *job_needs_suggest(struct job_reader *reader, const char *id, size_t length);

/* Finds the tasks that were not known, reports what is not there and what runs in a circle, and
 * settles the order in which the tasks are handed on. JOB_CHECKED, when all tasks were read. */
void job_needs_finish(struct job_reader *reader);
