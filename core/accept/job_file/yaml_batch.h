/* yaml_batch: some events of libyaml in a row, each as a node with its anchor and its tag, with
 * their texts. Embedded by its yaml_feed; belongs to one thread at a time, which fills or reads
 * it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

#include "accept/job_file/job_input.h"
#include "accept/job_file/yaml_node.h"
#include "support/thread.h"

enum { YAML_BATCH_ITEMS_MOST = 512, YAML_BATCH_TEXT_BYTES = 8 * 1024 };

struct yaml_item {
    struct yaml_node node; /* END for what is no node, too */
    const char *anchor;    /* an alias's own name as well; NULL: none */
    const char *tag;       /* NULL: none */
    uint8_t type;          /* a yaml_event_type_t */
    bool double_quoted;
};

struct yaml_batch {
    _Alignas(THREAD_LINE_BYTES) uint32_t count;
    bool last;         /* nothing comes behind: the stream's end, or what libyaml cannot parse */
    yaml_event_t kept; /* the last item's, if its texts found no room below; else none */
    size_t text_bytes; /* used of texts */
    _Alignas(THREAD_LINE_BYTES) struct yaml_item items[YAML_BATCH_ITEMS_MOST];
    char texts[YAML_BATCH_TEXT_BYTES];
};

/* Makes an empty batch. */
void yaml_batch_init(struct yaml_batch *batch);

/* Fills the batch anew with at most `most` events; false if it is the last one. May block in the
 * input. */
bool yaml_batch_fill(struct yaml_batch *batch, yaml_parser_t *parser, struct job_input *input,
                     uint32_t most);

/* Frees what it keeps. */
void yaml_batch_fini(struct yaml_batch *batch);
