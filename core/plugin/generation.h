/* generation: one build of one plugin, from its private copy to its end. Made by the registry on
 * the loader thread; its workers (core/execute) are the only threads that call into it, besides
 * the one that runs entry and init and the one that runs deinit. */
#pragma once

#include <stdint.h>

#include "plugin/note.h"
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
    char *plugin; /* name from the note */
    char *version;
    char *file;           /* as found in its folder */
    uint32_t number;      /* from 1, counted per plugin */
    void *self;           /* what init returned */
    struct offer *offers; /* in the order of the note */
    uint32_t offers_count;
    /* set once by execute/ under its own lock, read by it alone */
    struct pool *pool;
    /* the loader thread */
    struct generation_code *code; /* handle, descriptor, copy */
};

/* Where a generation comes from; everything is borrowed for the call. */
struct generation_origin {
    const struct note *note;
    const char *file; /* as found in its folder */
    const char *copy; /* what is mapped */
    uint32_t number;
    const struct type *const *types;         /* in the order of the note */
    const struct registry_setting *settings; /* of all plugins */
    size_t settings_count;
    int64_t start_limit_ns; /* of entry and init, each */
};

/* Maps the copy, runs entry, checks the descriptor, runs init: a READY generation, or NULL with the
 * reason of refusal; then everything is taken back, but for a thread that is still inside entry or
 * init: *left_behind is raised by it. Loader thread; blocks up to twice the limit. */
struct generation *generation_load(const struct generation_origin *origin, uint32_t *left_behind,
                                   struct error *error);

/* Runs deinit, unmaps and frees; clears the pointer. GENERATION_GONE, or GENERATION_PINNED where
 * the code is still mapped. No worker is left. Loader thread; blocks up to limit_ns. */
enum generation_state generation_unload(struct generation **generation, int64_t limit_ns,
                                        uint32_t *left_behind);

/* Returns the offer of a type in this very generation, or NULL. Any thread. */
const struct offer *generation_offer(const struct generation *generation, const struct type *type);

/* Returns the word of a state as `plugin list` shows it. */
const char *generation_state_word(enum generation_state state);
