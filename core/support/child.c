#include "support/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"

extern char **environ;

/* ---- starting ---- */

/* Returns a number above those of all descriptors that are moved, and of their places. */
static int parking(const struct child_order *order)
{
    int above = CHILD_FIRST_FD + CHILD_FDS_MOST;
    for (size_t i = 0; i < order->fds_count; i++)
        above = order->fds[i] >= above ? order->fds[i] + 1 : above;
    return order->output_fd >= above ? order->output_fd + 1 : above;
}

/* All are parked first, so that none is overwritten before it was moved. */
static int add_descriptors(posix_spawn_file_actions_t *actions, const struct child_order *order)
{
    int parked_fd = parking(order);
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (size_t i = 0; i < order->fds_count && failed == 0; i++)
        failed = posix_spawn_file_actions_adddup2(actions, order->fds[i], parked_fd + (int)i);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO && order->output_fd >= 0 && failed == 0; fd++)
        failed = posix_spawn_file_actions_adddup2(actions, order->output_fd, fd);
    for (size_t i = 0; i < order->fds_count && failed == 0; i++)
        failed =
            posix_spawn_file_actions_adddup2(actions, parked_fd + (int)i, CHILD_FIRST_FD + (int)i);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions,
                                                          CHILD_FIRST_FD + (int)order->fds_count);
    return failed;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int spawn(struct child *child, const struct child_order *order,
                 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes)
{
    char role[64];
    char *const argv[] = {role, (char *)(uintptr_t)order->name, NULL};
    snprintf(role, sizeof role, CHILD_ROLE_PREFIX "%s", order->role);
    return posix_spawn(&child->pid, "/proc/self/exe", actions, attributes, argv, environ);
}

static int start(struct child *child, const struct child_order *order)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failed = add_descriptors(&actions, order);
    if (failed == 0)
        failed = set_attributes(&attributes);
    if (failed == 0)
        failed = spawn(child, order, &actions, &attributes);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

bool child_start(struct child *child, const struct child_order *order, struct error *error)
{
    struct child_end end;
    *child = CHILD_NONE;
    int failed = start(child, order);
    if (failed != 0) {
        *child = CHILD_NONE;
        return error_set(error, "spawn", "a process of the program cannot be started: %s",
                         strerror(failed));
    }
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd >= 0)
        return true;
    error_errno(error, "spawn", "a process cannot be watched");
    child_kill(child);
    child_reap(child, CLOCK_NEVER_NS, &end);
    return false;
}

/* ---- ending ---- */

/* Reads state and session of a process; false if it is gone. */
static bool read_stat(const char *id, char *state, long *session)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", id);
    CLEANUP(cleanup_fclose) FILE *file = fopen(path, "re");
    size_t got = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    text[got] = '\0';
    /* The name stands in brackets and may hold anything, brackets too. */
    const char *behind = strrchr(text, ')');
    return behind != NULL && sscanf(behind, ") %c %*d %*d %ld", state, session) == 2;
}

/* Kills every process of the session; returns how many were alive. */
static unsigned kill_session(pid_t session)
{
    unsigned alive = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        long of;
        char state;
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
            !read_stat(entry->d_name, &state, &of) || of != session || state == 'Z' || state == 'X')
            continue;
        alive++;
        kill((pid_t)atol(entry->d_name), SIGKILL);
    }
    if (folder != NULL)
        closedir(folder);
    return alive;
}

/* The process itself stays a zombie, so that no other session can have its number. One that it
 * has just forked is found in a later round: until there is none left. */
void child_kill(struct child *child)
{
    const struct timespec moment = {.tv_nsec = NS_PER_MS};
    if (child->pid == 0)
        return;
    kill(-child->pid, SIGKILL);
    while (kill_session(child->pid) > 0)
        nanosleep(&moment, NULL);
}

bool child_await(const struct child *child, int64_t deadline_ns)
{
    struct pollfd fd = {.fd = child->pidfd, .events = POLLIN};
    for (;;) {
        int64_t left_ns = deadline_ns == CLOCK_NEVER_NS ? 0 : deadline_ns - clock_now_ns();
        int64_t left_ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
        if (left_ms < 0)
            left_ms = 0;
        int timeout_ms = deadline_ns == CLOCK_NEVER_NS ? -1
                         : left_ms > 60000             ? 60000
                                                       : (int)left_ms;
        if (poll(&fd, 1, timeout_ms) > 0)
            return true;
        if (deadline_ns != CLOCK_NEVER_NS && clock_now_ns() >= deadline_ns)
            return false;
    }
}

bool child_reap(struct child *child, int64_t deadline_ns, struct child_end *end)
{
    struct rusage usage = {0};
    int status = 0;
    if (child->pidfd >= 0 && !child_await(child, deadline_ns))
        return false;
    while (wait4(child->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    *end = (struct child_end){.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                              .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                              .peak_bytes = (uint64_t)usage.ru_maxrss * 1024};
    if (child->pidfd >= 0)
        close(child->pidfd);
    *child = CHILD_NONE;
    return true;
}

/* ---- in the child ---- */

bool child_settle(size_t fds_count)
{
    const struct rlimit none = {0, 0};
    for (size_t i = 0; i < fds_count; i++)
        if (fcntl(CHILD_FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC) != 0)
            return false;
    prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    return true;
}
