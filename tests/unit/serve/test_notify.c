/* What the service manager hears. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve/notify.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* Listens as a manager does, at a name of the abstract kind, and sets NOTIFY_SOCKET. */
static int listen_as_manager(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    snprintf(name, sizeof(name), "@sluice-test-%d", getpid());
    memcpy(un.sun_path + 1, name + 1, strlen(name) - 1);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    cr_assert_eq(bind(fd, (struct sockaddr *)&un, length), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static const char *heard(int fd)
{
    static char text[1024];
    ssize_t length = recv(fd, text, sizeof(text) - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

Test(notify, says_each_state_and_a_line_for_people)
{
    CLEANUP(cleanup_close) int fd = listen_as_manager();
    cr_expect(notify_send(NOTIFY_READY, "listens on unix:/run/x"));
    cr_expect_str_eq(heard(fd), "READY=1\nSTATUS=listens on unix:/run/x\n");
    cr_expect(notify_send(NOTIFY_STOPPING, NULL));
    cr_expect_str_eq(heard(fd), "STOPPING=1\n");
    cr_expect(notify_send(NOTIFY_WATCHDOG, NULL));
    cr_expect_str_eq(heard(fd), "WATCHDOG=1\n");
}

Test(notify, says_when_a_reload_began)
{
    CLEANUP(cleanup_close) int fd = listen_as_manager();
    int64_t before_us = clock_now_ns() / 1000, said_us = 0;
    cr_expect(notify_send(NOTIFY_RELOADING, NULL));
    cr_expect_eq(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "\n", &said_us), 1);
    cr_expect(said_us >= before_us && said_us <= clock_now_ns() / 1000);
}

Test(notify, a_status_can_not_say_more_than_a_line)
{
    CLEANUP(cleanup_close) int fd = listen_as_manager();
    cr_expect(notify_send(NOTIFY_READY, "one\nMAINPID=1"));
    cr_expect_str_eq(heard(fd), "READY=1\nSTATUS=one\n");
}

Test(notify, a_manager_with_a_path_is_reached)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/sluice-notify-XXXXXX";
    CLEANUP(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", folder);
    cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    setenv("NOTIFY_SOCKET", un.sun_path, 1);
    cr_expect(notify_send(NOTIFY_READY, NULL));
    cr_expect_str_eq(heard(fd), "READY=1\n");
    unlink(un.sun_path);
    cr_expect_not(notify_send(NOTIFY_READY, NULL), "it has gone");
    rmdir(folder);
}

Test(notify, without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    cr_expect(notify_send(NOTIFY_READY, "x"));
}

Test(notify, the_watchdog_is_for_the_process_that_it_names)
{
    char pid[16];
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    cr_expect_eq(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    cr_expect_eq(notify_watchdog_ns(), 30 * NS_PER_S);
    setenv("WATCHDOG_PID", "1", 1);
    cr_expect_eq(notify_watchdog_ns(), 0);
    snprintf(pid, sizeof(pid), "%d", getpid());
    setenv("WATCHDOG_PID", pid, 1);
    cr_expect_eq(notify_watchdog_ns(), 30 * NS_PER_S);
    setenv("WATCHDOG_USEC", "30s", 1);
    cr_expect_eq(notify_watchdog_ns(), 0);
    setenv("WATCHDOG_USEC", "9223372036854775807", 1);
    cr_expect_eq(notify_watchdog_ns(), 0);
}
