/* frail: its init ends the process, the first times. Settings: `by` (segv, abort, kill, exit, thread; after: a thread
 * that it leaves behind does, a little later), `tries`, a file that gets a byte each time, `times`, how many of them, and `slow`, which makes it take a while before that. */
#include <sluice/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOW_NS 300000000

static const char *setting(const struct sluice_settings *settings, const char *key)
{
    for (uint32_t i = 0; i < settings->count; i++)
        if (strcmp(settings->pairs[i].key, key) == 0)
            return settings->pairs[i].value;
    return NULL;
}

static void *crash(void *nowhere)
{
    *(volatile int *)nowhere = 1;
    return NULL;
}

static void *crash_later(void *nowhere)
{
    struct timespec later = {.tv_nsec = SLOW_NS / 3};
    nanosleep(&later, NULL);
    return crash(nowhere);
}

static void end_process(const char *by)
{
    static char *volatile nowhere = (char *)16;
    pthread_t thread;

    if (strcmp(by, "segv") == 0)
        crash(nowhere);
    else if (strcmp(by, "abort") == 0)
        abort();
    else if (strcmp(by, "kill") == 0)
        raise(SIGKILL);
    else if (strcmp(by, "exit") == 0)
        _exit(0);
    else if (strcmp(by, "after") == 0) {
        if (pthread_create(&thread, NULL, crash_later, nowhere) == 0)
            pthread_detach(thread);
    } else if (pthread_create(&thread, NULL, crash, nowhere) == 0)
        pthread_join(thread, NULL);
}

/* Returns how many tries there were, with this one. */
static int count_try(const char *path)
{
    struct stat stat;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, ".", 1) != 1 || fstat(fd, &stat) != 0)
        abort();
    close(fd);
    return (int)stat.st_size;
}

static bool frail_init(const struct sluice_host *host, const struct sluice_settings *settings,
                       void **self, struct sluice_error *error)
{
    const char *by = setting(settings, "by"), *tries = setting(settings, "tries");
    const char *times = setting(settings, "times");
    int count = tries != NULL ? count_try(tries) : 1;
    struct timespec slow = {.tv_nsec = setting(settings, "slow") != NULL ? SLOW_NS : 0};

    (void)host;
    (void)self;
    (void)error;
    while (nanosleep(&slow, &slow) != 0 && errno == EINTR)
        ;
    if (by != NULL && (times == NULL || count <= atoi(times)))
        end_process(by);
    return true;
}

static enum sluice_status frail(const struct sluice_call *call, const void *params)
{
    (void)call;
    (void)params;
    return SLUICE_OK;
}

static const struct sluice_type frail_types[] = {
    {SLUICE_TYPE("frail", "Does nothing."), .execute = frail},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("frail", "1.0.0", "frail", frail_types, .init = frail_init)
