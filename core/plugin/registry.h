/* registry: which task types exist and which generation of which plugin serves them. Created by
 * the host at start. Scanning, loading, publishing and unmapping happen on the loader thread; any
 * thread may look things up.
 *
 * How long an offer lives. A generation is published by one pointer of its plugin, and superseded
 * by another one (or by nothing). After that the host drains it and then says registry_retire:
 * - what registry_offer returns may be used only under the lock under which it was asked for, and
 *   the host takes each of those locks once between superseded and registry_retire (the grace
 *   period: executor_drain), or by a worker of that generation, which is joined before;
 * - what registry_find and registry_peek return is pinned: until registry_unpin its generation is
 *   not unmapped, even if registry_retire was called. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/offer.h"
#include "support/error.h"

struct registry;
struct fallen;

enum {
    REGISTRY_TYPES_MOST = 65536,
    GENERATIONS_LIVE_MOST = 4, /* of a plugin: the active one and those that drain */
    COPIES_PINNED_MOST = 64,   /* of a plugin: still mapped although nobody uses them */
    COPIES_PINNED_MOST_BYTES = 256 * 1024 * 1024,
};

/* Key-values of [plugin:NAME] in the configuration. */
struct registry_setting {
    const char *plugin, *key, *value;
};

/* What a reload did; each plugin is counted once but for kept and refused: a plugin whose new build
 * is refused counts as both. */
struct registry_reloaded {
    uint32_t kept;     /* goes on with the generation it had */
    uint32_t replaced; /* has a new generation */
    uint32_t added;    /* is there now and was not */
    uint32_t removed;  /* its file is gone */
    uint32_t refused;  /* files that were refused now */
};

/* Called on the loader thread, without a lock; each may be NULL. */
struct registry_hooks {
    void *context;
    /* The generation is not published any more: the host drains it and then calls registry_retire,
     * perhaps at once. NULL: nobody calls into plugins, it is retired at once. */
    void (*superseded)(void *context, struct generation *old);
    /* What serves the types has changed; once for each change, before superseded. */
    void (*published)(void *context);
    /* A reload is over, all that it began to load being published or refused. */
    void (*reloaded)(void *context, const struct registry_reloaded *reloaded);
};

struct registry_options {
    const char *const *plugin_dirs; /* NULL-terminated; the first that has a type wins */
    const char *state_dir;          /* private copies go to <state_dir>/code/<instance>/ */
    const struct registry_setting *settings;
    size_t settings_count;
    int64_t start_limit_ns; /* how long entry, init and deinit may take, each */
    /* How long loading may take where it is tried in a process of its own, first of all (see
     * plugin/probe.h); 0: it is not tried, for programs that are not `sluice'. */
    int64_t probe_limit_ns;
    struct fallen *fallen; /* of hosts that have died in a start; NULL: of none */
    bool refusals_listed;  /* the caller shows them by registry_visit_plugins: not logged */
};

enum registry_answer {
    REGISTRY_FOUND,
    REGISTRY_UNKNOWN, /* no plugin's note names the type */
    REGISTRY_REFUSED, /* a plugin names it, but that plugin was refused; the reason is in *error */
    REGISTRY_LOADING, /* its plugin is not loaded yet; also said in *error */
};

/* What `plugin list` shows of one file, and then of each generation of its plugin that is not
 * published but still mapped (state draining, retired or pinned). The texts live for the visit. */
struct registry_plugin {
    const char *file;
    const char *plugin; /* name and version by its note; NULL where that could not be read */
    const char *version;
    const char *state;  /* a word of generation_states.def */
    const char *reason; /* why the file is refused, or what the generation waits for; may be NULL */
    uint32_t generation; /* 0: not loaded */
    const struct type *const *types;
    size_t types_count;
};

/* Scans the folders, reads the notes and makes the place for private copies; runs no plugin code.
 * Files that are refused are logged and listed, never an error; a folder that cannot be opened is
 * logged, and an error if no other could be; a state_dir that code cannot run from is an error:
 * NULL with a message. What options point to must live until registry_destroy. Remembers the signal
 * handlers of the process as the host's own. Starts the loader thread. */
