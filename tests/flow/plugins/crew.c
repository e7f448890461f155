/* crew: each worker has a thread of its own beside it, from worker_init to worker_exit, that does the work of its calls; a call tells
 * in which process it was made, by its output `pid`. `crew.briefly` starts a thread in each call, and joins it. */
#include <sluice/plugin.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct mate {
    pthread_t thread;
    sem_t wanted, done;
    int leaves;
};

static void *work(void *argument)
{
    struct mate *mate = argument;
    for (;;) {
        sem_wait(&mate->wanted);
        if (mate->leaves)
            return NULL;
        sem_post(&mate->done);
    }
}

static bool crew_begin(void *self, void **worker, struct sluice_error *error)
{
    struct mate *mate = calloc(1, sizeof *mate);
    (void)self;
    if (mate == NULL)
        return sluice_error_set(error, "no memory");
    sem_init(&mate->wanted, 0, 0);
    sem_init(&mate->done, 0, 0);
    *worker = mate;
    return pthread_create(&mate->thread, NULL, work, mate) == 0 ||
           sluice_error_set(error, "no thread");
}

static void crew_end(void *self, void *worker)
{
    struct mate *mate = worker;
    (void)self;
    mate->leaves = 1;
    sem_post(&mate->wanted);
    pthread_join(mate->thread, NULL);
    free(mate);
}

static enum sluice_status tell(const struct sluice_call *call)
{
    char pid[32];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    sluice_output(call, "pid", pid);
    return SLUICE_OK;
}

static enum sluice_status crew(const struct sluice_call *call, const void *params)
{
    struct mate *mate = sluice_worker(call);
    (void)params;
    sem_post(&mate->wanted);
    sem_wait(&mate->done);
    return tell(call);
}

static void *nothing(void *argument)
{
    return argument;
}

static enum sluice_status briefly(const struct sluice_call *call, const void *params)
{
    pthread_t thread;
    (void)params;
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
    return tell(call);
}

static const struct sluice_type crew_types[] = {
    {SLUICE_TYPE("crew", "Has a thread beside each worker."), .execute = crew,
     .worker_init = crew_begin, .worker_exit = crew_end, .flags = SLUICE_PROCESS_ONLY},
    {SLUICE_TYPE("crew.briefly", "Has a thread for each call."), .execute = briefly,
     .flags = SLUICE_PROCESS_ONLY},
    SLUICE_TYPES_END,
};

SLUICE_PLUGIN("crew", "1.0.0", "crew crew.briefly", crew_types)
