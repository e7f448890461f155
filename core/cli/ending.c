#include "cli/ending.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/command.h"
#include "support/clock.h"
#include "support/ready.h"
#include "support/thread.h"

#define LAST_WORDS_NS NS_PER_S

struct ending {
    const struct config *config;
    int signal_fd;
    int stop_fd;
    struct thread thread;
    _Atomic int code;
    int64_t leave_ns; /* its own thread */
};

static int64_t one_second_from(int64_t from_ns)
{
    int64_t now_ns = clock_now_ns();
    return clock_add_ns(from_ns > now_ns ? from_ns : now_ns, LAST_WORDS_NS);
}

static void take_signal(struct ending *ending)
{
    struct signalfd_siginfo info;
    if (read(ending->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info) ||
        (info.ssi_signo == SIGHUP && info.ssi_code != SI_KERNEL))
        return;
    int none = 0;
    int code = info.ssi_signo == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
    atomic_compare_exchange_strong(&ending->code, &none, code);
    ready_give_up_at(clock_now_ns());
    int64_t leave_ns = one_second_from(0);
    if (leave_ns < ending->leave_ns)
        ending->leave_ns = leave_ns;
}

static void ending_run(void *argument)
{
    struct ending *ending = argument;
    for (;;) {
        const struct ready_wish wish = {.fd = ending->signal_fd,
                                        .events = POLLIN,
                                        .stop_fd = ending->stop_fd,
                                        .until_ns = ending->leave_ns};
        switch (ready_wait(&wish)) {
        case READY_NOW:
            take_signal(ending);
            break;
        case READY_STOPPED:
            return;
        case READY_LATE:
            config_remove_temporary(ending->config);
            _exit(ending->code);
        }
    }
}

static void ending_free(struct ending *ending)
{
    if (ending->signal_fd >= 0)
        close(ending->signal_fd);
    if (ending->stop_fd >= 0)
        close(ending->stop_fd);
    free(ending);
}

struct ending *ending_start(const struct config *config, int code, struct error *error)
{
    struct ending *ending = calloc(1, sizeof(*ending));
    sigset_t signals;

    if (ending == NULL)
        abort();
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    ending->config = config;
    ending->code = code;
    ending->leave_ns = code == 0 ? CLOCK_NEVER_NS : one_second_from(ready_gives_up_ns());
    ending->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    ending->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool made = ending->signal_fd >= 0 && ending->stop_fd >= 0;
    if (made ? thread_start(&ending->thread, "ending", ending_run, ending, error)
             : error_errno(error, "ending", "cannot wait for signals"))
        return ending;
    ending_free(ending);
    return NULL;
}

int ending_code(const struct ending *ending)
{
    return ending == NULL ? 0 : atomic_load(&ending->code);
}

void ending_stop(struct ending **ending)
{
    if (*ending == NULL)
        return;
    eventfd_write((*ending)->stop_fd, 1);
    thread_join(&(*ending)->thread);
    ending_free(*ending);
    *ending = NULL;
}
