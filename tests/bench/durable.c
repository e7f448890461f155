/* durable: what durable tasks cost in the store alone, over store.h, without the stages of a host
 * before and behind it:
 *   durable tasks COUNT FILE    one job of so many tasks: added 256 a call by one thread, ended 64 a
 *                               call by another, until all of it is on disk
 *   durable jobs COUNT FILE     jobs of one task: added, waited for until they are on disk, ended,
 *                               128 at a time
 *   durable waiting COUNT FILE  a job of so many tasks that wait: how long a new opening takes until
 *                               all of them were visited
 * Prints how many, the seconds, how many a second. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"
#include "support/clock.h"
#include "support/thread.h"

enum { ADD_BATCH = 256, END_BATCH = 64, CLIENTS = 128, FINISHED_MAX = 1000000 };

static struct store *store;

static void must(bool right, const struct error *error)
{
    if (right)
        return;
    fprintf(stderr, "durable: %s\n", error->message);
    exit(1);
}

/* A handle is a number from 1 on, twice that. */
static void describe(const void *handle, struct store_task_given *given)
{
    static _Thread_local char id[24];
    /* as params.h packs n: 1 */
    static const char params[] = "\x01\x01n\x00\x01\x00\x00\x00\x00\x00\x00\x00";

    snprintf(id, sizeof(id), "%lu", (unsigned long)handle / 2);
    given->id = id;
    given->type = "noop";
    given->params = params;
    given->params_bytes = sizeof(params) - 1;
    given->line = (uint32_t)((uintptr_t)handle / 2);
    given->weight = 1;
}

static void open_store(const char *place)
{
    struct store_options options = {.place = place,
                                    .describe = describe,
                                    .finished_max = FINISHED_MAX,
                                    .dead_max = 100000,
                                    .outputs_max_bytes = 65536,
                                    .log_max_bytes = 65536,
                                    .commit_interval_ns = 10 * NS_PER_MS};
    struct error error;
    store = store_open("sqlite", &options, &error);
    must(store != NULL, &error);
}

static uint64_t add_job(uint32_t number)
{
    char id[32];
    struct store_job_given given = {.id = id, .name = "durable", .file = "durable.yaml"};
    struct error error;
    uint64_t key = 0;

    snprintf(id, sizeof(id), "%026u", number);
    must(store_add_job(store, &given, &key, &error), &error);
    return key;
}

static void add_tasks(uint64_t job, uint32_t first, uint32_t count)
{
    struct store_new_task tasks[ADD_BATCH] = {0};
    struct error error;

    for (uint32_t i = 0; i < count; i++)
        tasks[i].handle = (const void *)(uintptr_t)(2 * (first + i + 1));
    must(store_add_tasks(store, job, tasks, count, &error), &error);
}

