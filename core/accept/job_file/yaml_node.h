/* yaml_node: one step through a YAML file as the job file reader sees it. Made by yaml_source, on
 * its reader's thread; a value, but for its text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/diagnostic.h"

enum yaml_kind {
    YAML_KIND_SCALAR,
    YAML_KIND_LIST, /* its items follow, then END */
    YAML_KIND_MAP,  /* keys and values follow in turn, then END */
    YAML_KIND_END,
    YAML_KIND_WRONG, /* stands for a node that was reported already */
    YAML_KIND_ALIAS, /* on a tape only */
};

struct yaml_node {
    enum yaml_kind kind;
    bool plain;       /* a scalar without quotes and not a block */
    bool merged;      /* a key that comes from a merge (<<): one that is there already wins */
    const char *text; /* of a scalar, NUL-terminated; valid until the source is asked again */
    size_t length;
    struct place place;  /* where it is written: of an alias, in its anchor */
    uint32_t alias_line; /* of the alias that it came through; 0: none */
};

enum { YAML_SHOWN_BYTES = 48 };

/* A scalar's text for a message, cut where it is long. */
struct yaml_shown {
    char text[YAML_SHOWN_BYTES];
};

/* Returns the text, or its beginning and "...". */
struct yaml_shown yaml_node_shown(const struct yaml_node *scalar);
