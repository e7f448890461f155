/* The floor under running commands: posix_spawn and waitpid in a loop, one thread a core, nothing else;
 * with the word fork the floor under a process per task: one that is forked and leaves at once.
 *   cc -O2 -pthread spawn_limit.c -o spawn_limit && ./spawn_limit 5000 2 [fork] */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static long share;
static int forks;

static pid_t start(void)
{
    char *argv[] = {"/bin/true", NULL};
    pid_t pid;
    if (!forks)
        return posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0 ? pid : -1;
    pid = fork();
    if (pid == 0)
        _exit(0);
    return pid;
}

static void *run(void *unused)
{
    for (long i = 0; i < share; i++) {
        pid_t pid = start();
        int status;
        if (pid > 0)
            waitpid(pid, &status, 0);
    }
    return unused;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 5000, threads = argc > 2 ? atol(argv[2]) : 2;
    pthread_t thread[64];
    struct timespec from, to;
    share = count / threads;
    forks = argc > 3;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, run, NULL);
    for (long i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double s = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
    printf("spawn_limit: %ld commands %.3f s %.0f commands/s\n", share * threads, s,
           share * threads / s);
}
