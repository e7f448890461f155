/* generation: one build of one plugin, from its private copy to its end. Made by the registry on
 * the loader thread; its workers (core/execute) are the only threads that call into it, besides
 * the one that runs entry and init and the one that runs deinit. */
#pragma once

#include <stdint.h>

#include "plugin/registry.h"

struct pool; /* execute/: the worker threads of one generation */

/* The states of design/plugins.md; PROBED and DRAINING have their places but no code enters them
 * yet. */
enum generation_state {
#define STATE(name, word) GENERATION_##name,
#include "plugin/generation_states.def"
#undef STATE
};

struct generation {
    /* immutable once READY */
    char *plugin;  /* name from the note */
    char *version;
    char *file;    /* as found in its folder */
    uint32_t number; /* from 1, counted per plugin */
    void *self;    /* what init returned */
    struct offer *offers;
    uint32_t offers_count;
    /* set once by execute/ under its own lock, read by it alone */
    struct pool *pool;
    /* the loader thread */
    struct generation_code *code; /* handle, descriptor, copy */
};

/* Returns the offer of a type in this very generation, or NULL. Any thread. */
const struct offer *generation_offer(const struct generation *generation, const struct type *type);
