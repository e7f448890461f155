/* mixed: calls that go well, crash, hang or leave their process, and beside them a type that works
 * in threads. tests/bench uses it too. */
#include <sluice/plugin.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* About 100 us of work: always the same, so that a processor that is taken away shows. */
enum { STEADY_ROUNDS = 75000 };

enum how { MIXED_FINE, MIXED_CRASH, MIXED_KILL, MIXED_HANG, MIXED_EXIT };

static const char *const hows[] = {"fine", "crash", "kill", "hang", "exit", NULL};

struct mixed_params {
    int how;
    int64_t wait;
};

static const struct sluice_param mixed_table[] = {
    SLUICE_ENUM(struct mixed_params, how, .choices = hows, .def = "fine",
                .help = "how the call ends"),
    SLUICE_DURATION(struct mixed_params, wait, .def = "0s", .help = "before it does"),
    SLUICE_PARAMS_END,
};

static int *volatile nowhere;

/* The processor is to notice, not a sanitizer. */
__attribute__((no_sanitize("undefined"))) static void store_nowhere(void)
{
    *nowhere = 1;
}

static enum sluice_status mixed(const struct sluice_call *call, const void *params)
{
    const struct mixed_params *p = params;
    if (p->wait > 0)
        sluice_wait(call, p->wait);
    switch ((enum how)p->how) {
    case MIXED_FINE:
        break;
    case MIXED_CRASH:
        store_nowhere();
        break;
    case MIXED_KILL:
        kill(getpid(), SIGKILL);
        break;
    case MIXED_HANG:
        for (;;)
            pause();
    case MIXED_EXIT:
        exit(0);
    }
    return SLUICE_OK;
}

static enum sluice_status steady(const struct sluice_call *call, const void *params)
{
    uint64_t state = (uintptr_t)call | 1;
    (void)params;
    for (int i = 0; i < STEADY_ROUNDS; i++)
        state = state * 6364136223846793005u + 2;
    volatile uint64_t result = state; /* so that the work is done */
    (void)result;
    return SLUICE_OK;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("mixed", "Ends as it is told."), .flags = SLUICE_PROCESS_ONLY,
     .params = mixed_table, .params_size = sizeof(struct mixed_params), .execute = mixed},
    {SLUICE_TYPE("steady", "Works for a moment."), .execute = steady},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("mixed", "1.0.0", "mixed steady", types)
