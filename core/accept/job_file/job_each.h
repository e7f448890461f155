/* job_each: the for_each of one task: its loops, one for each name, and which item each of them is
 * at. Items come from a list in the file, which is kept, or from a file of lines or CSV, which is
 * read as the tasks are made. Embedded in its job_reader and used again; the reader's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file.h"
#include "accept/job_file/item_file.h"
#include "accept/job_file/yaml_node.h"
#include "support/buffer.h"
#include "support/suggest.h"

struct job_reader;

struct job_loop {
    char name[JOB_FILE_VAR_NAME_MOST_BYTES + 1];
    struct place place; /* of its items */
    char *path;         /* of its file, as the job file has it; NULL: it has a list */
    struct item_file file;
    struct buffer texts; /* of a list: its items, each with its NUL */
    size_t count;        /* of a list */
    size_t next;         /* of a list: where in texts the next item begins */
    const char *item;    /* of a list: the current one */
};

struct job_each {
    uint32_t loops_count;
    uint32_t loops_made; /* so many have been used, and are to be freed */
    bool in_hand;        /* its items stand for ${each.x} */
    bool wrong;          /* something in it is: what ${each.x} stands for is not known */
    uint32_t instances;  /* made so far: the number of the one in hand */
    struct job_loop loops[JOB_FILE_LOOPS_MOST]; /* last: they are seldom so much as zeroed */
};

/* What ${each.NAME} is. */
enum job_each_answer {
    JOB_EACH_FOUND,
    JOB_EACH_NO_NAME,
    JOB_EACH_NO_COLUMN, /* of a CSV file: none of that name, or none was named */
};

/* Frees everything. */
void job_each_fini(struct job_each *each);

/* Reads the map that a node begins in place of the last task's. Reports what is wrong. False when
 * the source is broken. */
bool job_each_read(struct job_reader *reader, const struct yaml_node *map);

/* Goes to the first combination of items; false if there is none, or with a file of items that is
 * wrong, which is reported. */
bool job_each_first(struct job_reader *reader);

/* Goes to the next combination, the last loop's items in turn first; false as job_each_first. */
bool job_each_next(struct job_reader *reader);

/* Returns whether a task that has used a for_each that it has not had so far may still have one:
 * then, in a checked file, all is read again with it first, and what is used counts as wrong. */
bool job_each_awaited(struct job_reader *reader);

/* Forgets it: the task is done. */
void job_each_end(struct job_each *each);

/* Finds the current text of NAME or NAME.COLUMN; valid until the next step. */
enum job_each_answer job_each_find(const struct job_each *each, const char *name, size_t length,
                                   const char **text);

/* Offers what job_each_find would find as what was perhaps meant; the texts live in `names`, until
 * it changes. */
void job_each_suggest(const struct job_each *each, struct suggest *suggest, struct buffer *names);
