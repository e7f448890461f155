/* generation: one build of one plugin, from its private copy to its end. Made by the registry on
 * the loader thread, where all its steps happen; its workers (core/execute) are the only threads
 * that call into it, besides the one that runs entry, the one that runs init and the one that runs
 * deinit. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugin/loader.h"
#include "plugin/note.h"
#include "plugin/plugin_file.h"
#include "plugin/registry.h"
#include "plugin/signals.h"
#include "plugin/starts.h"

struct pool;   /* execute/: the worker threads of one generation */
struct plugin; /* whose generation it is */
struct reload;

/* The states of design/plugins.md. */
enum generation_state {
#define STATE(name, word) GENERATION_##name,
#include "plugin/generation_states.def"
#undef STATE
};

/* What generations need of the registry that has them; lives longer than they. */
struct generation_house {
    struct loader *loader;
    struct signals signals;
    struct starts *starts;
    int64_t limit_ns;       /* of entry, init and deinit, each */
    int64_t probe_limit_ns; /* 0: no probe */
    void *context;
    /* A step is over. PROBED, and loading goes on; READY, or GONE or PINNED with the reason of
     * refusal; after generation_unload GONE or PINNED, with a reason if deinit hangs. Later GONE or
     * PINNED again, when a thread that was left behind comes back. Loader thread; it may destroy
     * the generation if that is GONE. */
    void (*settled)(void *context, struct generation *generation, enum generation_state state,
                    const struct error *why);
};

struct generation {
    /* immutable once READY */
    char *plugin; /* name from the note */
    char *version;
    char *file;                             /* as found in its folder */
    uint32_t number;                        /* from 1, counted per plugin */
    void *self;                             /* what init returned */
    const struct sluice_settings *settings; /* what init was told */
    struct offer *offers;                   /* in the order of the note */
    uint32_t offers_count;
    const struct offer **by_number; /* the offers in the order of their types' numbers */
    /* set once by execute/ under its own lock, read by it alone */
    _Atomic(struct pool *) pool;
    /* immutable */
    const struct generation_house *house;
    char *copy; /* path of what is mapped */
    uint64_t bytes;
    struct identity identity; /* of the file that was copied */
    struct plugin *owner;
    /* atomic */
    _Atomic bool hanging; /* a thread is left behind in it */
    /* the registry's, guarded by its lock */
    struct generation *next; /* of the same plugin */
    enum generation_state state;
    uint32_t pins;
    bool stuck;    /* drains for ever: counts as pinned */
    bool retiring; /* its unloading is in hand, or over */
    bool busy;     /* the registry's end waits for it */
    /* the loader thread */
    struct reload *reload;         /* which loads it; may be NULL */
    struct start start;            /* .build is immutable, and for any thread */
    struct loader_work retirement; /* has it unloaded */
    struct generation_code *code;  /* handle, descriptor */
};

/* Where a generation comes from; all but owner is borrowed for the call. */
struct generation_origin {
    const struct note *note;
    const struct type *const *types; /* in the order of the note */
    const char *file;                /* as found in its folder */
    const char *copy;                /* what will be mapped */
    uint64_t bytes;
    struct identity identity;
    uint32_t number;
    struct plugin *owner;
    const struct registry_setting *settings; /* of all plugins */
    size_t settings_count;
};

/* Makes a generation that has nothing mapped yet (state CHECKED); NULL with a message. */
struct generation *generation_create(const struct generation_house *house,
                                     const struct generation_origin *origin, struct error *error);

/* Frees it, the code being unmapped or left mapped for good; clears the pointer. */
void generation_destroy(struct generation **generation);

/* Maps the copy, runs entry, checks the descriptor against the note, runs init, unless too many
 * hosts have died of that. Settled may be called before it returns. */
void generation_start(struct generation *generation);

/* Runs deinit, then unmaps. No worker is left, nobody looks at its offers any more. */
void generation_unload(struct generation *generation);

/* Returns the offer of a type in this very generation, or NULL. Any thread. */
const struct offer *generation_offer(const struct generation *generation, const struct type *type);

/* Returns the word of a state as `plugin list` shows it. */
const char *generation_state_word(enum generation_state state);
