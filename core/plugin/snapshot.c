/* snapshot: <state_dir>/code holds one folder an instance. Whoever makes or clears folders holds
 * the lock of code/lock; a living instance holds the one of its own folder, which the kernel
 * gives back when the process ends, however it ends. */
#include "plugin/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "plugin/trust.h"
#include "support/cleanup.h"

static const char lock_name[] = "lock";

enum { COPY_BYTES = 1024 * 1024 * 1024, LINE_BYTES = 4096 };

struct snapshots {
    char *code;     /* <state_dir>/code */
    char *instance; /* its name below code */
    int code_fd, folder_fd, lock_fd;
};

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

/* Makes a folder with all above it, those 0700 that were not there. */
static bool make_folders(char *path, struct error *error)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!made)
            error_errno(error, "state_dir", "cannot make the folder %s", path);
        if (slash != NULL)
            *slash = '/';
        if (!made || slash == NULL)
            return made;
    }
}

/* Opens and locks the lock file of a folder; -1 if it is held, or on any error. */
static int take_lock(int folder_fd, int operation)
{
    int fd = openat(folder_fd, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, operation) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Removes the files of a folder of copies, and the folder. */
static void remove_folder(int code_fd, const char *name)
{
    int fd = openat(code_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream CLEANUP(close_stream) = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(fd, entry->d_name, 0);
    }
    unlinkat(code_fd, name, AT_REMOVEDIR);
}

static void clear_if_dead(int code_fd, const char *name)
{
    int fd CLEANUP(cleanup_close) =
        openat(code_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int lock CLEANUP(cleanup_close) = fd < 0 ? -1 : take_lock(fd, LOCK_EX | LOCK_NB);
    if (lock >= 0)
        remove_folder(code_fd, name);
}

static void clear_dead(int code_fd)
{
    int fd = openat(code_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream CLEANUP(close_stream) = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, lock_name) != 0)
            clear_if_dead(code_fd, entry->d_name);
    }
}

/* Finds where the file system of an open folder is mounted, by its number in mountinfo: "36 35 98:0
 * /root /mount/point ...". */
static void find_mount(int fd, char *mount, size_t capacity)
{
    struct statx status;
    char *line CLEANUP(cleanup_free) = NULL;
    size_t line_bytes = 0;
    FILE *file CLEANUP(cleanup_fclose) = fopen("/proc/self/mountinfo", "re");
    snprintf(mount, capacity, "its file system");
    if (file == NULL || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0)
        return;
    while (getline(&line, &line_bytes, file) > 0) {
        char point[LINE_BYTES];
        unsigned long long number;
        if (sscanf(line, "%llu %*s %*s %*s %4095s", &number, point) == 2 &&
            number == status.stx_mnt_id)
            snprintf(mount, capacity, "%s", point);
    }
}

static bool check_mount(const struct snapshots *snapshots, struct error *error)
{
    struct statvfs mount;
    char point[LINE_BYTES];
    if (fstatvfs(snapshots->code_fd, &mount) != 0 || (mount.f_flag & ST_NOEXEC) == 0)
        return true;
    find_mount(snapshots->code_fd, point, sizeof point);
    return error_set(error, "noexec",
                     "code cannot run from %s: %.256s is mounted noexec; choose another state_dir",
                     snapshots->code, point);
}

