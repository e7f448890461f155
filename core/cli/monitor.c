#include "cli/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/lifeline.h"
#include "cli/orphans.h"
#include "cli/output.h"
#include "plugin/fallen.h"
#include "serve/listener.h"
#include "serve/notify.h"
#include "support/buffer.h"
#include "support/cleanup.h"
#include "support/clock.h"
#include "support/log.h"
#include "support/units.h"

#define HOST_NAME "sluice-host"

/* How long the next host is waited with: those that die one after the other would wear the machine
 * out. */
#define DELAY_LEAST_NS (100 * NS_PER_MS)
#define DELAY_MOST_NS  (30 * NS_PER_S)
#define LIVED_WELL_NS  (60 * NS_PER_S) /* a host that has lived so long begins a new count */

/* What a dead host has left behind. */
#define SWEEP_LOOK_NS (100 * NS_PER_MS)
#define SWEEP_MOST_NS (10 * NS_PER_S) /* one that does not die is left to itself then */

enum { SIGNAL_CODE = 128, CAUSE_BYTES = FALLEN_CAUSE_BYTES };

struct monitor {
    struct buffer arguments; /* of the host, each with its NUL */
    struct orphans orphans;
    sigset_t mask; /* with which this process was started */
    int signal_fd;
    int listen_fd;  /* -1: no host has opened it yet */
    bool is_passed; /* it is the service manager's */
    int fallen_fd;
    struct fallen *fallen; /* the same memory, mapped */
    /* the host */
    pid_t host;   /* 0: none */
    int lifeline; /* -1: it has closed its end */
    int64_t started_ns;
    bool is_ready, stops;
    /* between two hosts */
    int64_t due_ns;   /* of the next */
    int64_t sweep_ns; /* until then others are waited for to die; 0: nobody is left */
    int64_t delay_ns;
    int asked; /* SIGTERM or SIGINT, which came last; 0: none */
    int code;  /* -1: it goes on */
};

/* ---- starting a host ---- */

