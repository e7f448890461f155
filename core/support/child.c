#include "support/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cleanup.h"
#include "support/clock.h"
#include "support/family.h"

extern char **environ;

enum {
    ROLE_BYTES = 64,
    ABOVE_ALL_FDS = CHILD_FIRST_FD + CHILD_FDS_MOST,
};

/* ---- start ---- */

/* What posix_spawn is told. */
struct plan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int lifted[CHILD_FDS_MOST]; /* duplicates of the order's descriptors that lie too low; or -1 */
};

static void plan_init(struct plan *plan)
{
    posix_spawn_file_actions_init(&plan->actions);
    posix_spawnattr_init(&plan->attributes);
    for (size_t i = 0; i < CHILD_FDS_MOST; i++)
        plan->lifted[i] = -1;
}

static void plan_fini(struct plan *plan)
{
    posix_spawn_file_actions_destroy(&plan->actions);
    posix_spawnattr_destroy(&plan->attributes);
    for (size_t i = 0; i < CHILD_FDS_MOST; i++)
        cleanup_close(&plan->lifted[i]);
}

static bool plan_session(struct plan *plan)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_setflags(&plan->attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                           POSIX_SPAWN_SETSIGDEF) == 0 &&
           posix_spawnattr_setsigmask(&plan->attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(&plan->attributes, &all) == 0;
}

/* One that lies where another is to go would be overwritten before its turn: it is lifted. */
static bool plan_fd(struct plan *plan, const struct child_order *order, size_t index)
{
    int fd = order->fds[index];
    if (fd < ABOVE_ALL_FDS)
        fd = plan->lifted[index] = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_ALL_FDS);
    return fd >= 0 &&
           posix_spawn_file_actions_adddup2(&plan->actions, fd, CHILD_FIRST_FD + (int)index) == 0;
}

static bool plan_fds(struct plan *plan, const struct child_order *order)
{
    int output = order->output_fd;
    for (int fd = STDOUT_FILENO; output >= 0 && fd <= STDERR_FILENO; fd++)
        if (posix_spawn_file_actions_adddup2(&plan->actions, output, fd) != 0)
            return false;
    if (posix_spawn_file_actions_addopen(&plan->actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) !=
        0)
        return false;
    for (size_t i = 0; i < order->fds_count; i++)
        if (!plan_fd(plan, order, i))
            return false;
    return posix_spawn_file_actions_addclosefrom_np(&plan->actions,
                                                    CHILD_FIRST_FD + (int)order->fds_count) == 0;
}

/* Returns our environment with the mark in front; the strings are borrowed. */
static char **marked_environment(char *mark)
{
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL)
        count++;
    char **marked = calloc(count + 2, sizeof *marked);
    if (marked == NULL)
        abort();
    marked[0] = mark;
    if (count > 0)
        memcpy(marked + 1, environ, count * sizeof *marked);
    return marked;
}

static bool spawn(struct child *child, const struct child_order *order, struct error *error)
{
    CLEANUP(plan_fini) struct plan plan;
    char role[ROLE_BYTES], mark[FAMILY_MARK_BYTES];
    plan_init(&plan);
    snprintf(role, sizeof role, "sluice-%s", order->role);
    char *arguments[] = {role, (char *)order->name, NULL};
    assert(order->fds_count <= CHILD_FDS_MOST);
    if (!plan_session(&plan) || !plan_fds(&plan, order))
        return error_errno(error, "child", "cannot prepare a process '%s'", order->role);
    if (getrandom(&child->mark, sizeof child->mark, 0) != sizeof child->mark)
        return error_errno(error, "child", "cannot mark a process '%s'", order->role);
    family_mark(child->mark, mark);
    CLEANUP(cleanup_free) char **environment = marked_environment(mark);
    errno = posix_spawn(&child->pid, "/proc/self/exe", &plan.actions, &plan.attributes, arguments,
                        environment);
    return errno == 0 || error_errno(error, "child", "cannot start a process '%s'", order->role);
}

bool child_start(struct child *child, const struct child_order *order, struct error *error)
{
    *child = CHILD_NONE;
    if (!spawn(child, order, error)) {
        *child = CHILD_NONE;
        return false;
    }
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd >= 0)
        return true;
    error_errno(error, "child", "cannot watch a process '%s'", order->role);
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    *child = CHILD_NONE;
    return false;
}

/* ---- end ---- */

void child_kill(struct child *child)
{
    if (child->pid == 0)
        return;
    pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
    family_kill(child->pid, child->mark);
}

bool child_await(const struct child *child, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
        int64_t left_ns = deadline_ns - clock_now_ns();
        struct timespec left = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
        if (left_ns < 0)
            left = (struct timespec){0};
        int count = ppoll(&ended, 1, deadline_ns == CLOCK_NEVER_NS ? NULL : &left, NULL);
        if (count > 0)
            return true;
        if (count == 0 || errno != EINTR)
            return false;
    }
}

bool child_reap(struct child *child, int64_t deadline_ns, struct child_end *end)
{
    struct rusage usage = {0};
    int status = 0;
    if (!child_await(child, deadline_ns))
        return false;
    while (wait4(child->pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    *end = (struct child_end){
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
        .peak_bytes = (uint64_t)usage.ru_maxrss * 1024,
    };
    close(child->pidfd);
    *child = CHILD_NONE;
    return true;
}

void child_settle(size_t fds_count)
{
    pid_t parent = getppid();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
    for (size_t i = 0; i < fds_count; i++)
        fcntl(CHILD_FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
    close_range(CHILD_FIRST_FD + (unsigned)fds_count, ~0U, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it has ended before that was asked for */
        _exit(1);
}
