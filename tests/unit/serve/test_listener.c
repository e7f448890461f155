/* Where the daemon can listen, and what stands in its way. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/listener.h"
#include "support/cleanup.h"

static char folder[] = "/tmp/listener.XXXXXX";
static char path[64];    /* in the folder */
static char address[80]; /* "unix:" and the path */
static struct error error;

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    snprintf(address, sizeof(address), "unix:%s", path);
}

static void stop(void)
{
    unlink(path);
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(listener, .init = start, .fini = stop);

static bool connects(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    return connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
}

static void expect_error(const char *of, const char *message)
{
    cr_expect_eq(listener_open(of, &error), -1);
    cr_expect_str_eq(error.message, message);
}

Test(listener, a_unix_socket_is_for_its_owner_alone)
{
    struct stat status;
    umask(0);
    CLEANUP(cleanup_close) int fd = listener_open(address, &error);
    cr_assert_geq(fd, 0, "%s", error.message);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    cr_expect(connects());
    cr_expect_eq(listener_port(fd), 0);
    cr_expect(listener_fd_is_loopback(fd));
    cr_expect_neq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

Test(listener, the_socket_of_a_dead_daemon_is_replaced)
{
    close(listener_open(address, &error));
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_not(connects());
    CLEANUP(cleanup_close) int fd = listener_open(address, &error);
    cr_assert_geq(fd, 0, "%s", error.message);
    cr_expect(connects());
}

Test(listener, the_socket_of_a_living_daemon_is_not)
{
    char message[256];
    CLEANUP(cleanup_close) int fd = listener_open(address, &error);
    snprintf(message, sizeof(message),
             "[http] listen: somebody listens on %s already: is another sluice serve running?",
             path);
    expect_error(address, message);
    cr_expect(connects());
}

Test(listener, what_is_no_socket_is_left_alone)
{
    char message[256];
    close(open(path, O_CREAT | O_WRONLY, 0600));
    snprintf(message, sizeof(message), "[http] listen: %s is there and is not a socket", path);
    expect_error(address, message);
    cr_expect_eq(access(path, F_OK), 0);
}

Test(listener, a_socket_is_removed_when_nobody_listens_any_more)
{
    int fd = listener_open(address, &error);
    listener_remove(address);
    cr_expect_eq(access(path, F_OK), 0);
    close(fd);
    listener_remove(address);
    cr_expect_neq(access(path, F_OK), 0);
    listener_remove(address);
    listener_remove("127.0.0.1:0");
}

Test(listener, a_path_that_is_too_long_is_an_error_with_the_limit)
{
    char of[200] = "unix:/";
    memset(of + 6, 'x', 120);
    expect_error(of, "[http] listen: the path of a socket may have 107 bytes, "
                     "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx has 121");
}

Test(listener, a_folder_that_is_missing_is_an_error)
{
    expect_error("unix:/nowhere/socket", "[http] listen: cannot listen on unix:/nowhere/socket: "
                                         "No such file or directory");
}

Test(listener, any_free_port_can_be_asked_for_and_found_out)
{
    char again[32];
    CLEANUP(cleanup_close) int fd = listener_open("127.0.0.1:0", &error);
    cr_assert_geq(fd, 0, "%s", error.message);
    cr_expect_gt(listener_port(fd), 0);
    cr_expect(listener_fd_is_loopback(fd));
    snprintf(again, sizeof(again), "127.0.0.1:%d", listener_port(fd));
    cr_expect_eq(listener_open(again, &error), -1);
    cr_expect_not_null(strstr(error.message, "cannot listen on 127.0.0.1:"), "%s", error.message);
}

Test(listener, what_is_no_address_is_an_error_with_those_that_are)
{
    static const char *const texts[] = {"",          "8080",         "127.0.0.1:",  ":80",
                                        "127.0.0.1", "localhost:80", "1.2.3:80",    "[::1:80",
                                        "::1:80",    "[]:80",        "1.2.3.4:80x", "1.2.3.4:65536",
                                        "unix:",     "1.2.3.4:-1",   "[x]:1",       "[::1]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(listener_open(texts[i], &error), -1, "'%s'", texts[i]);
        cr_expect_not(listener_is_loopback(texts[i]));
    }
    expect_error("localhost:80", "[http] listen: 'localhost:80' is not an address by number; "
                                 "allowed: unix:PATH, 127.0.0.1:PORT, [::1]:PORT");
}

Test(listener, loopback_is_told_from_the_world)
{
    cr_expect(listener_is_loopback("unix:/run/sluice.sock"));
    cr_expect(listener_is_loopback("127.0.0.1:80"));
    cr_expect(listener_is_loopback("127.9.9.9:80"));
    cr_expect(listener_is_loopback("[::1]:80"));
    cr_expect_not(listener_is_loopback("0.0.0.0:80"));
    cr_expect_not(listener_is_loopback("[::]:80"));
    cr_expect_not(listener_is_loopback("192.168.0.1:80"));
}

/* Takes what is passed in a child process, where fd is the third descriptor, as the service manager
 * would start it. Returns 0 if there was none, 1 if it was taken, 2 for an error that holds the
 * text; anything else is wrong. */
static int take_in_child(int passed, const char *count, const char *text)
{
    int status = -1, fd = -2;
    char pid[16];
    pid_t child = fork();

    if (child == 0) {
        snprintf(pid, sizeof(pid), "%d", getpid());
        setenv("LISTEN_PID", pid, 1);
        setenv("LISTEN_FDS", count, 1);
        dup2(passed, 3);
        if (!listener_take_passed(&fd, &error))
            _exit(strstr(error.message, text) != NULL ? 2 : 3);
        if (fd < 0)
            _exit(0);
        bool is_fit = fd == 3 && (fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
                      (fcntl(3, F_GETFL) & O_NONBLOCK) != 0 && getenv("LISTEN_FDS") == NULL &&
                      listener_take_passed(&fd, &error) && fd == -1;
        _exit(is_fit ? 1 : 4);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(listener, a_socket_that_was_passed_is_taken)
{
    CLEANUP(cleanup_close) int listening = listener_open(address, &error);
    cr_expect_eq(take_in_child(listening, "1", ""), 1);
}

Test(listener, what_was_passed_must_be_one_that_listens)
{
    CLEANUP(cleanup_close) int connected = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_expect_eq(take_in_child(connected, "1", "not a listening stream socket"), 2);
    cr_expect_eq(take_in_child(STDIN_FILENO, "1", "not a listening stream socket"), 2);
    cr_expect_eq(take_in_child(connected, "2", "LISTEN_FDS is 2: one socket may be passed"), 2);
}

Test(listener, what_was_passed_to_another_process_is_left)
{
    int fd = -2;
    cr_expect(listener_take_passed(&fd, &error) && fd == -1);
    setenv("LISTEN_PID", "1", 1);
    setenv("LISTEN_FDS", "1", 1);
    cr_expect(listener_take_passed(&fd, &error) && fd == -1);
    cr_expect_not_null(getenv("LISTEN_FDS"));
}
