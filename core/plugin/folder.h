/* folder: a folder in which plugins are looked for. Opened by the registry, used by one thread at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "support/error.h"

enum { FOLDER_FILES_MOST = 10000 };

struct folder {
    char *path; /* as the user named it */
    int fd;
    char **names; /* of the files to look at, *.so without dot-files, sorted */
    size_t count;
    size_t left_out; /* names beyond FOLDER_FILES_MOST */
    bool unsafe;     /* nothing in it may run; why says the reason */
    struct error why;
};

enum folder_answer {
    FOLDER_OPENED,
    FOLDER_SKIPPED, /* no regular file */
    FOLDER_REFUSED, /* somebody else could have written it */
};

/* Opens a folder and lists its files; false with a message if it cannot be read. A folder that
 * others can write is opened, but unsafe. */
bool folder_open(struct folder *folder, const char *path, struct error *error);

/* Says whether a file of this name is looked at: *.so, and no dot-file. */
bool folder_may_have(const char *name);

/* Closes and frees it; a zeroed one is fine. */
void folder_close(struct folder *folder);

/* Opens a file of the folder for reading, which never blocks: no symbolic link, FIFO, socket,
 * device or folder. *fd is set, for reading alone, even where the file is refused, else -1; the
 * caller closes it. On another answer than FOLDER_OPENED error says why. */
enum folder_answer folder_open_file(const struct folder *folder, const char *name, int *fd,
                                    struct error *error);
