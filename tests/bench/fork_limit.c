/* The floor under a process per task: fork, leave at once, wait, one thread a core, nothing else.
 *   cc -O2 -pthread fork_limit.c -o fork_limit && ./fork_limit 5000 2 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long share;

static void *run(void *unused)
{
    for (long i = 0; i < share; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
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
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, run, NULL);
    for (long i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("fork_limit: %ld tasks %.3f s %.0f tasks/s\n", share * threads, s, (double)(share * threads) / s);
}
