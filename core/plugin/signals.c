#include "plugin/signals.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

#include "support/log.h"

static _Atomic uint32_t handlers_put_back, masks_put_back;

static bool is_askable(int number)
{
    return number != SIGKILL && number != SIGSTOP;
}

void signals_keep(struct signals *signals)
{
    memset(signals, 0, sizeof *signals);
    for (int number = 1; number < SIGNALS_COUNT; number++)
        if (is_askable(number))
            sigaction(number, NULL, &signals->handlers[number]);
}

/* Those that programs set: the C library adds one of its own whenever it sets a handler. */
enum {
    FLAGS_COMPARED = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
                     SA_NODEFER | (int)SA_RESETHAND
};

/* Whatever member is meant, both lie in the same place. */
static bool same_handler(const struct sigaction *one, const struct sigaction *other)
{
    return one->sa_sigaction == other->sa_sigaction &&
           (one->sa_flags & FLAGS_COMPARED) == (other->sa_flags & FLAGS_COMPARED);
}

/* The file whose code a handler is; NULL if there is none. */
static const char *file_of(const struct sigaction *action)
{
    Dl_info info;
    void *address;
    if (action->sa_handler == SIG_IGN || action->sa_handler == SIG_DFL)
        return NULL;
    memcpy(&address, &action->sa_sigaction, sizeof address);
    return dladdr(address, &info) != 0 ? info.dli_fname : NULL;
}

static void report(int number, const struct sigaction *found, const char *plugin)
{
    const char *name = sigabbrev_np(number);
    const char *file = file_of(found);
    log_warning("plugin changed the handler of a signal: put back (rule R3)",
                LOG_TEXT("signal", name == NULL ? "real-time" : name), LOG_NUMBER("number", number),
                LOG_TEXT("plugin", plugin), LOG_TEXT("handler_in", file == NULL ? "-" : file));
}

void signals_restore(const struct signals *signals, const char *plugin)
{
    for (int number = 1; number < SIGNALS_COUNT; number++) {
        struct sigaction now;
        const struct sigaction *kept = &signals->handlers[number];
        if (!is_askable(number) || sigaction(number, NULL, &now) != 0 || same_handler(&now, kept))
            continue;
        sigaction(number, kept, NULL);
        atomic_fetch_add(&handlers_put_back, 1);
        report(number, &now, plugin);
    }
}

bool signals_restore_mask(const sigset_t *before, const char *plugin)
{
    sigset_t found;
    if (pthread_sigmask(SIG_SETMASK, before, &found) != 0)
        return false;
    for (int number = 1; number < SIGNALS_COUNT; number++) {
        if (sigismember(&found, number) == sigismember(before, number))
            continue;
        atomic_fetch_add(&masks_put_back, 1);
        log_warning("plugin changed the signal mask: put back (rule R3)",
                    LOG_TEXT("plugin", plugin));
        return true;
    }
    return false;
}

struct signals_put_back signals_put_back(void)
{
    return (struct signals_put_back){atomic_load(&handlers_put_back), atomic_load(&masks_put_back)};
}
