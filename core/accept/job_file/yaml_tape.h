/* yaml_tape: nodes of a YAML file that are kept to be read again: what has an anchor, what a merge
 * key names, what came too early. Embedded by the yaml_source that records and replays it; one
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/job_file.h"
#include "accept/job_file/name_table.h"
#include "accept/job_file/yaml_node.h"
#include "support/buffer.h"

struct yaml_tape_entry {
    uint8_t kind; /* enum yaml_kind */
    bool plain;
    uint32_t end; /* list, map: index behind END, 0 while open; alias: index of its target */
    uint32_t length;
    struct place place;
    size_t text; /* in texts */
};

struct yaml_tape {
    struct yaml_tape_entry *entries;
    uint32_t count, capacity;
    struct buffer texts;
    struct name_table anchors;                /* name -> index of the entry */
    uint32_t named;                           /* how often a name was given */
    uint32_t open[JOB_FILE_NESTING_MOST + 1]; /* lists and maps being recorded */
    uint32_t depth;                           /* how many; 0: nothing is being recorded */
};

/* How far a tape was at some time. */
struct yaml_tape_mark {
    uint32_t count, named, depth;
    size_t text;
};

/* Frees everything. */
void yaml_tape_fini(struct yaml_tape *tape);

/* Forgets everything, names too. */
void yaml_tape_clear(struct yaml_tape *tape);

/* Puts a node at the end; a list or map is being recorded from here to its END. target is the entry
 * an alias stands for. */
void yaml_tape_put(struct yaml_tape *tape, const struct yaml_node *node, uint32_t target);

/* Returns whether no more must be put. */
bool yaml_tape_full(const struct yaml_tape *tape);

/* Gives the entry that is put next a name, in place of any older entry of that name. */
void yaml_tape_name_next(struct yaml_tape *tape, const char *name, size_t length);

/* Returns where the index of the entry with a name stands; NULL if there is none. */
const uint32_t *yaml_tape_find(const struct yaml_tape *tape, const char *name, size_t length);

/* Returns the index behind an entry and all that belongs to it; 0 while it is being recorded. */
uint32_t yaml_tape_behind(const struct yaml_tape *tape, uint32_t index);

/* Returns the index of what an entry stands for: another one if it is an alias. */
uint32_t yaml_tape_target(const struct yaml_tape *tape, uint32_t index);

/* Reads an entry; its text is valid until the tape changes. */
struct yaml_node yaml_tape_node(const struct yaml_tape *tape, uint32_t index);

/* Says how far the tape is. */
struct yaml_tape_mark yaml_tape_mark(const struct yaml_tape *tape);

/* Lets go of what was put since then, unless something in it has a name or is being recorded. */
void yaml_tape_forget(struct yaml_tape *tape, struct yaml_tape_mark mark);
