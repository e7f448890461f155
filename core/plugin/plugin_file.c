/* plugin_file: what was checked here is checked again on the private copy, the only thing that
 * counts; the first time is for knowing types without copying or running anything. */
#include "plugin/plugin_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugin/image.h"
#include "support/cleanup.h"

struct identity identity_of(const struct stat *stat)
{
    return (struct identity){stat->st_dev, stat->st_ino, stat->st_size, stat->st_mtim};
}

bool identity_equals(const struct identity *one, const struct identity *other)
{
    return one->device == other->device && one->inode == other->inode &&
           one->bytes == other->bytes && one->modified.tv_sec == other->modified.tv_sec &&
           one->modified.tv_nsec == other->modified.tv_nsec;
}

void plugin_file_reject(struct plugin_file *file, const struct error *reason)
{
    if (file->rejected)
        return;
    file->reason = *reason;
    file->rejected = true;
}

static struct plugin_file *file_create(const struct folder *folder, const char *name)
{
    struct plugin_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    if (asprintf(&file->path, "%s/%s", folder->path, name) < 0)
        file->path = NULL;
    file->name = strdup(name);
    file->folder = folder;
    if (file->path == NULL || file->name == NULL)
        plugin_file_destroy(&file);
    return file;
}

struct plugin_file *plugin_file_find(const struct folder *folder, const char *name,
                                     struct error *error)
{
    int fd CLEANUP(cleanup_close) = -1;
    struct stat stat = {0};
    enum folder_answer answer = folder_open_file(folder, name, &fd, error);
    if (answer == FOLDER_SKIPPED)
        return NULL;
    struct plugin_file *file = file_create(folder, name);
    if (file == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    /* A refused file is read as well, to be able to say why its types are not there. */
    struct error bad_image;
    bool known = fd >= 0 && fstat(fd, &stat) == 0;
    bool sound = known && image_check(fd, &file->note, &bad_image);
    file->identity = identity_of(&stat);
    if (answer == FOLDER_REFUSED)
        plugin_file_reject(file, error);
    else if (!sound)
        plugin_file_reject(file, &bad_image);
    return file;
}

void plugin_file_destroy(struct plugin_file **pointer)
{
    struct plugin_file *file = *pointer;
    *pointer = NULL;
    if (file == NULL)
        return;
    note_fini(&file->note);
    free(file->types);
    free(file->name);
    free(file->path);
    free(file);
}

/* Whether the reason may be gone although the file is the same. */
static bool may_pass(const struct error *reason)
{
    static const char *const words[] = {"unsafe",   "unreadable",   "duplicate",
                                        "limit",    "changing",     "no_memory",
                                        "snapshot", "thread_start", "spawn"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(reason->code, words[i]) == 0)
            return true;
    }
    return false;
}

bool plugin_file_stays(const struct plugin_file *file)
{
    struct stat stat;
    if (file->rejected && may_pass(&file->reason))
        return false;
    if (fstatat(file->folder->fd, file->name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    struct identity now = identity_of(&stat);
    return identity_equals(&now, &file->identity);
}

bool plugin_file_names(const struct plugin_file *file, const struct type *type)
{
    for (size_t i = 0; file->types != NULL && i < file->note.types_count; i++) {
        if (file->types[i] == type)
            return true;
    }
    return false;
}