/* This process is called as it was; the host differs in the name alone. */
static bool read_arguments(struct buffer *arguments)
{
    CLEANUP(cleanup_close) int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t got;

    do {
        got = fd < 0 ? -1 : read(fd, buffer_reserve(arguments, 4096), 4096);
        arguments->length += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    errno = got == 0 ? EINVAL : errno; /* a host would be the monitor of the next, without end */
    return got == 0 && arguments->length > 0 && !monitor_names_host(arguments->bytes);
}

/* Variables that name this process by its id are meant for the host. */
static void rename_environment(pid_t monitor)
{
    const char *watched = getenv("WATCHDOG_PID");
    char pid[24];

    if (watched == NULL || strtol(watched, NULL, 10) != monitor)
        return;
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
}

/* A SIGHUP that comes too early waits until the host reads it; what is to end it ends it. */
static void set_signals(sigset_t mask)
{
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* In the child, which has no other threads either. */
static _Noreturn void become_host(const struct monitor *monitor, pid_t parent, int lifeline)
{
    CLEANUP(cleanup_free) char **argv = calloc(monitor->arguments.length + 1, sizeof(char *));
    size_t count = 0;

    if (argv == NULL)
        abort();
    for (size_t at = 0; at < monitor->arguments.length;
         at += strlen(monitor->arguments.bytes + at) + 1)
        argv[count++] = monitor->arguments.bytes + at;
    argv[0] = (char[]){HOST_NAME};
    rename_environment(parent);
    set_signals(monitor->mask);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(SIGNAL_CODE + SIGKILL);
    if (dup2(lifeline, LIFELINE_FD) == LIFELINE_FD)
        execv("/proc/self/exe", argv);
    output_error("cannot start the host: %s; see `sluice serve --no-monitor'", strerror(errno));
    _exit(EXIT_HOST);
}

static void close_lifeline(struct monitor *monitor)
{
    if (monitor->lifeline >= 0)
        close(monitor->lifeline);
    monitor->lifeline = -1;
}

static void start_host(struct monitor *monitor)
{
    const struct lifeline_word begin = {.kind = LIFELINE_BEGIN, .is_passed = monitor->is_passed};
    const struct lifeline_word fallen = {.kind = LIFELINE_FALLEN};
    pid_t parent = getpid();
    int of_host;

    if (!lifeline_pair(&monitor->lifeline, &of_host)) {
        monitor->code = EXIT_HOST;
        output_error("cannot start the host: %s", strerror(errno));
        return;
    }
    lifeline_tell(monitor->lifeline, &begin, monitor->listen_fd);
    lifeline_tell(monitor->lifeline, &fallen, monitor->fallen_fd);
    monitor->is_ready = monitor->stops = false;
    monitor->started_ns = clock_now_ns();
    monitor->host = fork();
    if (monitor->host == 0)
        become_host(monitor, parent, of_host);
    close(of_host);
    if (monitor->host > 0)
        return;
    close_lifeline(monitor);
    monitor->host = 0;
    monitor->due_ns = clock_now_ns() + DELAY_MOST_NS;
    log_error("the host cannot be started: it is tried again", LOG_TEXT("reason", strerror(errno)));
}

/* ---- what the host says ---- */

/* Whoever calls listen is the one that those who connect see as the owner: as long as this process
 * is there the daemon is. */
static void hold(struct monitor *monitor, int fd)
{
    if (monitor->listen_fd >= 0)
        close(monitor->listen_fd);
    monitor->listen_fd = fd;
    listen(fd, SOMAXCONN);
}

static void hear(struct monitor *monitor)
{
    struct lifeline_word word;
    enum lifeline_heard heard = LIFELINE_OVER;
    int fd;

    while (monitor->lifeline >= 0 &&
           (heard = lifeline_hear(monitor->lifeline, &word, &fd)) == LIFELINE_WORD) {
        if (fd >= 0)
            hold(monitor, fd);
        monitor->stops |= word.kind == LIFELINE_STOPS;
        if (word.kind != LIFELINE_READY)
            continue;
        monitor->is_ready = true;
        log_configure((enum log_level)word.log_level, (enum log_format)word.log_format);
    }
    if (heard == LIFELINE_OVER)
        close_lifeline(monitor);
}

/* ---- its end ---- */

static const char *cause_of(int status, char text[CAUSE_BYTES])
{
    const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;

    if (name != NULL)
        snprintf(text, CAUSE_BYTES, "SIG%s", name);
    else if (WIFSIGNALED(status))
        snprintf(text, CAUSE_BYTES, "signal %d", WTERMSIG(status));
    else
        snprintf(text, CAUSE_BYTES, "exit code %d, unasked", WEXITSTATUS(status));
    return text;
}

static void say_death(const struct monitor *monitor, int status, int64_t lived_ns)
{
    char cause[CAUSE_BYTES], lived[32], delay[32];

    units_format_duration(lived_ns / NS_PER_MS * NS_PER_MS, lived, sizeof(lived));
    units_format_duration(monitor->delay_ns, delay, sizeof(delay));
    log_error("the host died: the next is started", LOG_TEXT("by", cause_of(status, cause)),
              LOG_NUMBER("pid", monitor->host), LOG_TEXT("lived", lived), LOG_TEXT("in", delay));
    notify_send(NOTIFY_WATCHDOG, "the host died and is started again");
}

static void plan_next(struct monitor *monitor, int status)
{
    int64_t now_ns = clock_now_ns();
    int64_t lived_ns = now_ns - monitor->started_ns;
    char cause[CAUSE_BYTES];

    fallen_count(monitor->fallen, cause_of(status, cause));
    monitor->delay_ns *= 2;
    if (monitor->delay_ns > DELAY_MOST_NS)
        monitor->delay_ns = DELAY_MOST_NS;
    if (monitor->delay_ns == 0 || lived_ns >= LIVED_WELL_NS)
        monitor->delay_ns = DELAY_LEAST_NS;
    say_death(monitor, status, lived_ns);
    monitor->due_ns = now_ns + monitor->delay_ns;
    monitor->sweep_ns = now_ns + SWEEP_MOST_NS;
}

/* Returns whether the end of a host is the end of the daemon. One that leaves while it starts a
 * plugin was left by that. */
static bool is_the_end(const struct monitor *monitor, int status)
{
    if (monitor->stops || monitor->asked != 0)
        return true;
    if (WIFEXITED(status))
        return !monitor->is_ready && !fallen_is_starting(monitor->fallen);
    return WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGINT; /* before it handles them */
}

static void host_ended(struct monitor *monitor, int status)
{
    char cause[CAUSE_BYTES];

    hear(monitor);
    close_lifeline(monitor);
    if (!is_the_end(monitor, status)) {
        plan_next(monitor, status);
    } else if (WIFEXITED(status)) {
        monitor->code = WEXITSTATUS(status);
    } else {
        monitor->code = SIGNAL_CODE + WTERMSIG(status);
        orphans_kill(&monitor->orphans);
        if (monitor->is_ready)
            log_error("the host died while it stopped", LOG_TEXT("by", cause_of(status, cause)));
    }
    monitor->host = 0;
}

static void reap(struct monitor *monitor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == monitor->host)
            host_ended(monitor, status);
}

/* ---- between two hosts ---- */

static void sweep(struct monitor *monitor, int64_t now_ns)
{
    size_t left = monitor->sweep_ns == 0 ? 0 : orphans_kill(&monitor->orphans);

    if (left > 0 && now_ns < monitor->sweep_ns)
        return;
    if (left > 0)
        log_warning("what the host has left behind does not die", LOG_NUMBER("processes", left));
    monitor->sweep_ns = 0;
}

/* Returns when it is to be called again. */
static int64_t step(struct monitor *monitor)
{
    int64_t now_ns = clock_now_ns(), fed_ns = notify_watchdog_ns() / 2;
    int64_t next_ns = monitor->due_ns;

    if (monitor->host != 0)
        return CLOCK_NEVER_NS;
    sweep(monitor, now_ns);
    if (monitor->asked != 0) {
        monitor->code = SIGNAL_CODE + monitor->asked;
        return now_ns;
    }
    if (fed_ns > 0) { /* by the host, if it were there */
        notify_send(NOTIFY_WATCHDOG, NULL);
        next_ns = now_ns + fed_ns < next_ns ? now_ns + fed_ns : next_ns;
    }
    if (monitor->sweep_ns == 0 && now_ns >= monitor->due_ns) {
        start_host(monitor);
        return monitor->host != 0 ? CLOCK_NEVER_NS : monitor->due_ns;
    }
    return monitor->sweep_ns != 0 ? now_ns + SWEEP_LOOK_NS : next_ns;
}

/* ---- signals ---- */

/* What the terminal sends comes to the host as well, which counts it once (host.c). A SIGHUP of
 * the kernel means that the terminal is gone, one of a process asks for a reload. */
static void take_signal(struct monitor *monitor, const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD)
        return;
    if (number == SIGHUP && info->ssi_code == SI_KERNEL)
        number = SIGTERM;
    if (number != SIGHUP)
        monitor->asked = number;
    if (monitor->host != 0)
        kill(monitor->host, number);
}

