/* yaml_source: a YAML file as a stream of documents, each as a stream of nodes, with aliases and
 * merge keys (<<) already carried out and limits and encoding checked; nothing is built in memory
 * but what has an anchor. What it finds wrong is reported; after what it cannot read on from, it is
 * broken: every call says false until the next document begins, if there can be one. Created by the
 * job file reader; its thread alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file.h"
#include "accept/job_file/job_input.h"
#include "accept/job_file/job_report.h"
#include "accept/job_file/yaml_node.h"
#include "accept/job_file/yaml_tape.h"

struct yaml_source;

/* A node that was put aside. */
struct yaml_aside {
    uint32_t index;      /* on the tape */
    uint32_t alias_line; /* of the alias that it came through; 0: none */
};

/* Where a document stands. */
struct yaml_span {
    uint32_t first, behind; /* its first character, and that behind its last one, once it was ended;
                               counted from the first of the input */
    struct place place;     /* of its first */
};

/* Makes a source over an input, both borrowed as the faults are. */
struct yaml_source *yaml_source_create(struct job_input *input, struct job_faults *faults);

/* Does what yaml_source_destroy does, but keeps the memory for yaml_source_restart. */
void yaml_source_rest(struct yaml_source *source);

/* Begins with another input, after yaml_source_rest, as a source that is made anew. */
void yaml_source_restart(struct yaml_source *source, struct job_input *input,
                         struct job_faults *faults);

/* Frees it; clears the pointer; accepts NULL. */
void yaml_source_destroy(struct yaml_source **source);

/* Goes to the next document, the one before having been ended; false if there is none or the source
 * is over. May block in its input, as all that reads. */
bool yaml_source_begin(struct yaml_source *source);

/* Leaves the document, skipping what was not read of it. */
void yaml_source_end(struct yaml_source *source);

/* Returns where the document stands. */
struct yaml_span yaml_source_span(const struct yaml_source *source);

/* Returns whether there will be no other document: the file has ended, or cannot be read on. Then
 * nobody else is at the input any more. */
bool yaml_source_over(const struct yaml_source *source);

/* Returns whether the document that was left is nested so deep that even to skip its rest would
 * take too long: libyaml's time grows with the square of the depth. */
bool yaml_source_too_deep(const struct yaml_source *source);

/* Begins the count of what aliases stand for anew. */
void yaml_source_forget_aliases(struct yaml_source *source);

/* Reads the next node, or the END of the list that is being read; false when broken. */
bool yaml_source_next(struct yaml_source *source, struct yaml_node *node);

/* Skips the rest of a node that was read; false when broken. */
bool yaml_source_skip(struct yaml_source *source, const struct yaml_node *node);

/* Reads the next node and skips it; false when broken. */
bool yaml_source_skip_next(struct yaml_source *source);

/* Puts the next node aside, with all that is in it, for yaml_source_replay; false when broken. */
bool yaml_source_record(struct yaml_source *source, struct yaml_aside *aside);

/* Sets whether what aliases stand for counts towards its limit: not while the same is replayed for
 * one task after the other, which are limited themselves. */
void yaml_source_count_aliases(struct yaml_source *source, bool counts);

/* Makes the source go on with a node that was put aside, then where it was. */
void yaml_source_replay(struct yaml_source *source, struct yaml_aside aside);

/* Lists what is in a list that was put aside, or that node itself if it is no list: the first
 * `most` into items; returns how many there are. */
uint32_t yaml_source_items(const struct yaml_source *source, struct yaml_aside aside,
                           struct yaml_aside *items, uint32_t most);

/* Says how far recording is, before a part of the file. */
struct yaml_tape_mark yaml_source_mark(const struct yaml_source *source);

/* Lets go of what was put aside since the mark. */
void yaml_source_forget(struct yaml_source *source, struct yaml_tape_mark mark);

/* Returns the faults that were given to yaml_source_create. */
struct job_faults *yaml_source_faults(struct yaml_source *source);

/* Returns whether reading the document cannot go on. */
bool yaml_source_broken(const struct yaml_source *source);
