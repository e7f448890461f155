/* isolation: types whose tasks run in worker processes because a host has died of one of them, as
 * it seems. Owned by the host of a daemon.
 *
 * A task that was in hand when a host died is a suspect: it runs again, and all of its type apart
 * from the host, until the last suspect of the type has ended. If none of its tasks has crashed
 * by then, the type is free again. If one has, the type is convicted: it stays apart until its
 * plugin changes, also over restarts, for which it stands in a text file beside the store's. Who
 * knows better removes its line while no daemon runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/task.h"
#include "outcome/outcome.h"
#include "plugin/registry.h"

enum { ISOLATION_TYPES_MOST = 1024, ISOLATION_TASK_BYTES = 192, ISOLATION_WHY_BYTES = 256 };

struct isolation;

/* All are borrowed until isolation_destroy. */
struct isolation_options {
    struct registry *registry;
    const char *path; /* of the file; NULL: nothing is kept */
    void *context;
    /* Has the tasks of a type run apart, or not any more. Main thread. */
    void (*isolate)(void *context, const struct type *type);
    void (*release)(void *context, const struct type *type);
    void (*wake)(void *context); /* isolation_tend has something to do; any thread */
};

/* What a type is convicted of. */
struct isolation_facts {
    int64_t since_wall_ns;
    char task[ISOLATION_TASK_BYTES]; /* that crashed: JOB:ID */
    char why[ISOLATION_WHY_BYTES];   /* what it died of */
};

/* Reads the file and isolates what is convicted; lines that make no sense are logged and left out.
 * Main thread, before any task runs; waits for the disk. */
struct isolation *isolation_create(const struct isolation_options *options);

/* Frees it; clears the pointer; accepts NULL. */
void isolation_destroy(struct isolation **isolation);

/* Says that the task at a place was in hand when the host died. Main thread, before any task
 * runs. */
void isolation_suspect(struct isolation *isolation, uint64_t job, uint32_t number);

/* Returns whether the task at a place is a suspect, which makes its type one. Main thread, before
 * any task runs. */
bool isolation_claims(void *isolation, uint64_t job, uint32_t number, const struct type *type);

/* A worker process died of a task; does nothing unless the type is suspected. Any thread. */
void isolation_crashed(struct isolation *isolation, const struct task *task,
                       const struct attempt *attempt);

/* A suspect has ended. Any thread. */
void isolation_ended(struct isolation *isolation, const struct task *task);

/* Sets free what is not suspected any more, or has another plugin now, and writes the file if it
 * has changed. Main thread; may wait for the disk, rarely. */
void isolation_tend(struct isolation *isolation);

/* Returns whether a type is convicted, and of what. Any thread. */
bool isolation_find(struct isolation *isolation, const char *type, struct isolation_facts *facts);
