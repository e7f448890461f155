/* wild: each way in which a call can hurt its process. */
#include <sluice/plugin.h>

#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum how {
    WILD_NOT,
    WILD_SEGV,
    WILD_FPE,
    WILD_ABORT,
    WILD_STACK,
    WILD_EXIT,
    WILD_LEAVE,
    WILD_LOOP,
    WILD_DEAF,
    WILD_CLOSE_STD,
    WILD_CLOSE_ALL,
    WILD_FLOOD,
    WILD_LEAK,
    WILD_HOG,
    WILD_CHILD,
    WILD_THREAD,
    WILD_KILL,
    WILD_STOP,
    WILD_MEDDLE,
};

static const char *const hows[] = {"not",       "segv",  "fpe",  "abort", "stack", "exit",   "leave", "loop", "deaf",
                                   "close_std", "close_all", "flood", "leak", "hog", "child", "thread", "kill", "stop", "meddle", NULL};

struct wild_params {
    int how;
    const char *file;
};

static const struct sluice_param wild_table[] = {
    SLUICE_ENUM(struct wild_params, how, .choices = hows, .def = "not", .help = "what the call does"),
    SLUICE_STRING(struct wild_params, file, .def = "", .help = "where a child's id is written"),
    SLUICE_PARAMS_END,
};

static volatile int zero;

static volatile int bottomless = 1;
static int *volatile nowhere;

/* The processor is to notice, not a sanitizer. */
__attribute__((no_sanitize("undefined"))) static void store_nowhere(void)
{
    *nowhere = 1;
}

__attribute__((no_sanitize("undefined"))) static void divide(void)
{
    zero = 7 / zero;
}

__attribute__((noinline)) static int deeper(int depth)
{
    volatile char frame[4096];
    frame[depth % 4096] = 1;
    return bottomless ? deeper(depth + 1) + frame[depth % 4096] : 0;
}

static void *linger(void *argument)
{
    for (;;)
        pause();
    return argument;
}

static void loop(void)
{
    for (;;)
        zero = 0;
}

static void deaf(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGTERM, SIG_IGN);
    loop();
}

static void close_from(int first)
{
    for (int fd = first; fd < 1024; fd++)
        close(fd);
}

static void flood(void)
{
    char line[1024];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 100 * 1024; i++)
        if (fwrite(line, 1, sizeof line, i % 2 == 0 ? stdout : stderr) == 0)
            return;
    fflush(stdout);
}

static void leak(size_t bytes)
{
    char *memory = malloc(bytes);
    memset(memory, 1, bytes); /* where there is none left: at NULL */
    zero = memory[zero];
}

static void leave_child(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        for (;;)
            pause();
    }
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fprintf(file, "%d\n", (int)child);
        fclose(file);
    }
}

static void ignore(int signal)
{
    (void)signal;
}

/* Changes what a process has but one of. */
static void meddle(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i < 32; i++)
        signal(i, ignore);
    umask(0777);
    setlocale(LC_ALL, "C.UTF-8");
    if (chdir("/") == 0)
        setenv("PATH", "", 1);
}

static void leave_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, linger, NULL);
    pthread_detach(thread);
}

static enum sluice_status wild(const struct sluice_call *call, const void *params)
{
    const struct wild_params *p = params;
    (void)call;
    fprintf(stderr, "about to be wild\n");
    switch ((enum how)p->how) {
    case WILD_NOT: break;
    case WILD_SEGV: store_nowhere(); break;
    case WILD_FPE: divide(); break;
    case WILD_ABORT: abort();
    case WILD_STACK: zero = deeper(0); break;
    case WILD_EXIT: exit(0);
    case WILD_LEAVE: _exit(3);
    case WILD_LOOP: loop(); break;
    case WILD_DEAF: deaf(); break;
    case WILD_CLOSE_STD: close(0); close(1); close(2); break;
    case WILD_CLOSE_ALL: close_from(0); break;
    case WILD_FLOOD: flood(); break;
    case WILD_LEAK: leak(10 << 20); break;
    case WILD_HOG: for (;;) leak(1 << 20);
    case WILD_CHILD: leave_child(p->file); break;
    case WILD_THREAD: leave_thread(); break;
    case WILD_KILL: kill(getpid(), SIGKILL); break;
    case WILD_STOP: kill(getpid(), SIGSTOP); break;
    case WILD_MEDDLE: meddle(); break;
    }
    return SLUICE_OK;
}

static const struct sluice_type wild_types[] = {
    {SLUICE_TYPE("wild", "Hurts its process."),
     .params = wild_table,
     .params_size = sizeof(struct wild_params),
     .execute = wild},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("wild", "1.0.0", "wild", wild_types)
