#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "support/cleanup.h"
#include "support/clock.h"

/* ---- the roles: this very program, in which they run before anything of the tests does ---- */

static void leave_with_7(void)
{
    child_settle(0);
    _exit(7);
}

static void crash(void)
{
    child_settle(0);
    signal(SIGSEGV, SIG_DFL); /* a sanitizer has its own */
    raise(SIGSEGV);
    _exit(0);
}

static void hang(void)
{
    child_settle(1);
    write(CHILD_FIRST_FD, "here", 4);
    for (;;)
        pause();
}

static void print(void)
{
    child_settle(0);
    dprintf(STDOUT_FILENO, "out ");
    dprintf(STDERR_FILENO, "err");
    _exit(0);
}

/* Says what it finds: which descriptors are open, the session, the signals. */
static void look_around(void)
{
    sigset_t mask;
    struct sigaction pipe_action;
    char byte;
    child_settle(2);
    for (int fd = 0; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            dprintf(CHILD_FIRST_FD + 1, "%d ", fd);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGPIPE, NULL, &pipe_action);
    dprintf(CHILD_FIRST_FD + 1, "%s%s%s%s%s", getsid(0) == getpid() ? "session " : "",
            sigisemptyset(&mask) ? "mask " : "",
            pipe_action.sa_handler == SIG_DFL ? "handlers " : "",
            prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "privileges " : "",
            read(STDIN_FILENO, &byte, 1) == 0 ? "input" : "");
    _exit(0);
}

/* Leaves a child in the background that has left the process group, and whose own is an orphan. */
static void leave_children_behind(void)
{
    child_settle(1);
    for (int i = 0; i < 2; i++) {
        if (fork() != 0)
            continue;
        setpgid(0, 0);
        if (i == 1 && fork() != 0)
            _exit(0);
        dprintf(CHILD_FIRST_FD, "%d ", getpid());
        for (;;)
            pause();
    }
    hang();
}

static void *wait_on(void *nothing)
{
    dprintf(CHILD_FIRST_FD, "%d ", getpid());
    for (;;)
        pause();
    return nothing;
}

/* Leaves two behind whose first thread has ended. */
static void leave_threads(void)
{
    pthread_t thread;
    child_settle(1);
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            pthread_create(&thread, NULL, wait_on, NULL);
            syscall(SYS_exit, 0); /* of the thread alone */
        }
    hang();
}

/* The same, and they have left the session too. */
static void leave_session_and_threads(void)
{
    pthread_t thread;
    child_settle(1);
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            setsid();
            pthread_create(&thread, NULL, wait_on, NULL);
            syscall(SYS_exit, 0);
        }
    hang();
}

/* Leaves two behind that have left the session: one is a copy of this process, the other is another
 * program by now. */
static void leave_session(void)
{
    child_settle(1);
    for (int i = 0; i < 2; i++) {
        if (fork() != 0)
            continue;
        setsid();
        if (fork() != 0)
            _exit(0);
        dprintf(CHILD_FIRST_FD, "%d ", getpid());
        if (i == 1)
            execl("/bin/sleep", "sleep", "60", (char *)NULL);
        for (;;)
            pause();
    }
    hang();
}

static void take_memory(void)
{
    child_settle(0);
    size_t bytes = 64 << 20;
    volatile char *memory = malloc(bytes);
    for (size_t i = 0; i < bytes; i += 4096)
        memory[i] = 1;
    _exit(0);
}

static const struct {
    const char *program;
    void (*run)(void);
} roles[] = {
    {"sluice-leaves", leave_with_7},
    {"sluice-crashes", crash},
    {"sluice-hangs", hang},
    {"sluice-prints", print},
    {"sluice-looks", look_around},
    {"sluice-forks", leave_children_behind},
    {"sluice-escapes", leave_session},
    {"sluice-threads", leave_threads},
    {"sluice-vanishes", leave_session_and_threads},
    {"sluice-allocates", take_memory},
};

__attribute__((constructor)) static void take_role(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof roles / sizeof *roles; i++)
        if (strcmp(argv[0], roles[i].program) == 0 && strcmp(argv[1], "test") == 0)
            roles[i].run();
}

/* ---- the tests ---- */

TestSuite(child, .timeout = 60);

static struct child start(const char *role, const int *fds, size_t count)
{
    struct child child;
    struct error error;
    struct child_order order = {
        .role = role, .name = "test", .fds = fds, .fds_count = count, .output_fd = -1};
    cr_assert(child_start(&child, &order, &error), "%s", error.message);
    return child;
}

static struct child_end end_of(struct child *child)
{
    struct child_end end = {0};
    cr_assert(child_reap(child, CLOCK_NEVER_NS, &end));
    cr_assert_eq(child->pid, 0);
    cr_assert_eq(child->pidfd, -1);
    return end;
}

/* Reads until the end of the file, or wanted bytes. */
static size_t read_text(int fd, char *text, size_t wanted)
{
    size_t length = 0;
    ssize_t bytes;
    while (length < wanted && (bytes = read(fd, text + length, wanted - length)) > 0)
        length += (size_t)bytes;
    text[length] = '\0';
    return length;
}

Test(child, tells_its_exit_code)
{
    struct child child = start("leaves", NULL, 0);
    struct child_end end = end_of(&child);
    cr_assert_eq(end.signal, 0);
    cr_assert_eq(end.exit_code, 7);
}

Test(child, tells_the_signal_that_has_ended_it)
{
    struct child child = start("crashes", NULL, 0);
    cr_assert_eq(end_of(&child).signal, SIGSEGV);
}

