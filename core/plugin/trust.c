/* trust: the rule of Debian's sshd for keys, applied to code. The path is walked by descriptors, so
 * that what was looked at is what is opened. */
#include "plugin/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "support/cleanup.h"

enum { DATABASE_LINE_BYTES = 16 * 1024 };

/* Whoever owns the program could have changed it instead: root may run a tree that a user built. */
static bool owns_program(uid_t uid)
{
    struct stat program;
    return stat("/proc/self/exe", &program) == 0 && program.st_uid == uid;
}

static bool is_trusted(uid_t uid)
{
    return uid == 0 || uid == geteuid() || owns_program(uid);
}

/* A name in the group's own list; several are allowed if all are the owner's. */
static bool group_lists_only(gid_t gid, const char *owner, bool *listed)
{
    char line[DATABASE_LINE_BYTES];
    struct group group, *found = NULL;
    if (getgrgid_r(gid, &group, line, sizeof line, &found) != 0 || found == NULL)
        return false;
    for (char **member = group.gr_mem; *member != NULL; member++) {
        if (strcmp(*member, owner) != 0)
            return false;
        *listed = true;
    }
    return true;
}

/* Whether no other user has this group as the first. */
static bool group_is_first_of_only(gid_t gid, uid_t owner, bool *listed)
{
    char line[DATABASE_LINE_BYTES];
    struct passwd user, *found;
    bool alone = true;
    setpwent();
    while (alone && getpwent_r(&user, line, sizeof line, &found) == 0) {
        if (user.pw_gid != gid)
            continue;
        alone = user.pw_uid == owner;
        *listed = true;
    }
    endpwent();
    return alone;
}

/* A group without any member is a service's and not private. */
static bool group_is_private(gid_t gid, uid_t owner)
{
    char line[DATABASE_LINE_BYTES];
    struct passwd user, *found = NULL;
    bool listed = false;
    if (getpwuid_r(owner, &user, line, sizeof line, &found) != 0 || found == NULL)
        return false;
    return group_lists_only(gid, user.pw_name, &listed) &&
           group_is_first_of_only(gid, owner, &listed) && listed;
}

static bool check(const struct stat *stat, const char *path, struct error *error)
{
    bool sticky = S_ISDIR(stat->st_mode) && (stat->st_mode & S_ISVTX) != 0;
    if (!is_trusted(stat->st_uid))
        return error_set(error, "unsafe",
                         "%s is owned by uid %u, neither root nor the user who runs this: chown "
                         "%u %s",
                         path, stat->st_uid, geteuid(), path);
    if ((stat->st_mode & S_IWOTH) != 0 && !sticky)
        return error_set(error, "unsafe", "%s is writable by everybody: chmod o-w %s", path, path);
    if ((stat->st_mode & S_IWGRP) != 0 && !sticky && !group_is_private(stat->st_gid, stat->st_uid))
        return error_set(error, "unsafe",
                         "%s is writable by group %u, which is not private to its owner: chmod "
                         "g-w %s",
                         path, stat->st_gid, path);
    return true;
}

bool trust_check_file(const struct stat *stat, const char *path, struct error *error)
{
    return check(stat, path, error);
}

static bool check_open(int fd, const char *path, struct error *error)
{
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        return error_errno(error, "unreadable", "cannot open %s", path);
    return check(&stat, path, error);
}

/* Opens and checks one component after the other; path is absolute and resolved, and is cut and
 * mended on the way, so that messages name the component. */
static int walk(char *path, struct error *error)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool trusted = check_open(fd, "/", error);
    for (char *name = path + 1; trusted && *name != '\0';) {
        char *end = strchrnul(name, '/');
        char after = *end;
        *end = '\0';
        int next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        trusted = check_open(next, path, error);
        *end = after;
        close(fd);
        fd = next;
        name = after == '\0' ? end : end + 1;
    }
    if (trusted)
        return fd;
    cleanup_close(&fd);
    return -1;
}

int trust_open_folder(const char *path, struct error *error)
{
    char *resolved CLEANUP(cleanup_free) = realpath(path, NULL);
    if (resolved == NULL) {
        error_errno(error, "unreadable", "cannot open %s", path);
        return -1;
    }
    int place CLEANUP(cleanup_close) = walk(resolved, error);
    if (place < 0)
        return -1;
    int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_errno(error, "unreadable", "cannot open %s", path);
    return fd;
}
