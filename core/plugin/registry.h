/* registry: which task types exist and which generation of which plugin serves them. Created by
 * the host at start. Scanning, loading and publishing happen on the loader thread; any thread
 * may look things up. What is published is an immutable view, built aside and swapped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/param_table.h"
#include "sluice/plugin.h"
#include "support/error.h"

struct registry;
struct generation;

enum { TYPE_NAME_MOST_BYTES = 64, REGISTRY_TYPES_MOST = 65536 };

/* A type's name, interned: made when the name is first seen in a plugin, lives until the
 * registry ends. Tasks point to it; which code serves it is asked anew each time. */
struct type {
    const char *name;
    uint32_t number; /* dense from 0, for tables by type */
};

/* One type as one generation offers it. Immutable; lives as long as its generation is not
 * retired. */
struct offer {
    const struct type *type;
    struct generation *generation;
    uint32_t index; /* in its generation */
    uint32_t flags; /* SLUICE_SERIAL ... */
    const char *help;
    int64_t timeout_ns; /* 0: the host's default */
    int32_t weight;     /* at least 1, or SLUICE_WEIGHT_AUTO */
    struct sluice_retry retry;
    struct param_table params;
    enum sluice_status (*execute)(const struct sluice_call *call, const void *params);
    bool (*worker_init)(void *self, void **worker, struct sluice_error *error);
    void (*worker_exit)(void *self, void *worker);
};

/* Key-values of [plugin:NAME] in the configuration. */
struct registry_setting {
    const char *plugin, *key, *value;
};

struct registry_options {
    const char *const *plugin_dirs; /* NULL-terminated; the first that has a type wins */
    const char *state_dir;          /* private copies go to <state_dir>/code/<instance>/ */
    const struct registry_setting *settings;
    size_t settings_count;
    int64_t start_limit_ns; /* how long entry and init may take */
};

enum registry_answer {
    REGISTRY_FOUND,
    REGISTRY_UNKNOWN, /* no plugin's note names the type */
    REGISTRY_REFUSED, /* a plugin names it, but that plugin was refused; the reason is in *error */
};

/* What `plugin list` shows of one file. The texts live until the registry ends. */
struct registry_plugin {
    const char *file;
    const char *plugin; /* name and version by its note; NULL where that could not be read */
    const char *version;
    const char *state;   /* a word of generation_states.def */
    const char *reason;  /* why it is refused; NULL if it is not */
    uint32_t generation; /* 0: not loaded */
    const struct type *const *types;
    size_t types_count;
};

/* Scans the folders, reads the notes and makes the place for private copies; runs no plugin code.
 * Files that are refused are logged and listed, never an error; a folder that cannot be opened is
 * logged, and an error if no other could be; a state_dir that code cannot run from is an error:
 * NULL with a message. What options point to must live until registry_destroy. Starts the loader
 * thread. */
struct registry *registry_create(const struct registry_options *options, struct error *error);

/* Unloads everything (deinit on a thread of each generation, dlclose, verify), removes the
 * private copies, joins the loader thread, clears the pointer. No worker of any generation is
 * left. Accepts NULL. */
void registry_destroy(struct registry **registry);

/* Finds the current offer of a type; loads its plugin first if that has not happened (then
 * blocks until it is ready or refused). *offer is valid until registry_destroy in this version:
 * nothing is retired before. Any thread but the loader. */
enum registry_answer registry_find(struct registry *registry, const char *name, size_t length,
                                   const struct offer **offer, struct error *error);

/* Returns the current offer of a type that was found before, or NULL if nobody serves it now.
 * Never loads, never blocks for long. */
const struct offer *registry_offer(struct registry *registry, const struct type *type);

/* Returns how many types were interned so far: every number is below. */
uint32_t registry_types_count(struct registry *registry);

/* Calls visit for every type name that the notes of accepted files announce, in sorted order,
 * loaded or not. Plugins that were refused since are left out. */
void registry_visit_types(struct registry *registry,
                          void (*visit)(void *context, const char *type, const char *plugin),
                          void *context);

/* Loads every plugin that is not loaded yet; refusals are logged and listed. Blocks as
 * registry_find. Any thread but the loader. */
void registry_load_all(struct registry *registry);

/* Calls visit for every plugin file in the order of folders and names, refused ones too. */
void registry_visit_plugins(struct registry *registry,
                            void (*visit)(void *context, const struct registry_plugin *plugin),
                            void *context);

/* Returns how many threads are still inside an entry, init or deinit that took too long: then the
 * program must leave by _exit. Any thread. */
uint32_t registry_left_behind(struct registry *registry);
