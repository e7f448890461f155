/* Breaks the rule that a task, or init by the setting "what", asks for. */
#include <sluice/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum what {
    NOTHING,
    THREAD,
    FILE_OPEN,
    STANDARD,
    HANDLER,
    MASK,
    FOLDER,
    UMASK,
    LOCALE,
    ENVIRONMENT,
    EXIT,
    CRASH,
    LOOP,
    CLOSE_ALL,
    STATUS,
    FAIL,
};

static const char *const words[] = {"nothing", "thread", "file",   "stdio",   "handler", "mask",
                                    "folder",  "umask",  "locale", "environ", "exit",    "crash",
                                    "loop",    "close",  "status", "fail",    NULL};

static void *sleep_on(void *argument)
{
    while (pause() < 0)
        continue;
    return argument;
}

static void ignore(int number)
{
    (void)number;
}

static void leave_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, sleep_on, NULL) == 0)
        pthread_setname_np(thread, "leftover");
}

static void change_mask(void)
{
    sigset_t mask; /* a thread of the host has all but a few blocked */
    sigemptyset(&mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void close_all(void)
{
    for (int fd = 0; fd < 256; fd++)
        close(fd);
}

static void break_rule(enum what what)
{
    switch (what) {
    case THREAD:
        leave_thread();
        return;
    case FILE_OPEN:
        dup2(STDERR_FILENO, 77);
        return;
    case STANDARD:
        close(STDIN_FILENO);
        return;
    case HANDLER:
        signal(SIGUSR2, ignore);
        return;
    case MASK:
        change_mask();
        return;
    case FOLDER:
        if (chdir("/") != 0)
            abort();
        return;
    case UMASK:
        umask(0);
        return;
    case LOCALE:
        setlocale(LC_ALL, "C.UTF-8");
        return;
    case ENVIRONMENT:
        setenv("MISBEHAVED", "secret", 1);
        return;
    case EXIT:
        exit(0);
    case CRASH:
        abort();
    case LOOP:
        sleep_on(NULL);
        return;
    case CLOSE_ALL:
        close_all();
        return;
    case NOTHING:
    case STATUS:
    case FAIL:
        return;
    }
}

struct misbehave {
    int what;
    int64_t pause;
};

static const struct sluice_param table[] = {
    SLUICE_ENUM(struct misbehave, what, .def = "nothing", .choices = words),
    SLUICE_DURATION(struct misbehave, pause, .def = "0s"),
    SLUICE_PARAMS_END,
};

static enum sluice_status run(const struct sluice_call *call, const void *params)
{
    const struct misbehave *p = (const struct misbehave *)params;
    sluice_log(call, SLUICE_INFO, "about to misbehave");
    break_rule((enum what)p->what);
    if (p->what == STATUS)
        return (enum sluice_status)57;
    if (p->what == FAIL)
        return sluice_fail(call, "not_today", "the server said no");
    sluice_wait(call, p->pause);
    return SLUICE_OK;
}

static bool start(const struct sluice_host *host, const struct sluice_settings *settings,
                  void **self, struct sluice_error *err)
{
    (void)host;
    (void)self;
    for (uint32_t i = 0; i < settings->count; i++) {
        int what = 0;
        while (words[what] != NULL && strcmp(words[what], settings->pairs[i].value) != 0)
            what++;
        if (strcmp(settings->pairs[i].key, "what") != 0 || words[what] == NULL)
            return sluice_error_set(err, "no setting %s=%s", settings->pairs[i].key,
                                    settings->pairs[i].value);
        break_rule((enum what)what);
    }
    return true;
}

static const struct sluice_type types[] = {
    {SLUICE_TYPE("misbehave", NULL), .params = table, .params_size = sizeof(struct misbehave),
     .execute = run},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("misbehave", "1.0.0", "misbehave", types, .init = start)
