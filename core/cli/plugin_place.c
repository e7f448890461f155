#include "cli/plugin_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/plugin_file.h"
#include "plugin/trust.h"
#include "support/cleanup.h"

enum { COPY_BYTES = 1024 * 1024 * 1024 };

/* ---- which folder ---- */

static bool open_folder(struct plugin_place *place, const char *path, struct error *error)
{
    int fd = trust_open_folder(path, error);

    if (fd < 0)
        return false;
    if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        error_errno(error, "unwritable", "cannot write in %s", path);
        close(fd);
        return false;
    }
    place->fd = fd;
    place->folder = realpath(path, NULL);
    return place->folder != NULL || error_errno(error, "unreadable", "cannot open %s", path);
}

/* Which of the configured folders a path is. */
static size_t index_of(const struct config *config, const char *path)
{
    size_t i = 0;

    for (; config->plugin_dirs[i] != NULL; i++) {
        CLEANUP(cleanup_free) char *real = realpath(config->plugin_dirs[i], NULL);
        if (real != NULL && strcmp(real, path) == 0)
            break;
    }
    return i;
}

static bool open_first(struct plugin_place *place, const struct config *config, struct error *error)
{
    CLEANUP(buffer_fini) struct buffer reasons = BUFFER_EMPTY;

    for (size_t i = 0; config->plugin_dirs[i] != NULL; i++) {
        if (open_folder(place, config->plugin_dirs[i], error))
            return true;
        buffer_printf(&reasons, "%s%s", i == 0 ? "" : "; ", error->message);
    }
    return error_set(error, "no_place", "no plugin folder to install in: %s",
                     buffer_text(&reasons));
}

bool plugin_place_open(struct plugin_place *place, const struct config *config, const char *named,
                       struct error *error)
{
    *place = (struct plugin_place){.fd = -1};
    if (named != NULL ? !open_folder(place, named, error) : !open_first(place, config, error))
        return false;
    place->index = index_of(config, place->folder);
    return true;
}

void plugin_place_close(struct plugin_place *place)
{
    note_fini(&place->replaced);
    cleanup_close(&place->fd);
    free(place->folder);
}

/* ---- what is there ---- */

struct look {
    struct plugin_place *place;
    const struct note *note;
    struct buffer *behind;
};

static void plugin_file_close(struct plugin_file **file)
{
    plugin_file_destroy(file);
}

/* A plugin's name, or one of its types, that both have; NULL: none. */
static const char *shared_name(const struct note *one, const struct note *other)
{
    if (strcmp(one->name, other->name) == 0)
        return one->name;
    for (size_t i = 0; i < one->types_count; i++)
        for (size_t k = 0; k < other->types_count; k++)
            if (strcmp(one->types[i], other->types[k]) == 0)
                return one->types[i];
    return NULL;
}

/* The file under the new one's name goes away. */
static bool look_at_replaced(const struct look *look, struct plugin_file *file, struct error *error)
{
    if (file->note.name[0] != '\0' && strcmp(file->note.name, look->note->name) != 0)
        return error_set(error, "other_plugin",
                         "%s holds another plugin, '%s': remove it first if it is to go",
                         file->path, file->note.name);
    look->place->replaced = file->note;
    file->note.types = NULL; /* handed over */
    return true;
}

/* The host takes plugins in the order of their folders, and refuses what comes second. */
static bool look_at_other(const struct look *look, const struct plugin_file *file, size_t index,
                          struct error *error)
{
    const char *shared = file->rejected ? NULL : shared_name(&file->note, look->note);

    if (shared == NULL)
        return true;
    if (index <= look->place->index)
        return error_set(
            error, "duplicate",
            "%s has '%s' already, and the host takes only one of them: remove it first", file->path,
            shared);
    buffer_printf(look->behind, "%s\n", file->path);
    return true;
}

static bool look_at_folder(const struct look *look, const char *path, size_t index,
                           struct error *error)
{
    CLEANUP(folder_close) struct folder folder;

    if (!folder_open(&folder, path, error))
        return true; /* nor does the host find anything there */
    for (size_t i = 0; i < folder.count; i++) {
        CLEANUP(plugin_file_close)
        struct plugin_file *file = plugin_file_find(&folder, folder.names[i], error);
        bool same = index == look->place->index && strcmp(folder.names[i], look->place->name) == 0;
        if (file != NULL &&
            !(same ? look_at_replaced(look, file, error) : look_at_other(look, file, index, error)))
            return false;
    }
    return true;
}

bool plugin_place_look(struct plugin_place *place, const struct config *config,
                       const struct note *note, struct buffer *behind, struct error *error)
{
    const struct look look = {.place = place, .note = note, .behind = behind};

    snprintf(place->name, sizeof(place->name), "%s.so", note->name);
    if (config->plugin_dirs[place->index] == NULL)
        return look_at_folder(&look, place->folder, place->index, error);
    for (size_t i = 0; config->plugin_dirs[i] != NULL; i++)
        if (!look_at_folder(&look, config->plugin_dirs[i], i, error))
            return false;
    return true;
}

/* ---- the file itself ---- */

static bool copy(int from_fd, int to_fd)
{
    struct stat stat;
    off_t offset = 0;

    if (fstat(from_fd, &stat) != 0)
        return false;
    while (offset < stat.st_size)
        if (sendfile(to_fd, from_fd, &offset, COPY_BYTES) <= 0)
            return false;
    return fchmod(to_fd, 0644) == 0 && fsync(to_fd) == 0;
}

/* A name that the host does not look at. */
static void choose_name(const struct plugin_place *place, char *name, size_t capacity)
{
    uint64_t number = 0;

    if (getrandom(&number, sizeof(number), 0) < 0)
        number = (uint64_t)getpid();
    snprintf(name, capacity, ".%s.%016llx", place->name, (unsigned long long)number);
}

bool plugin_place_put(const struct plugin_place *place, int from_fd, struct error *error)
{
    char name[sizeof(place->name) + 24];

    choose_name(place, name, sizeof(name));
    int to CLEANUP(cleanup_close) =
        openat(place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return error_errno(error, "unwritable", "cannot make a file in %s", place->folder);
    if (copy(from_fd, to) && renameat(place->fd, name, place->fd, place->name) == 0)
        return fsync(place->fd) == 0 ||
               error_errno(error, "unwritable",
                           "%s/%s is there, but perhaps not after a power loss", place->folder,
                           place->name);
    error_errno(error, "unwritable", "cannot write %s/%s", place->folder, place->name);
    unlinkat(place->fd, name, 0);
    return false;
}