struct registry *registry_create(const struct registry_options *options, struct error *error);

/* Unloads everything (deinit on a thread of each generation, dlclose, verify), removes the
 * private copies, joins the loader thread, clears the pointer. No worker of any generation is
 * left, pins do not count any more. Accepts NULL. */
void registry_destroy(struct registry **registry);

/* Sets the hooks (NULL: none); from its return on the old ones are not called any more. Any thread
 * but the loader; blocks while a hook runs. */
void registry_set_hooks(struct registry *registry, const struct registry_hooks *hooks);

/* Finds the current offer of a type; loads its plugin first if that has not happened (then
 * blocks until it is ready or refused). *offer is pinned until registry_unpin. Never LOADING. Any
 * thread but the loader. */
enum registry_answer registry_find(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error);

/* The same for who must not wait: finds what is published now, loads nothing, and never blocks for
 * long, whatever a plugin does meanwhile. LOADING: ask again later, or registry_find. Any
 * thread. */
enum registry_answer registry_peek(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error);

/* Gives back what registry_find or registry_peek has found; NULL is fine. Any thread; does not
 * block for long. */
void registry_unpin(struct registry *registry, const struct offer *offer);

/* Returns the type of a name that a plugin had once, whether one has it now or not; NULL with a
 * message. For tasks of an earlier host. Does not block for long; any thread. */
const struct type *registry_intern(struct registry *registry, const char *name,
                                   struct error *error);

/* Returns the current offer of a type that was found before, or NULL if nobody serves it now. Takes
 * no lock, never loads. Any thread, under the rule above. */
const struct offer *registry_offer(struct registry *registry, const struct type *type);

/* Returns whether a type is served now, and in *flags the flags of its current offer. Does not
 * block for long. Any thread. */
bool registry_flags(struct registry *registry, const struct type *type, uint32_t *flags);

/* Returns a number that changes whenever what serves the types changes. Any thread; no lock. */
uint32_t registry_version(struct registry *registry);

/* Has the loader look at the folders again: unchanged files stay as they are; changed ones become a
 * new generation (if the plugin was in use; else they are only read anew); new ones join; what is
 * gone is published no more. A build that is refused leaves the running generation. Requests before
 * it begins become one. Any thread; does not block. */
void registry_reload(struct registry *registry);

/* Says that no worker of a superseded generation is left and nobody comes upon it any more: it is
 * unmapped when its last pin is gone. Any thread; does not block. */
void registry_retire(struct registry *registry, struct generation *generation);

/* Says that all that a superseded generation waits for are stuck calls: it counts as pinned, not as
 * live, and is never unmapped, unless registry_retire comes after all. Any thread. */
void registry_pin_stuck(struct registry *registry, struct generation *generation);

/* Returns how many types were interned so far: every number is below. */
uint32_t registry_types_count(struct registry *registry);

/* Calls visit for every type name that the notes of accepted files announce, in sorted order,
 * loaded or not. Plugins that were refused since are left out. The name of a type lives until the
 * registry ends, that of the plugin for the call. Visit must not call the registry. */
void registry_visit_types(struct registry *registry,
                          void (*visit)(void *context, const char *type, const char *plugin),
                          void *context);

/* Loads every plugin that is not loaded yet; refusals are logged and listed. From then on, a reload
 * loads what has come as well. Blocks as registry_find. Any thread but the loader. */
void registry_load_all(struct registry *registry);

/* Calls visit for every plugin file in the order of folders and names, refused ones too. Visit must
 * not call the registry. */
void registry_visit_plugins(struct registry *registry,
                            void (*visit)(void *context, const struct registry_plugin *plugin),
                            void *context);

/* Returns how many threads are still inside an entry, init or deinit that took too long: then the
 * program must leave by _exit. Any thread. */
uint32_t registry_left_behind(struct registry *registry);