static void take_signals(struct monitor *monitor)
{
    struct signalfd_siginfo info;

    while (read(monitor->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        take_signal(monitor, &info);
}

static bool open_signals(struct monitor *monitor)
{
    sigset_t signals;

    signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how the host ended */
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &monitor->mask);
    monitor->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return monitor->signal_fd >= 0;
}

/* ---- the whole ---- */

static void wait_until(const struct monitor *monitor, int64_t until_ns)
{
    struct pollfd fds[] = {{.fd = monitor->signal_fd, .events = POLLIN},
                           {.fd = monitor->host != 0 ? monitor->lifeline : -1, .events = POLLIN}};
    int64_t span_ns = until_ns - clock_now_ns();
    struct timespec span = {.tv_sec = span_ns / NS_PER_S, .tv_nsec = span_ns % NS_PER_S};

    if (span_ns > 0)
        ppoll(fds, 2, until_ns == CLOCK_NEVER_NS ? NULL : &span, NULL);
}

static void monitor_fini(struct monitor *monitor)
{
    CLEANUP(cleanup_free)
    char *address = monitor->listen_fd < 0 ? NULL : listener_address(monitor->listen_fd);

    if (monitor->listen_fd >= 0)
        close(monitor->listen_fd);
    if (address != NULL && !monitor->is_passed)
        listener_remove(address);
    if (monitor->signal_fd >= 0)
        close(monitor->signal_fd);
    fallen_unmap(&monitor->fallen);
    if (monitor->fallen_fd >= 0)
        close(monitor->fallen_fd);
    buffer_fini(&monitor->arguments);
}

static bool monitor_open(struct monitor *monitor)
{
    struct error error;

    if (!listener_take_passed(&monitor->listen_fd, &error))
        return output_error("%s", error.message);
    monitor->is_passed = monitor->listen_fd >= 0;
    monitor->fallen_fd = fallen_make();
    monitor->fallen = monitor->fallen_fd < 0 ? NULL : fallen_map(monitor->fallen_fd);
    if (monitor->fallen == NULL || !read_arguments(&monitor->arguments) || !open_signals(monitor))
        return output_error("cannot watch over a host: %s; see `sluice serve --no-monitor'",
                            strerror(errno));
    orphans_adopt(&monitor->orphans);
    return true;
}

int monitor_run(void)
{
    CLEANUP(monitor_fini)
    struct monitor monitor = {
        .signal_fd = -1, .listen_fd = -1, .fallen_fd = -1, .lifeline = -1, .code = -1};

    if (!monitor_open(&monitor))
        return EXIT_HOST;
    while (monitor.code < 0) {
        int64_t next_ns = step(&monitor);
        wait_until(&monitor, next_ns);
        take_signals(&monitor);
        if (monitor.host != 0)
            hear(&monitor);
        reap(&monitor);
    }
    return monitor.code;
}

bool monitor_names_host(const char *program)
{
    return program != NULL && strcmp(program, HOST_NAME) == 0;
}

int monitor_host(int argc, char **argv)
{
    prctl(PR_SET_NAME, HOST_NAME);
    if (lifeline_take())
        return command_run(argc, argv);
    output_error("%s is started by `sluice serve'", HOST_NAME);
    return EXIT_USAGE;
}
