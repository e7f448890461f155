#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "plugin/snapshot.h"

static struct error error;

static void setup(void)
{
    files_folder();
}

TestSuite(snapshot, .init = setup, .fini = files_remove);

static int open_source(const char *bytes)
{
    files_write("source.so", bytes, strlen(bytes));
    return open(files_path("source.so"), O_RDONLY);
}

Test(snapshot, is_a_private_copy_that_outlives_its_source)
{
    int from = open_source("first");
    struct snapshots *snapshots = snapshots_create(files_path("state/deep"), &error);
    cr_assert_not_null(snapshots, "%s", error.message);
    char *path, bytes[8] = "";
    int copy = snapshot_take(snapshots, from, "a.1.0.so", &path, &error);
    cr_assert(copy >= 0, "%s", error.message);
    struct stat stat_of_copy;
    files_write("source.so", "second", 6);
    cr_assert_eq(stat(path, &stat_of_copy), 0);
    cr_assert_eq(stat_of_copy.st_mode & 0777, 0500);
    cr_assert_eq(read(copy, bytes, sizeof bytes), 5);
    cr_assert_str_eq(bytes, "first");
    cr_assert_eq(stat(files_path("state/deep/code"), &stat_of_copy), 0);
    cr_assert_eq(stat_of_copy.st_mode & 0777, 0700);
    snapshots_destroy(&snapshots);
    cr_assert_neq(stat(path, &stat_of_copy), 0);
    cr_assert_null(snapshots);
    free(path);
    close(copy);
    close(from);
}

/* Another instance that ends without clearing up. */
static void die_with_a_copy(void)
{
    char *path;
    struct snapshots *snapshots = snapshots_create(files_path("state"), &error);
    int from = open_source("dead");
    int copy = snapshots == NULL ? -1 : snapshot_take(snapshots, from, "d.so", &path, &error);
    _exit(copy < 0);
}

Test(snapshot, what_a_dead_instance_left_is_cleared_and_what_a_living_one_has_stays)
{
    char *path;
    int from = open_source("alive"), status;
    struct snapshots *snapshots = snapshots_create(files_path("state"), &error);
    int copy = snapshot_take(snapshots, from, "a.so", &path, &error);
    pid_t child = fork();
    if (child == 0)
        die_with_a_copy();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_eq(files_count(files_path("state"), ".so"), 2);
    struct snapshots *other = snapshots_create(files_path("state"), &error);
    cr_assert_not_null(other, "%s", error.message);
    cr_assert_eq(files_count(files_path("state"), "d.so"), 0);
    cr_assert_eq(access(path, F_OK), 0);
    snapshots_destroy(&other);
    snapshots_destroy(&snapshots);
    cr_assert_eq(files_count(files_path("state"), ".so"), 0);
    free(path);
    close(copy);
    close(from);
}

Test(snapshot, a_folder_that_others_can_write_holds_no_copies)
{
    mkdir(files_path("state"), 0700);
    mkdir(files_path("state/code"), 0700);
    chmod(files_path("state/code"), 0777);
    cr_assert_null(snapshots_create(files_path("state"), &error));
    cr_assert_not_null(strstr(error.message, "is writable by everybody: chmod o-w"));
}

Test(snapshot, a_place_that_cannot_be_made_is_named)
{
    files_write("file", "", 0);
    cr_assert_null(snapshots_create(files_path("file/state"), &error));
    cr_assert_eq(strncmp(error.message, "cannot make the folder /tmp/", 28), 0, "%s",
                 error.message);
}

Test(snapshot, a_name_is_taken_once)
{
    char *path, *again;
    int from = open_source("x");
    struct snapshots *snapshots = snapshots_create(files_path("state"), &error);
    int copy = snapshot_take(snapshots, from, "a.so", &path, &error);
    cr_assert_eq(snapshot_take(snapshots, from, "a.so", &again, &error), -1);
    cr_assert_null(again);
    snapshots_destroy(&snapshots);
    free(path);
    close(copy);
    close(from);
}

Test(snapshot, a_mount_without_exec_is_an_error_that_names_it)
{
    struct statvfs mount;
    char folder[] = "/dev/shm/sluice-test-XXXXXX";
    if (statvfs("/dev/shm", &mount) != 0 || (mount.f_flag & ST_NOEXEC) == 0 ||
        mkdtemp(folder) == NULL) {
        files_remove();
        cr_skip_test("no writable noexec mount on this machine");
    }
    cr_assert_null(snapshots_create(folder, &error));
    cr_assert_not_null(strstr(error.message, "/dev/shm is mounted noexec"), "%s", error.message);
    char code[64];
    snprintf(code, sizeof code, "%s/code", folder);
    rmdir(code);
    rmdir(folder);
}
