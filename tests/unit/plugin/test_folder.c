#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "files.h"
#include "plugin/folder.h"

static struct folder folder;
static struct error error;

static void setup(void)
{
    files_folder();
}

static void teardown(void)
{
    folder_close(&folder);
    files_remove();
}

TestSuite(folder, .init = setup, .fini = teardown);

static enum folder_answer open_file(const char *name)
{
    int fd;
    enum folder_answer answer = folder_open_file(&folder, name, &fd, &error);
    cr_assert(answer != FOLDER_OPENED || fd >= 0);
    if (fd >= 0)
        close(fd);
    return answer;
}

static void expect(const char *format, const char *path)
{
    char wanted[ERROR_MESSAGE_BYTES];
    snprintf(wanted, sizeof wanted, format, path, path);
    cr_assert_str_eq(error.message, wanted);
}

Test(folder, lists_shared_objects_in_order_and_nothing_else)
{
    static const char *const names[] = {"b.so", "a.so", ".hidden.so", "c.so.1", "readme", ".so"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        files_write(names[i], "", 0);
    cr_assert(folder_open(&folder, files_path(""), &error), "%s", error.message);
    cr_assert_eq(folder.count, 2);
    cr_assert_str_eq(folder.names[0], "a.so");
    cr_assert_str_eq(folder.names[1], "b.so");
    cr_assert_eq(open_file("a.so"), FOLDER_OPENED);
}

Test(folder, that_is_not_there_is_an_error)
{
    cr_assert_not(folder_open(&folder, files_path("missing"), &error));
    expect("cannot open %s: No such file or directory", files_path("missing"));
    files_write("file", "", 0);
    cr_assert_not(folder_open(&folder, files_path("file"), &error));
}

Test(folder, what_is_no_regular_file_is_skipped_without_being_opened, .timeout = 60)
{
    cr_assert_eq(mkfifo(files_path("fifo.so"), 0600), 0);
    cr_assert_eq(mkdir(files_path("folder.so"), 0700), 0);
    cr_assert_eq(symlink("/dev/null", files_path("link.so")), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", files_path("socket.so"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert(folder_open(&folder, files_path(""), &error));
    static const char *const kinds[] = {"a FIFO", "a folder", "a symbolic link", "a socket"};
    for (size_t i = 0; i < folder.count; i++) {
        cr_assert_eq(open_file(folder.names[i]), FOLDER_SKIPPED);
        cr_assert_eq(strncmp(error.message, kinds[i], strlen(kinds[i])), 0, "%s", error.message);
    }
    cr_assert_eq(folder.count, 4);
    close(fd);
}

Test(folder, a_file_that_others_can_write_is_refused_with_what_mends_it)
{
    files_write("a.so", "", 0);
    cr_assert(folder_open(&folder, files_path(""), &error));
    char path[FILES_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/a.so", folder.path);
    chmod(files_path("a.so"), 0646);
    cr_assert_eq(open_file("a.so"), FOLDER_REFUSED);
    expect("%s is writable by everybody: chmod o-w %s", path);
    chmod(files_path("a.so"), 0644);
    cr_assert_eq(open_file("a.so"), FOLDER_OPENED);
}

Test(folder, a_folder_that_others_can_write_makes_its_files_unsafe)
{
    mkdir(files_path("open"), 0700);
    mkdir(files_path("open/inner"), 0700);
    files_write("open/inner/a.so", "", 0);
    chmod(files_path("open"), 0707);
    cr_assert(folder_open(&folder, files_path("open/inner"), &error));
    cr_assert_eq(folder.count, 1);
    cr_assert_eq(open_file("a.so"), FOLDER_REFUSED);
    expect("%s is writable by everybody: chmod o-w %s", files_path("open"));
    folder_close(&folder);
    chmod(files_path("open"), 01777); /* sticky, as /tmp */
    cr_assert(folder_open(&folder, files_path("open/inner"), &error));
    cr_assert_eq(open_file("a.so"), FOLDER_OPENED);
}

Test(folder, a_group_with_other_members_must_not_write)
{
    files_write("a.so", "", 0);
    if (geteuid() != 0 || chown(files_path("a.so"), 0, 1) != 0) {
        files_remove();
        cr_skip_test("needs root");
    }
    chmod(files_path("a.so"), 0664);
    cr_assert(folder_open(&folder, files_path(""), &error));
    cr_assert_eq(open_file("a.so"), FOLDER_REFUSED);
    cr_assert_not_null(strstr(error.message, "is writable by group 1, which is not private"));
    cr_assert_eq(chown(files_path("a.so"), 0, 0), 0); /* root's own group */
    cr_assert_eq(open_file("a.so"), FOLDER_OPENED);
}

Test(folder, a_file_of_another_user_is_refused)
{
    files_write("a.so", "", 0);
    if (geteuid() != 0 || chown(files_path("a.so"), 65534, 0) != 0) {
        files_remove();
        cr_skip_test("needs root");
    }
    cr_assert(folder_open(&folder, files_path(""), &error));
    cr_assert_eq(open_file("a.so"), FOLDER_REFUSED);
    cr_assert_not_null(strstr(error.message, "is owned by uid 65534, neither root nor the user"));
}
