#include "store/sqlite_identity.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const endings[SQLITE_FILES] = {"", "-wal", "-shm"};

void sqlite_identity_note(struct sqlite_identity *identity, const char *path)
{
    char name[PATH_MAX];
    struct stat facts;

    *identity = (struct sqlite_identity){0};
    for (size_t i = 0; i < SQLITE_FILES; i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        if (stat(name, &facts) != 0)
            continue;
        identity->files[i].device = facts.st_dev;
        identity->files[i].inode = facts.st_ino;
    }
}

const char *sqlite_identity_lost(const struct sqlite_identity *identity, const char *path)
{
    struct sqlite_identity now;

    sqlite_identity_note(&now, path);
    for (size_t i = 0; i < SQLITE_FILES; i++)
        if (now.files[i].inode != identity->files[i].inode ||
            now.files[i].device != identity->files[i].device)
            return endings[i];
    return NULL;
}
