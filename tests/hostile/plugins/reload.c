/* A plugin that is loaded again and again: tests write another version of five bytes over "1.000"
 * in a copy of the file. The variants are builds that make trouble at it. */
#include <sluice/plugin.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined VARIANT_slow
#define NAME "slow"
#else
#define NAME "reload"
#endif

#if defined VARIANT_two
#define TYPES NAME " " NAME ".more"
#else
#define TYPES NAME
#endif

static const char version[] = "1.000";

#if defined VARIANT_constructor
/* Waits until there is a file of the name that the environment says; not where it is only tried. */
__attribute__((constructor)) static void construct(void)
{
    const char *go = getenv("RELOAD_GO");
    if (strcmp(program_invocation_short_name, "sluice-probe") == 0)
        return;
    while (go != NULL && access(go, F_OK) != 0)
        usleep(1000);
}
#elif defined VARIANT_unique
/* An object of which there is one in the process, as g++ makes them of inline variables: whoever
 * defines it first is never unmapped. */
__attribute__((visibility("default"))) extern int reload_only;
int reload_only = 1;
__asm__(".type reload_only, @gnu_unique_object");
#elif defined VARIANT_thread_local
/* What g++ makes of a thread_local object with a destructor. */
extern int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso);
extern void *__dso_handle;
static _Thread_local const char *farewell;

/* Adds the version to the file that the environment names. */
static void say_farewell(void *object)
{
    FILE *file = fopen(getenv("RELOAD_FAREWELLS"), "a");
    if (file == NULL)
        abort();
    fprintf(file, "%s\n", *(const char **)object);
    fclose(file);
}
#endif

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    (void)params;
#if defined VARIANT_unique
    if (reload_only != 1)
        return SLUICE_FAILED;
#elif defined VARIANT_thread_local
    if (farewell == NULL)
        __cxa_thread_atexit_impl(say_farewell, &farewell, &__dso_handle);
    farewell = version;
#endif
    if (call != NULL)
        sluice_output(call, "version", version);
    return SLUICE_OK;
}

#if defined VARIANT_refuses
static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    return sluice_error_set(err, "no licence");
}
#elif defined VARIANT_slow
/* Waits until there is a file of the name that the first setting says. */
static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)self;
    (void)err;
    while (settings->count > 0 && access(settings->pairs[0].value, F_OK) != 0)
        usleep(1000);
    return true;
}
#elif defined VARIANT_meddles
static void on_signal(int number)
{
    (void)number;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    (void)err;
    sigset_t all;
    sigfillset(&all);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return true;
}
#elif defined VARIANT_thread
static void *stay(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)settings;
    (void)self;
    (void)err;
    pthread_t thread;
    return pthread_create(&thread, NULL, stay, NULL) == 0;
}
#else
#define start NULL
#endif

static void stop(void *self)
{
    (void)self;
#if defined VARIANT_deinit_hangs
    for (;;)
        usleep(1000);
#endif
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE(NAME, NULL), .execute = run},
#if defined VARIANT_two
    {SLUICE_TYPE(NAME ".more", NULL), .execute = run},
#endif
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN(NAME, "1.000", TYPES, types, .init = start, .deinit = stop)
