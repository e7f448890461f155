/* plugin_file: one file of a plugin folder as it was when it was looked at. Made by a scan; a file
 * that has changed is another plugin_file. Kept by the registry and guarded by its lock; the
 * loader thread alone changes it. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "plugin/folder.h"
#include "plugin/note.h"
#include "plugin/registry.h"

struct plugin;

/* By which a file is known to be unchanged. */
struct identity {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified;
};

struct plugin_file {
    /* immutable */
    char *path;
    char *name; /* in its folder */
    const struct folder *folder;
    struct note note;          /* empty where it could not be read */
    const struct type **types; /* in the order of the note; set by the scan that found it */
    /* the loader thread, under the registry's lock */
    struct identity identity; /* of what was looked at, or loaded since */
    struct plugin *plugin;    /* whose file it is; NULL: nobody's */
    uint32_t round;           /* of the last scan that found it */
    bool rejected;            /* for .reason */
    bool reported;            /* the reason was logged */
    struct error reason;
};

/* Looks at a file without running any of it; what is wrong with it stands in .reason. NULL with a
 * message if it is no regular file, which makes it nobody's plugin. */
struct plugin_file *plugin_file_find(const struct folder *folder, const char *name,
                                     struct error *error);

/* Frees it and clears the pointer; accepts NULL. */
void plugin_file_destroy(struct plugin_file **file);

/* Refuses the file; the first reason stays. */
void plugin_file_reject(struct plugin_file *file, const struct error *reason);

/* Says whether the file in the folder is still the one that was looked at, and another look would
 * not find another reason: one that lies outside of the file, or in its being written. */
bool plugin_file_stays(const struct plugin_file *file);

/* Says whether the note names the type. */
bool plugin_file_names(const struct plugin_file *file, const struct type *type);

/* Takes what fstat said for the file's identity. */
struct identity identity_of(const struct stat *stat);

/* Says whether both are the same file, unchanged. */
bool identity_equals(const struct identity *one, const struct identity *other);