static void end_tasks(uint64_t job, uint32_t first, uint32_t count)
{
    struct store_end ends[END_BATCH];
    struct error error;
    int64_t now_ns = clock_wall_ns();

    for (uint32_t i = 0; i < count; i++)
        ends[i] = (struct store_end){
            .name = {job, store_epoch(store), first + i, 1},
            .state = STORE_SUCCEEDED,
            .how = {.started_wall_ns = now_ns - 1000,
                    .ended_wall_ns = now_ns,
                    .reason = "",
                    .message = ""},
        };
    must(store_end(store, ends, count, &error), &error);
    for (uint32_t i = 0; i < count; i++)
        assert(ends[i].answer == STORE_DONE);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

struct ender {
    struct mutex lock;
    struct cond changed;
    uint64_t job;
    uint32_t added, count;
};

static uint32_t wait_for_added(struct ender *ender, uint32_t ended)
{
    MUTEX_GUARD(&ender->lock);
    while (ender->added == ended)
        cond_wait(&ender->changed, &ender->lock);
    return ender->added;
}

static void end_all(void *argument)
{
    struct ender *ender = argument;

    for (uint32_t ended = 0; ended < ender->count;) {
        uint32_t added = wait_for_added(ender, ended);
        for (uint32_t some; ended < added; ended += some) {
            some = least(added - ended, END_BATCH);
            end_tasks(ender->job, ended, some);
        }
    }
}

static void run_tasks(uint32_t count)
{
    struct ender ender = {.job = add_job(1), .count = count};
    struct thread thread;
    struct error error;

    mutex_init(&ender.lock);
    cond_init(&ender.changed);
    must(thread_start(&thread, "ender", end_all, &ender, &error), &error);
    for (uint32_t added = 0; added < count;) {
        uint32_t some = least(count - added, ADD_BATCH);
        add_tasks(ender.job, added, some);
        mutex_lock(&ender.lock);
        ender.added = added += some;
        cond_signal(&ender.changed);
        mutex_unlock(&ender.lock);
    }
    must(store_seal_job(store, ender.job, &error), &error);
    thread_join(&thread);
    must(store_commit(store, &error), &error);
}

struct client {
    struct store_wait wait;
    struct clients *clients;
    struct client *next;
};

struct clients {
    struct mutex lock;
    struct cond changed;
    struct client *heard; /* whose job is durable */
    struct client all[CLIENTS];
};

static void hear(struct store_wait *wait, const struct store_told *told)
{
    struct client *client = (struct client *)wait;
    struct clients *clients = client->clients;

    assert(told->is_durable);
    MUTEX_GUARD(&clients->lock);
    client->next = clients->heard;
    clients->heard = client;
    cond_signal(&clients->changed);
}

static struct client *take_heard(struct clients *clients)
{
    MUTEX_GUARD(&clients->lock);
    while (clients->heard == NULL)
        cond_wait(&clients->changed, &clients->lock);
    struct client *taken = clients->heard;
    clients->heard = NULL;
    return taken;
}

static void post(struct client *client, uint32_t number)
{
    struct error error;

    client->wait = (struct store_wait){.job = add_job(number), .done = hear};
    add_tasks(client->wait.job, number, 1);
    must(store_seal_job(store, client->wait.job, &error), &error);
    store_when_durable(store, &client->wait);
}

static void run_jobs(uint32_t count)
{
    static struct clients clients;
    struct error error;
    uint32_t posted = 0, ended = 0;

    mutex_init(&clients.lock);
    cond_init(&clients.changed);
    for (; posted < least(count, CLIENTS); posted++) {
        clients.all[posted].clients = &clients;
        post(&clients.all[posted], posted);
    }
    while (ended < count) {
        struct client *next, *client = take_heard(&clients);
        for (; client != NULL; client = next, ended++) {
            next = client->next;
            end_tasks(client->wait.job, 0, 1);
            if (posted < count)
                post(client, posted++);
        }
    }
    must(store_commit(store, &error), &error);
}

static bool count_task(void *context, const struct store_task *task)
{
    (void)task;
    (*(uint32_t *)context)++;
    return true;
}

static void make_waiting(uint32_t count)
{
    uint64_t job = add_job(1);
    struct error error;

    for (uint32_t added = 0, some; added < count; added += some) {
        some = least(count - added, ADD_BATCH);
        add_tasks(job, added, some);
    }
    must(store_seal_job(store, job, &error), &error);
    store_close(&store);
}

static void visit_waiting(uint32_t count)
{
    const struct store_query query = {.states = STORE_SET(STORE_UNFINISHED)};
    struct error error;
    uint32_t seen = 0;

    must(store_visit(store, &query, count_task, &seen, &error), &error);
    assert(seen == count);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: durable tasks|jobs|waiting COUNT FILE\n");
        return 2;
    }
    uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    bool waiting = strcmp(argv[1], "waiting") == 0;
    open_store(argv[3]);
    if (waiting)
        make_waiting(count);
    int64_t began_ns = clock_now_ns();
    if (waiting) {
        open_store(argv[3]);
        visit_waiting(count);
    } else if (strcmp(argv[1], "jobs") == 0) {
        run_jobs(count);
    } else {
        run_tasks(count);
    }
    double seconds = (double)(clock_now_ns() - began_ns) / 1e9;
    store_close(&store);
    printf("durable %s: %u, %.3f s, %.0f /s\n", argv[1], count, seconds, count / seconds);
    return 0;
}
