/* DESIGN. A command must cost little more than posix_spawn and waitpid. We hold the write ends of
 * its pipes ourselves: they then never report "hung up", so that a command without output wakes us
 * once, by its pidfd, and grandchildren that keep a pipe open cannot hold us. The pidfd stands
 * first in the poll set: when it is ready, what poll said of the pipes after it is the final word.
 * The child is reaped last: until then nobody else can have the number of its group, and kill is
 * safe. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KILL_AFTER_MS = 1000, /* from SIGTERM to SIGKILL */
    LOOK_EVERY_MS = 50,   /* at sluice_cancelled, when there is no cancel descriptor */
    LEFTOVER_READS = 64,  /* after the end: the most that a pipe can hold, 1 MiB */
};

enum { FD_CHILD, FD_OUT, FD_ERR, FD_CANCEL, FD_COUNT };

static int stream_open(struct child_stream *stream)
{
    int ends[2] = {-1, -1};
    int code = pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
    *stream = (struct child_stream){.from = ends[0], .to = ends[1]};
    return code;
}

static void stream_close(struct child_stream *stream)
{
    if (stream->from < 0)
        return;
    close(stream->from);
    close(stream->to);
}

static int actions_fill(posix_spawn_file_actions_t *actions, const struct child *child,
                        const struct child_plan *plan)
{
    int code = posix_spawn_file_actions_adddup2(actions, plan->input, STDIN_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, child->out.to, STDOUT_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, child->err.to, STDERR_FILENO);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    if (code == 0 && plan->cwd)
        code = posix_spawn_file_actions_addchdir_np(actions, plan->cwd);
    return code;
}

static void attributes_fill(posix_spawnattr_t *attributes)
{
    sigset_t none, reset;
    sigemptyset(&none);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &reset);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETPGROUP);
}

static int child_spawn(struct child *child, const struct child_plan *plan)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    attributes_fill(&attributes);
    int code = actions_fill(&actions, child, plan);
    if (code == 0)
        code =
            posix_spawnp(&child->pid, plan->argv[0], &actions, &attributes, plan->argv, plan->env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* A child that cannot be followed must not run on unseen. */
static int child_watch(struct child *child)
{
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd >= 0)
        return 0;
    int code = errno;
    kill(-child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    return code;
}

int child_start(struct child *child, const struct child_plan *plan)
{
    *child = (struct child){.pidfd = -1, .out = {-1, -1}, .err = {-1, -1}};
    int code = stream_open(&child->out);
    if (code == 0)
        code = stream_open(&child->err);
    if (code == 0)
        code = child_spawn(child, plan);
    if (code == 0)
        code = child_watch(child);
    if (code != 0) {
        stream_close(&child->out);
        stream_close(&child->err);
    }
    return code;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Polls and reads what there is; true once the child has ended. */
static bool child_poll(struct pollfd *fds, int timeout_ms, struct capture *out, struct capture *err)
{
    if (poll(fds, FD_COUNT, timeout_ms) <= 0)
        return false;
    if (fds[FD_OUT].revents)
        capture_read(out, fds[FD_OUT].fd);
    if (fds[FD_ERR].revents)
        capture_read(err, fds[FD_ERR].fd);
    return fds[FD_CHILD].revents != 0;
}

/* What the ended child left in its pipes. Bounded: a grandchild may print for ever. */
static void leftovers_read(struct pollfd *fds, struct capture *out, struct capture *err)
{
    fds[FD_CHILD].fd = fds[FD_CANCEL].fd = -1;
    for (int i = 0; i < LEFTOVER_READS && (fds[FD_OUT].revents || fds[FD_ERR].revents); i++) {
        fds[FD_OUT].revents = fds[FD_ERR].revents = 0;
        child_poll(fds, 0, out, err);
    }
}

/* The group was told to end: reads on until the child has, with SIGKILL when its time is over. */
static void child_end(struct child *child, struct pollfd *fds, struct capture *out,
                      struct capture *err)
{
    kill(-child->pid, SIGTERM);
    kill(-child->pid, SIGCONT);
    fds[FD_CANCEL].fd = -1; /* it stays readable */
    int64_t until_ms = now_ms() + KILL_AFTER_MS;
    for (int64_t left_ms = KILL_AFTER_MS; left_ms > 0; left_ms = until_ms - now_ms())
        if (child_poll(fds, (int)left_ms, out, err))
            break;
    kill(-child->pid, SIGKILL);
    while (!fds[FD_CHILD].revents)
        child_poll(fds, -1, out, err);
}

bool child_follow(struct child *child, const struct sluice_call *call, struct capture *out,
                  struct capture *err)
{
    struct pollfd fds[FD_COUNT] = {
        [FD_CHILD] = {.fd = child->pidfd, .events = POLLIN},
        [FD_OUT] = {.fd = child->out.from, .events = POLLIN},
        [FD_ERR] = {.fd = child->err.from, .events = POLLIN},
        [FD_CANCEL] = {.fd = sluice_cancel_fd(call), .events = POLLIN},
    };
    int timeout_ms = fds[FD_CANCEL].fd >= 0 ? -1 : LOOK_EVERY_MS;
    bool ended = false, cancelled = false;
    while (!ended && !cancelled) {
        ended = child_poll(fds, timeout_ms, out, err);
        cancelled = !ended && sluice_cancelled(call);
    }
    if (cancelled)
        child_end(child, fds, out, err);
    leftovers_read(fds, out, err);
    return cancelled;
}

int child_finish(struct child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(child->pidfd);
    stream_close(&child->out);
    stream_close(&child->err);
    return status;
}
