/* folder: what is no regular file is not even opened: opening a FIFO waits, opening a device may do
 * anything. */
#include "plugin/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/trust.h"
#include "support/cleanup.h"

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

bool folder_may_have(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 3 && strcmp(name + length - 3, ".so") == 0;
}

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

static bool add_name(struct folder *folder, const char *name)
{
    if (folder->count == FOLDER_FILES_MOST) {
        folder->left_out++;
        return true;
    }
    folder->names[folder->count] = strdup(name);
    if (folder->names[folder->count] == NULL)
        return false;
    folder->count++;
    return true;
}

static bool list_names(struct folder *folder, struct error *error)
{
    DIR *stream CLEANUP(close_stream) = fdopendir(fcntl(folder->fd, F_DUPFD_CLOEXEC, 0));
    folder->names = calloc(FOLDER_FILES_MOST, sizeof *folder->names);
    if (stream == NULL || folder->names == NULL)
        return error_errno(error, "unreadable", "cannot read %s", folder->path);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL && errno != 0)
            return error_errno(error, "unreadable", "cannot read %s", folder->path);
        if (entry == NULL)
            break;
        if (folder_may_have(entry->d_name) && !add_name(folder, entry->d_name))
            return error_set(error, "no_memory", "out of memory");
    }
    qsort(folder->names, folder->count, sizeof *folder->names, compare_names);
    return true;
}

/* Opens what trust refuses without trust, to be able to say which files that concerns. */
static int open_folder(struct folder *folder, const char *path, struct error *error)
{
    int fd = trust_open_folder(path, error);
    if (fd >= 0 || strcmp(error->code, "unsafe") != 0)
        return fd;
    folder->unsafe = true;
    folder->why = *error;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_errno(error, "unreadable", "cannot open %s", path);
    return fd;
}

bool folder_open(struct folder *folder, const char *path, struct error *error)
{
    memset(folder, 0, sizeof *folder);
    folder->fd = open_folder(folder, path, error);
    folder->path = strdup(path);
    bool opened = folder->fd >= 0;
    if (opened && folder->path == NULL)
        opened = error_set(error, "no_memory", "out of memory");
    if (opened && list_names(folder, error))
        return true;
    folder_close(folder);
    return false;
}

void folder_close(struct folder *folder)
{
    if (folder->path != NULL && folder->fd >= 0)
        close(folder->fd);
    for (size_t i = 0; i < folder->count; i++)
        free(folder->names[i]);
    free(folder->names);
    free(folder->path);
    memset(folder, 0, sizeof *folder);
}

static const char *kind_word(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "a symbolic link";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFDIR:
        return "a folder";
    default:
        return "a device";
    }
}

static enum folder_answer skip(const char *what, struct error *error)
{
    error_set(error, "skipped", "%s, not a regular file", what);
    return FOLDER_SKIPPED;
}

enum folder_answer folder_open_file(const struct folder *folder, const char *name, int *fd,
                                    struct error *error)
{
    struct stat stat;
    *fd = -1;
    if (fstatat(folder->fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(stat.st_mode))
        return skip(kind_word(stat.st_mode), error);
    *fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &stat) != 0) {
        error_errno(error, "unreadable", "cannot be opened");
        return FOLDER_REFUSED;
    }
    if (!S_ISREG(stat.st_mode)) { /* replaced since the first look */
        close(*fd);
        *fd = -1;
        return skip(kind_word(stat.st_mode), error);
    }
    if (folder->unsafe) {
        *error = folder->why;
        return FOLDER_REFUSED;
    }
    char *path CLEANUP(cleanup_free) = NULL;
    if (asprintf(&path, "%s/%s", folder->path, name) < 0)
        path = NULL;
    return trust_check_file(&stat, path == NULL ? name : path, error) ? FOLDER_OPENED
                                                                      : FOLDER_REFUSED;
}
