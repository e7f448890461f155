/* internal: what the files of the registry (registry, slots, scan, loading, retire, reload, visit)
 * know of each other and nobody else. The loader thread alone changes what the lock guards, but for
 * .wanted and .asked of a plugin and .state, .pins, .stuck and .retiring of a generation, so it
 * reads all else without the lock. The lock is held for moments, never while a plugin runs or a
 * line is logged, and no other lock but the loader's is taken under it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "plugin/folder.h"
#include "plugin/generation.h"
#include "plugin/plugin_file.h"
#include "plugin/registry.h"
#include "plugin/snapshot.h"
#include "support/thread.h"

/* A plugin by its name; made when a file first has the name, lives until the registry ends. */
struct plugin {
    /* immutable */
    struct registry *registry;
    char *name;
    _Atomic(struct generation *) published; /* written by the loader thread under lock */
    /* guarded by the registry's lock */
    struct plugin_file *file;       /* NULL: there is none now */
    struct generation *generations; /* all that are not gone */
    struct generation *loading;     /* the one of them that is not READY yet */
    uint32_t generations_count;     /* made so far */
    uint32_t round;                 /* of the last scan that gave it a file */
    bool wanted;                    /* somebody has asked for one of its types */
    bool asked;                     /* .demand is on its way or seen to */
    struct loader_work demand;
};

/* One type; tasks hold a pointer to its first member. */
struct slot {
    struct type type;
    _Atomic(struct plugin *) owner; /* NULL: only refused files name it */
    /* guarded by the registry's lock */
    uint32_t round; /* of the last scan that gave it to its owner */
    bool served;    /* a generation has offered it */
};

struct registry {
    /* immutable */
    struct registry_options options;
    struct generation_house house;
    struct loader *loader;
    struct snapshots *snapshots;
    size_t folders_count;
    struct mutex lock;
    struct cond changed; /* a load or an unloading is over */
    /* guarded by lock */
    struct plugin_file **files; /* by folder, then by name */
    size_t files_count;
    void *slots; /* a tree of tsearch, by name */
    struct plugin **plugins;
    size_t plugins_count, plugins_capacity;
    uint32_t busy;  /* generations that are being loaded or unloaded */
    bool loads_all; /* what comes is loaded, wanted or not */
    bool closing, closed;
    /* atomic */
    _Atomic uint32_t slots_count, version;
    _Atomic bool reload_asked;
    /* the loader thread */
    struct folder *folders; /* by their places in the options; zeroed where one is not open */
    uint32_t round;
    struct starts starts;
    struct loader_work reloading, ending;
    struct mutex hooks_lock; /* held while a hook runs */
    struct registry_hooks hooks;
};

/* A reload from its scan until the last of its loads is over. */
struct reload {
    struct registry *registry;
    struct registry_reloaded counts;
    uint32_t pending; /* loads, and 1 for the scan */
};

/* Finds a type by name, or NULL. Lock held, or loader thread. */
struct slot *slot_find(const struct registry *registry, const char *name);

/* Finds or makes the type; NULL with a message. Lock held. */
struct slot *slot_get(struct registry *registry, const char *name, struct error *error);

/* Frees all types. */
void slots_fini(struct registry *registry);

/* Returns the type's slot. */
static inline struct slot *slot_of(const struct type *type)
{
    return (struct slot *)type; /* its first member */
}

/* Opens the folders; false with a message if none could be. Before the loader thread starts. */
bool scan_open(struct registry *registry, struct error *error);

/* Lists the folders anew. */
void scan_list_anew(struct registry *registry);

/* Looks at all files of the folders, settles which belongs to which plugin and which type to which
 * plugin, and logs what is refused. Loader thread, or before it starts. */
void scan_files(struct registry *registry, struct registry_reloaded *counts);

/* Says whether the plugin's file should be loaded now. Loader thread, lock not held. */
bool loading_needed(const struct plugin *plugin);

/* Begins to load the plugin's file; for a reload (NULL: for somebody who waits) that counts it.
 * Loader thread; blocks for the copy and dlopen. */
void loading_begin(struct plugin *plugin, struct reload *reload);

/* generation_house.settled; context is the registry. */
void loading_settled(void *context, struct generation *generation, enum generation_state state,
                     const struct error *why);

/* loader_work: somebody waits for a plugin; context is the plugin. */
void loading_demanded(void *context);

/* Takes what the plugin has published back, if anything, and lets go of it. Loader thread. */
void loading_unpublish(struct plugin *plugin);

/* Lets go of a generation that nothing publishes any more. Loader thread. */
void retire_superseded(struct registry *registry, struct generation *generation);

/* Begins to unload a generation. Loader thread. */
void retire_begin(struct generation *generation);

/* Takes note of what became of a generation that is refused or unloaded: frees it if it is GONE.
 * A reason is one for a deinit that hangs. Loader thread. */
void retire_settled(struct registry *registry, struct generation *generation,
                    enum generation_state state, const struct error *why);

/* Begins to unload everything, for the end. loader_work; context is the registry. */
void retire_all(void *context);

/* loader_work of registry_reload; context is the registry. */
void reload_begin(void *context);

/* Counts a part of the reload as over; the last one ends and frees it. NULL is fine. */
void reload_part_over(struct reload *reload);
