/* plugin_file: one file of a plugin folder, from its being found to the generation that came of it.
 * Made by the registry while it is created; changed by the loader thread alone after that; any
 * thread may read its state and what the state says is there. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "plugin/folder.h"
#include "plugin/generation.h"
#include "plugin/note.h"
#include "plugin/snapshot.h"

struct plugin_file {
    /* immutable */
    char *path;
    const struct folder *folder;
    const char *name;          /* in its folder */
    struct note note;          /* empty where it could not be read */
    const struct type **types; /* in the order of the note; set before any thread looks */
    /* written before state is REJECTED, then immutable */
    struct error reason;
    /* written by the loader thread */
    uint32_t generations;                 /* made so far */
    _Atomic int state;                    /* enum generation_state */
    _Atomic(struct generation *) current; /* the pointer by which a generation is published */
};

/* Looks at a file without running any of it: FOUND, or REJECTED with a reason. NULL with a message
 * if it is no regular file, which makes it nobody's plugin. */
struct plugin_file *plugin_file_find(const struct folder *folder, const char *name,
                                     struct error *error);

/* Frees it; its generation is gone. Clears the pointer. */
void plugin_file_destroy(struct plugin_file **file);

/* Refuses the file for good; the first reason stays. */
void plugin_file_reject(struct plugin_file *file, const struct error *reason);

/* Copies the file, checks the copy, loads it and publishes its generation; rejects the file
 * where one of them fails. Loader thread; blocks as generation_load. */
void plugin_file_load(struct plugin_file *file, struct snapshots *snapshots,
                      const struct registry_options *options, uint32_t *left_behind);
