/* yaml_batch: some events of libyaml in a row, packed with their texts, for another thread to read:
 * each as a node with its anchor and its tag. Embedded by its yaml_feed; belongs to one thread at a
 * time, which fills or reads it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "accept/job_file/job_input.h"
#include "accept/job_file/yaml_node.h"
#include "support/thread.h"

enum { YAML_BATCH_BYTES = 16 * 1024 };

struct yaml_item {
    yaml_event_type_t type;
    struct yaml_node node; /* END for what is no node, too */
    bool double_quoted;
    const char *anchor; /* an alias's own name as well; NULL: none */
    const char *tag;    /* NULL: none */
    uint32_t
        character; /* a document's start: its first one; a document's end: that behind its last;
                           counted from the first that was parsed */
};

struct yaml_batch {
    _Alignas(THREAD_LINE_BYTES) size_t used_bytes; /* of bytes */
    bool last;     /* nothing comes behind: the stream's end, or what libyaml cannot parse */
    bool has_kept; /* an event behind the packed ones that found no room */
    yaml_event_t kept;
    struct yaml_item kept_item; /* its texts are those of kept */
    char bytes[YAML_BATCH_BYTES];
};

/* How many events yaml_batch_fill takes. */
enum yaml_batch_most { YAML_BATCH_ONE, YAML_BATCH_FULL };

/* Makes an empty batch. */
void yaml_batch_init(struct yaml_batch *batch);

/* Fills the batch anew; false if it is the last one. May block in the input. */
bool yaml_batch_fill(struct yaml_batch *batch, yaml_parser_t *parser, struct job_input *input,
                     enum yaml_batch_most most);

/* Moves what is in a batch to another one in place of what was there. */
void yaml_batch_move(struct yaml_batch *to, struct yaml_batch *from);

/* Reads the item at *at, which begins with 0 and is moved on; its texts are the batch's. False at
 * the end. */
bool yaml_batch_read(const struct yaml_batch *batch, size_t *at, struct yaml_item *item);

/* Frees what it keeps. */
void yaml_batch_fini(struct yaml_batch *batch);
