/* yaml_feed: a YAML file as a stream of libyaml's events, as nodes with their anchors and tags. Of
 * a large file that can be read without waiting, a thread of its own parses what comes next while
 * the nodes before are used: libyaml's part is most of the work. Created by a yaml_source; used by
 * the reader's thread alone. */
#pragma once

#include <yaml.h>

#include "accept/job_file/job_input.h"
#include "accept/job_file/yaml_batch.h"
#include "support/limit.h"

enum {
    YAML_FEED_AHEAD_LEAST_BYTES =
        LIMIT(256 * 1024, 12 * 1024), /* a smaller file is not worth a thread */
};

struct yaml_feed;

/* Makes a feed over an input, which is borrowed and the feed's alone until it is destroyed. */
struct yaml_feed *yaml_feed_create(struct job_input *input);

/* Does what yaml_feed_destroy does, but keeps the memory for yaml_feed_restart. */
void yaml_feed_rest(struct yaml_feed *feed);

/* Begins with another input, after yaml_feed_rest, as a feed that is made anew. */
void yaml_feed_restart(struct yaml_feed *feed, struct job_input *input);

/* Ends the thread and frees all, perhaps after one more batch; clears the pointer; accepts NULL. */
void yaml_feed_destroy(struct yaml_feed **feed);

/* Returns the next item, valid until the next call; NULL where libyaml cannot go on. Not to be
 * called behind the stream's end or NULL. May block in the input. */
const struct yaml_item *yaml_feed_next(struct yaml_feed *feed);

/* Returns the parser, to see why it cannot go on: after yaml_feed_next has said NULL. */
const yaml_parser_t *yaml_feed_parser(const struct yaml_feed *feed);
