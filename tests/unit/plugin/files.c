/* files: paths are short and the tests few: everything is static. */
#include "files.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_path[FILES_PATH_BYTES];

const char *files_folder(void)
{
    snprintf(folder_path, sizeof folder_path, "/tmp/sluice-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder_path));
    return folder_path;
}

static int remove_entry(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
    (void)stat;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void files_remove(void)
{
    nftw(folder_path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *files_path(const char *name)
{
    static char paths[8][FILES_PATH_BYTES];
    static unsigned next;
    char *path = paths[next++ % 8];
    cr_assert_lt(strlen(folder_path) + strlen(name) + 2, FILES_PATH_BYTES);
    snprintf(path, FILES_PATH_BYTES, "%.255s/%.255s", folder_path, name);
    return path;
}

void files_write(const char *name, const void *bytes, size_t length)
{
    int fd = open(files_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

void files_copy(const char *from, const char *name)
{
    struct stat stat;
    int in = open(from, O_RDONLY), out = open(files_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert(in >= 0 && out >= 0 && fstat(in, &stat) == 0, "%s", from);
    cr_assert_eq(sendfile(out, in, NULL, (size_t)stat.st_size), stat.st_size);
    close(in);
    close(out);
}

static const char *wanted_tail;
static int counted;

static int count_entry(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
    (void)stat;
    (void)ftw;
    size_t length = strlen(path), tail = strlen(wanted_tail);
    counted += flag != FTW_D && length >= tail && strcmp(path + length - tail, wanted_tail) == 0;
    return 0;
}

int files_count(const char *folder, const char *tail)
{
    wanted_tail = tail;
    counted = 0;
    nftw(folder, count_entry, 8, FTW_PHYS);
    return counted;
}

void files_install(const char *from, const char *name, const char *version)
{
    struct stat stat;
    int in = open(from, O_RDONLY);
    cr_assert(in >= 0 && fstat(in, &stat) == 0, "%s", from);
    size_t length = (size_t)stat.st_size;
    char *bytes = malloc(length);
    cr_assert(bytes != NULL && strlen(version) == 5);
    cr_assert_eq(read(in, bytes, length), (ssize_t)length);
    close(in);
    const char *end = bytes + length;
    for (char *at = bytes; (at = memmem(at, (size_t)(end - at), "1.000", 5)) != NULL; at += 5)
        memcpy(at, version, 5);
    files_write("install.tmp", bytes, length);
    free(bytes);
    cr_assert_eq(rename(files_path("install.tmp"), files_path(name)), 0);
}
