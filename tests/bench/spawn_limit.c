/* The floor under running commands: posix_spawn and waitpid in a loop, one thread a core, nothing else.
 *   cc -O2 -pthread spawn_limit.c -o spawn_limit && ./spawn_limit 5000 2 */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;
static long share;

static void *run(void *unused)
{
    char *argv[] = {"/bin/true", NULL};
    for (long i = 0; i < share; i++) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0)
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