Test(child, tells_the_memory_that_it_took)
{
    struct child child = start("allocates", NULL, 0);
    struct child_end end = end_of(&child);
    cr_assert_geq(end.peak_bytes, UINT64_C(64) << 20);
    cr_assert_lt(end.peak_bytes, UINT64_C(4) << 30);
}

Test(child, has_its_descriptors_in_order_and_no_others)
{
    int ends[2];
    char text[256];
    cr_assert_eq(pipe(ends), 0); /* not closed on exec: only child_start keeps the child from it */
    signal(SIGPIPE, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct child child = start("looks", ends, 2);
    close(ends[1]);
    read_text(ends[0], text, sizeof text - 1);
    cr_assert_str_eq(text, "0 1 2 3 4 session mask handlers privileges input");
    cr_assert_eq(end_of(&child).exit_code, 0);
}

/* Hands 4 and 3 on as 3 and 4; in a process of its own, whose descriptors nobody else needs. */
static void cross_descriptors(int from, int to)
{
    static const int crossed[] = {4, 3};
    struct child child;
    struct child_end end;
    struct child_order order = {
        .role = "looks", .name = "test", .fds = crossed, .fds_count = 2, .output_fd = -1};
    bool done = dup3(from, 63, 0) == 63 && dup3(to, 62, 0) == 62 && dup3(62, 3, 0) == 3 &&
                dup3(63, 4, 0) == 4 && child_start(&child, &order, NULL) &&
                child_reap(&child, CLOCK_NEVER_NS, &end);
    _exit(done ? end.exit_code : 1);
}

Test(child, may_be_given_descriptors_that_lie_where_others_go)
{
    int ends[2], status;
    char text[256];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        cross_descriptors(ends[0], ends[1]);
    close(ends[1]);
    read_text(ends[0], text, sizeof text - 1);
    cr_assert_str_eq(text, "0 1 2 3 4 session mask handlers privileges input");
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(child, writes_where_the_order_says)
{
    int ends[2];
    char text[64];
    struct child child;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    struct child_order order = {.role = "prints", .name = "test", .output_fd = ends[1]};
    cr_assert(child_start(&child, &order, NULL));
    close(ends[1]);
    read_text(ends[0], text, sizeof text - 1);
    cr_assert_str_eq(text, "out err");
    end_of(&child);
}

Test(child, is_not_waited_for_beyond_the_deadline)
{
    int pair[2];
    char text[8];
    struct child_end end;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct child child = start("hangs", &pair[1], 1);
    read_text(pair[0], text, 4);
    cr_assert_not(child_reap(&child, clock_now_ns() + 10 * NS_PER_MS, &end));
    cr_assert_neq(child.pid, 0);
    child_kill(&child);
    cr_assert_eq(end_of(&child).signal, SIGKILL);
}

/* Starts one that leaves two behind, and waits until all of them are there. */
static struct child start_three(const char *role, int pair[2], pid_t left[2])
{
    char text[256];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct child child = start(role, &pair[1], 1);
    close(pair[1]);
    for (size_t length = 0, found = 0; found < 3;) { /* "PID PID here", in any order */
        length += read_text(pair[0], text + length, 1);
        found = 0;
        for (size_t i = 0; i < length; i++)
            found += text[i] == ' ';
        found += strstr(text, "here") != NULL;
    }
    char *here = strstr(text, "here");
    memmove(here, here + 4, strlen(here + 4) + 1);
    cr_assert_eq(sscanf(text, "%d %d", &left[0], &left[1]), 2, "%s", text);
    return child;
}

/* At most it is a zombie that the system has not taken away yet. */
static bool lives(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    if (file != NULL)
        fscanf(file, "%*d (%*[^)]) %c", &state);
    return state != 'Z' && state != 'X';
}

/* Nobody lives, nor holds the other end any more. */
static void end_three(struct child *child, const int pair[2], const pid_t left[2])
{
    char byte;
    child_kill(child);
    cr_expect_not(lives(left[0]));
    cr_expect_not(lives(left[1]));
    cr_expect_eq(end_of(child).signal, SIGKILL);
    cr_expect_eq(recv(pair[0], &byte, 1, MSG_DONTWAIT), 0);
}

static void expect_all_end(const char *how)
{
    int pair[2];
    pid_t left[2];
    struct child child = start_three(how, pair, left);
    end_three(&child, pair, left);
}

Test(child, takes_all_of_its_session_with_it)
{
    expect_all_end("forks");
}

Test(child, takes_those_with_it_that_have_left_its_session_and_not_those_of_another)
{
    int pair[2], others_pair[2];
    pid_t left[2], others_left[2];
    struct child child = start_three("escapes", pair, left);
    struct child other = start_three("escapes", others_pair, others_left);
    end_three(&child, pair, left);
    cr_expect(lives(other.pid) && lives(others_left[0]) && lives(others_left[1]));
    end_three(&other, others_pair, others_left);
}

/* Of which the system says that they are zombies. */
Test(child, takes_those_with_it_whose_first_thread_is_over)
{
    expect_all_end("threads");
}

Test(child, takes_those_with_it_that_have_left_its_session_without_their_first_thread)
{
    expect_all_end("vanishes");
}

Test(child, that_cannot_be_started_says_why)
{
    struct child child;
    struct error error;
    int closed = 60;
    struct child_order order = {
        .role = "looks", .name = "test", .fds = &closed, .fds_count = 1, .output_fd = -1};
    cr_assert_not(child_start(&child, &order, &error));
    cr_assert_str_eq(error.message, "cannot start a process 'looks': Bad file descriptor");
    cr_assert_eq(child.pid, 0);
}

Test(child, that_is_none_may_be_killed)
{
    struct child child = CHILD_NONE;
    child_kill(&child);
}