/* Tries names until one is new; the process id makes them readable. */
static bool make_instance(struct snapshots *snapshots, struct error *error)
{
    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        free(snapshots->instance);
        if (asprintf(&snapshots->instance, "%d-%u", getpid(), attempt) < 0)
            snapshots->instance = NULL;
        if (snapshots->instance == NULL)
            return error_set(error, "no_memory", "out of memory");
        if (mkdirat(snapshots->code_fd, snapshots->instance, 0700) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return error_errno(error, "state_dir", "cannot make a folder in %s", snapshots->code);
}

static bool open_instance(struct snapshots *snapshots, struct error *error)
{
    int lock CLEANUP(cleanup_close) = take_lock(snapshots->code_fd, LOCK_EX);
    if (lock < 0)
        return error_errno(error, "state_dir", "cannot lock %s", snapshots->code);
    clear_dead(snapshots->code_fd);
    if (!make_instance(snapshots, error))
        return false;
    snapshots->folder_fd = openat(snapshots->code_fd, snapshots->instance,
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    snapshots->lock_fd =
        snapshots->folder_fd < 0 ? -1 : take_lock(snapshots->folder_fd, LOCK_EX | LOCK_NB);
    return snapshots->lock_fd >= 0 || error_errno(error, "state_dir", "cannot lock %s/%s",
                                                  snapshots->code, snapshots->instance);
}

static bool open_code(struct snapshots *snapshots, const char *state_dir, struct error *error)
{
    char *path CLEANUP(cleanup_free) = NULL;
    if (asprintf(&path, "%s/code", state_dir) < 0)
        path = NULL;
    if (path == NULL)
        return error_set(error, "no_memory", "out of memory");
    if (!make_folders(path, error))
        return false;
    snapshots->code_fd = trust_open_folder(path, error);
    snapshots->code = realpath(path, NULL);
    if (snapshots->code_fd >= 0 && snapshots->code == NULL)
        return error_errno(error, "state_dir", "cannot open %s", path);
    return snapshots->code_fd >= 0 && check_mount(snapshots, error) &&
           open_instance(snapshots, error);
}

struct snapshots *snapshots_create(const char *state_dir, struct error *error)
{
    struct snapshots *snapshots = calloc(1, sizeof *snapshots);
    if (snapshots == NULL) {
        error_set(error, "no_memory", "out of memory");
        return NULL;
    }
    snapshots->code_fd = snapshots->folder_fd = snapshots->lock_fd = -1;
    if (!open_code(snapshots, state_dir, error))
        snapshots_destroy(&snapshots);
    return snapshots;
}

void snapshots_destroy(struct snapshots **pointer)
{
    struct snapshots *snapshots = *pointer;
    *pointer = NULL;
    if (snapshots == NULL)
        return;
    if (snapshots->lock_fd >= 0)
        remove_folder(snapshots->code_fd, snapshots->instance);
    cleanup_close(&snapshots->lock_fd);
    cleanup_close(&snapshots->folder_fd);
    cleanup_close(&snapshots->code_fd);
    free(snapshots->instance);
    free(snapshots->code);
    free(snapshots);
}

static bool same_file(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size && before->st_ino == after->st_ino &&
           before->st_mtim.tv_sec == after->st_mtim.tv_sec &&
           before->st_mtim.tv_nsec == after->st_mtim.tv_nsec &&
           before->st_ctim.tv_sec == after->st_ctim.tv_sec &&
           before->st_ctim.tv_nsec == after->st_ctim.tv_nsec;
}

static bool copy(int from_fd, int to_fd, struct error *error)
{
    struct stat before, after;
    off_t offset = 0;
    if (fstat(from_fd, &before) != 0)
        return error_errno(error, "snapshot", "cannot be copied");
    while (offset < before.st_size) {
        ssize_t sent = sendfile(to_fd, from_fd, &offset, COPY_BYTES);
        if (sent < 0)
            return error_errno(error, "snapshot", "cannot be copied");
        if (sent == 0)
            break;
    }
    if (fstat(from_fd, &after) != 0 || !same_file(&before, &after) || offset != before.st_size)
        return error_set(error, "changing", "is being written: it changed while it was copied");
    return fchmod(to_fd, 0500) == 0 || error_errno(error, "snapshot", "cannot be copied");
}

int snapshot_take(struct snapshots *snapshots, int from_fd, const char *name, char **path,
                  struct error *error)
{
    int to CLEANUP(cleanup_close) =
        openat(snapshots->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *path = NULL;
    if (to < 0) {
        error_errno(error, "snapshot", "cannot make the copy %s", name);
        return -1;
    }
    int fd = -1;
    if (copy(from_fd, to, error)) {
        fd = openat(snapshots->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || asprintf(path, "%s/%s/%s", snapshots->code, snapshots->instance, name) < 0)
            error_errno(error, "snapshot", "cannot open the copy %s", name);
    }
    if (fd < 0 || *path == NULL) {
        unlinkat(snapshots->folder_fd, name, 0);
        cleanup_close(&fd);
        return -1;
    }
    return fd;
}

void snapshot_remove(struct snapshots *snapshots, const char *path)
{
    unlinkat(snapshots->folder_fd, strrchr(path, '/') + 1, 0);
}
