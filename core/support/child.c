/* child: a process is known to be of a session by /proc/PID/stat, or to have the mark by
 * /proc/PID/environ, and killed through that very folder, so that nobody is hit who has got the
 * number of one that is gone. The number of the session itself cannot be given away: it is that of
 * a child that nobody has waited for. */
#include "support/child.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
#include "support/log.h"

extern char **environ;

enum {
    ROLE_BYTES = 64,
    STAT_BYTES = 512, /* of /proc/PID/stat; what is looked at stands in front */
    ABOVE_ALL_FDS = CHILD_FIRST_FD + CHILD_FDS_MOST,
    MARK_BYTES = sizeof "SLUICE_CHILD_0123456789abcdef=1",
    UNCLEAR_LOOKS_MOST = 3,
};

/* How long somebody who cannot be killed just now (a disk does not answer) is waited for. */
#define KILL_MOST_NS (10 * NS_PER_S)

/* As it stands in the environment: a name of its own rather than a value, so that a child of a host
 * that is itself below a child has the marks of both. */
static void write_mark(uint64_t mark, char text[MARK_BYTES])
{
    snprintf(text, MARK_BYTES, "SLUICE_CHILD_%016" PRIx64 "=1", mark);
}

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
    char role[ROLE_BYTES], mark[MARK_BYTES];
    plan_init(&plan);
    snprintf(role, sizeof role, "sluice-%s", order->role);
    char *arguments[] = {role, (char *)order->name, NULL};
    assert(order->fds_count <= CHILD_FDS_MOST);
    if (!plan_session(&plan) || !plan_fds(&plan, order))
        return error_errno(error, "child", "cannot prepare a process '%s'", order->role);
    if (getrandom(&child->mark, sizeof child->mark, 0) != sizeof child->mark)
        return error_errno(error, "child", "cannot mark a process '%s'", order->role);
    write_mark(child->mark, mark);
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

/* ---- kill ---- */

static void close_stream(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

/* Whom child_kill is after. */
struct wanted {
    pid_t session;
    unsigned long long since; /* when the child was started, in ticks: nobody has its mark before */
    char mark[MARK_BYTES];
};

/* Whether somebody is wanted. */
enum sight {
    SIGHT_OTHER,   /* no, or is dead */
    SIGHT_UNCLEAR, /* has no environment, as in the midst of execve: look again */
    SIGHT_WANTED,
};

/* What /proc/PID/stat says. */
struct life {
    char state;
    pid_t session;
    long threads;
    unsigned long long since, memory_bytes; /* of the kernel's own threads: 0 */
};

/* "number (name) state parent group session ...", and a name may hold anything. */
static bool read_life(int folder_fd, struct life *life)
{
    char text[STAT_BYTES];
    int fd CLEANUP(cleanup_close) = openat(folder_fd, "stat", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (bytes <= 0)
        return false;
    text[bytes] = '\0';
    const char *behind_name = strrchr(text, ')');
    return behind_name != NULL &&
           sscanf(behind_name + 1,
                  " %c %*s %*s %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %*s %llu "
                  "%llu",
                  &life->state, &life->session, &life->threads, &life->since,
                  &life->memory_bytes) == 5;
}

/* A process is called dead after its first thread, though others may go on. */
static bool is_alive(const struct life *life)
{
    return (life->state != 'Z' && life->state != 'X') || life->threads > 1;
}

static enum sight look_for_mark(int folder_fd, const char *mark)
{
    char *entry CLEANUP(cleanup_free) = NULL;
    size_t room = 0;
    enum sight sight = SIGHT_UNCLEAR;
    int fd = openat(folder_fd, "environ", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SIGHT_OTHER;
    FILE *environment CLEANUP(cleanup_fclose) = fdopen(fd, "r");
    if (environment == NULL)
        abort();
    while (sight != SIGHT_WANTED && getdelim(&entry, &room, '\0', environment) > 0)
        sight = strcmp(entry, mark) == 0 ? SIGHT_WANTED : SIGHT_OTHER;
    return sight;
}

/* An environment takes longer to read than all the rest: only of those who may have the mark. */
static enum sight look_at(int folder_fd, const struct wanted *wanted)
{
    struct life life;
    if (!read_life(folder_fd, &life) || !is_alive(&life))
        return SIGHT_OTHER;
    if (life.session == wanted->session)
        return SIGHT_WANTED;
    if (life.since < wanted->since || life.memory_bytes == 0)
        return SIGHT_OTHER;
    return look_for_mark(folder_fd, wanted->mark);
}

/* Sends the signal to all that are wanted and live; returns the most that was seen. */
static enum sight kill_all(const struct wanted *wanted)
{
    DIR *stream CLEANUP(close_stream) = opendir("/proc");
    const struct dirent *entry;
    enum sight most = SIGHT_OTHER;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        int fd CLEANUP(cleanup_close) =
            openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        enum sight sight = fd < 0 ? SIGHT_OTHER : look_at(fd, wanted);
        if (sight == SIGHT_WANTED)
            pidfd_send_signal(fd, SIGKILL, NULL, 0);
        if (sight > most)
            most = sight;
    }
    return most;
}

/* The child is there at least as a zombie. */
static void want(struct wanted *wanted, const struct child *child)
{
    char path[32];
    struct life life;
    snprintf(path, sizeof path, "/proc/%d", child->pid);
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    wanted->session = child->pid;
    wanted->since = fd >= 0 && read_life(fd, &life) ? life.since : 0;
    write_mark(child->mark, wanted->mark);
}

void child_kill(struct child *child)
{
    if (child->pid == 0)
        return;
    struct wanted wanted;
    enum sight sight;
    unsigned unclear_looks = 0;
    int64_t until_ns = clock_now_ns() + KILL_MOST_NS;
    pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
    want(&wanted, child);
    while ((sight = kill_all(&wanted)) != SIGHT_OTHER) {
        if (sight == SIGHT_UNCLEAR && ++unclear_looks == UNCLEAR_LOOKS_MOST)
            return;
        if (clock_now_ns() > until_ns) {
            log_warning("a process cannot be killed", LOG_NUMBER("session", child->pid));
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS / 2}, NULL);
    }
}

/* ---- end ---- */

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
