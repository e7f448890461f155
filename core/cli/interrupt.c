#include "cli/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/command.h"
#include "support/clock.h"
#include "support/ready.h"

int interrupt_open(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd >= 0)
        sigprocmask(SIG_BLOCK, &signals, NULL);
    return fd;
}

int interrupt_code(int fd)
{
    struct signalfd_siginfo info;

    if (fd < 0 || read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return info.ssi_signo == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
}

int interrupt_wait(int fd, int64_t span_ns)
{
    const struct ready_wish wish = {
        .fd = -1, .stop_fd = fd, .until_ns = clock_add_ns(clock_now_ns(), span_ns)};

    return ready_wait(&wish) == READY_STOPPED ? interrupt_code(fd) : 0;
}
