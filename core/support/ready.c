#include "support/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic int64_t give_up_ns = CLOCK_NEVER_NS;

static struct timespec span_until(int64_t until_ns)
{
    int64_t left_ns = until_ns > 0 ? until_ns - clock_now_ns() : 0;
    if (left_ns < 0)
        left_ns = 0;
    return (struct timespec){.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
}

enum ready ready_wait(const struct ready_wish *wish)
{
    struct pollfd polled[] = {{.fd = wish->fd, .events = wish->events},
                              {.fd = wish->stop_fd, .events = POLLIN}};
    int found;
    do {
        struct timespec span = span_until(wish->until_ns);
        found = ppoll(polled, 2, wish->until_ns == CLOCK_NEVER_NS ? NULL : &span, NULL);
    } while (found < 0 && errno == EINTR);
    if (found == 0)
        return READY_LATE;
    /* A poll that fails for lack of memory is no reason to stop: who then reads may block. */
    return found > 0 && polled[1].revents != 0 ? READY_STOPPED : READY_NOW;
}

bool ready_to_write(int fd)
{
    struct ready_wish wish = {.fd = fd, .events = POLLOUT, .stop_fd = -1};
    while (ready_wait(&wish) == READY_LATE) {
        int64_t now_ns = clock_now_ns(), most_ns = ready_gives_up_ns();
        if (now_ns >= most_ns)
            return false;
        wish.until_ns = most_ns - now_ns < READY_LOOK_NS ? most_ns : now_ns + READY_LOOK_NS;
    }
    return true;
}

void ready_give_up_at(int64_t when_ns)
{
    int64_t before_ns = atomic_load(&give_up_ns);
    while (when_ns < before_ns && !atomic_compare_exchange_weak(&give_up_ns, &before_ns, when_ns))
        ;
}

int64_t ready_gives_up_ns(void)
{
    return atomic_load(&give_up_ns);
}
