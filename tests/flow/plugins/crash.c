/* crash: types that crash in each way there is. */
#include <signal.h>
#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>

/* What a sanitizer would say first. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))

static volatile int zero, many = 77;
static int *volatile nowhere;

UNCHECKED static enum sluice_status crash_fault(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    *nowhere = 1;
    return SLUICE_OK;
}

static enum sluice_status crash_abort(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    abort();
}

UNCHECKED static enum sluice_status crash_divide(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return many / zero == 0 ? SLUICE_OK : SLUICE_CANCELLED;
}

UNCHECKED static int deeper(volatile const char *above)
{
    volatile char here[4096];
    here[0] = *above;
    return zero == 0 ? deeper(here) + here[0] : 0;
}

static enum sluice_status crash_stack(const struct sluice_call *call, const void *params)
{
    volatile char here = 0;
    (void)call;
    (void)params;
    return deeper(&here) == 0 ? SLUICE_OK : SLUICE_CANCELLED;
}

static enum sluice_status nothing(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

UNCHECKED static void crash_exit(void *self, void *worker)
{
    (void)self;
    (void)worker;
    *nowhere = 1;
}

/* Breaks rule R3 if it is told to: the host puts its own handler back. */
UNCHECKED static bool init(const struct sluice_host *host, const struct sluice_settings *settings,
                           void **self, struct sluice_error *error)
{
    (void)host;
    (void)self;
    (void)error;
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, "ignores") == 0)
            signal(SIGSEGV, SIG_DFL);
        else if (strcmp(settings->pairs[i].key, "dies") == 0)
            *nowhere = 1;
    return true;
}

static const struct sluice_type crash_types[] = {
    {SLUICE_TYPE("crash.fault", "Writes to address 0."), .execute = crash_fault},
    {SLUICE_TYPE("crash.abort", "Calls abort."), .execute = crash_abort},
    {SLUICE_TYPE("crash.divide", "Divides by zero."), .execute = crash_divide},
    {SLUICE_TYPE("crash.stack", "Runs out of stack."), .execute = crash_stack},
    {SLUICE_TYPE("crash.exit", "Crashes when its worker leaves."), .execute = nothing,
     .worker_exit = crash_exit},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("crash", "1.2.3", "crash.fault crash.abort crash.divide crash.stack crash.exit",
              crash_types, .init = init)
