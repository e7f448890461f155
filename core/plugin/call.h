/* call: one worker's call into a plugin as the host sees it: what the plugin's `struct
 * sluice_call` stands for. Embedded in a worker's slot and used again for each call. invoke
 * begins and ends calls on the worker's thread; the host table serves the plugin; the control
 * loop may cancel. Not freed while any thread may still be inside the call (a stuck call keeps
 * its slot). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sluice/plugin.h"
#include "support/arena.h"
#include "support/buffer.h"

enum {
    CALL_OUTPUTS_MOST = SLUICE_OUTPUTS_MAX,
    CALL_OUTPUTS_MOST_BYTES = SLUICE_OUTPUT_BYTES_MAX, /* with names and NULs */
    CALL_ALLOC_MOST_BYTES = SLUICE_ALLOC_BYTES_MAX,
    CALL_MESSAGE_BYTES = SLUICE_MESSAGE_MAX,
    CALL_CODE_BYTES = SLUICE_CODE_MAX + 1,
    CALL_KEY_BYTES = 160, /* a ULID, ':', 128 bytes of a task's id */
    CALL_NODE_BYTES = 65, /* HOST_NAME_MAX + 1 */
};

/* The low bits of call.turn; the rest counts calls, so that whoever acts on a call names exactly
 * that one. */
#define CALL_CANCELLED UINT64_C(1) /* somebody asked it to end */
#define CALL_STUCK     UINT64_C(2) /* the host has ended the task without waiting for the call */
#define CALL_BUSY      UINT64_C(4) /* a call is in progress */
#define CALL_TURN      UINT64_C(8) /* one call more */

/* What the plugin can ask about its task; texts are borrowed for the call. */
struct call_task {
    const char *task_id;
    const char *job_id;
    const char *idempotency_key; /* NULL: JOB:ID, put together when the plugin asks */
    const char *type;
    const struct sluice_map *labels; /* sorted by key; NULL: none */
    uint32_t attempt;                /* from 1 */
    int64_t deadline_ns;             /* monotonic; CLOCK_NEVER_NS: none */
};

struct call_progress {
    _Atomic uint64_t done, total;
};

struct call {
    struct sluice_call visible; /* .context points back here */
    /* set by call_begin, read by the worker's thread */
    struct call_task task;
    /* immutable */
    char node[CALL_NODE_BYTES];
    /* Where what the plugin logs and prints is kept for the task; NULL: nowhere. Any thread of the
     * plugin, within the call. See call_log.h. */
    void (*keep_log)(void *context, const char *text, size_t length);
    void *keep_context;
    struct call_progress *progress; /* what the plugin says of it; own_progress unless its owner
                                       sets another one */
    /* atomic */
    _Atomic uint64_t turn;
    _Atomic int cancel_fd; /* an eventfd, -1 until first use, then kept for the worker's life */
    _Atomic uint32_t cancelling; /* threads inside call_cancel */
    struct call_progress own_progress;
    _Atomic bool line_open; /* what was printed last is no whole line; false between calls */
    /* the worker's thread */
    struct arena arena;    /* sluice_alloc, lists and maps of parameters */
    struct buffer outputs; /* name NUL text NUL ..., in the order they were first set */
    size_t alloc_bytes;    /* of sluice_alloc alone */
    uint32_t outputs_count;
    uint32_t outputs_doubled; /* names that were set again: the last won */
    int64_t try_again_ns;
    char key[CALL_KEY_BYTES];        /* the idempotency key, once asked for */
    char fail_code[CALL_CODE_BYTES]; /* empty: not given */
    char fail_message[CALL_MESSAGE_BYTES];
};

/* Makes a call record ready; allocates nothing. keep_log is the caller's to set afterwards. */
void call_init(struct call *call);

/* Closes the fd and frees the memory. Nobody is inside the call. */
void call_fini(struct call *call);

/* Begins a call: takes over the task's texts, clears what the last one left (cheaply: only what
 * was used) and returns the turn that names it (with CALL_BUSY). Worker's thread. */
uint64_t call_begin(struct call *call, const struct call_task *task);

/* Ends the call and returns the last turn with its flags: CALL_CANCELLED, CALL_STUCK. Worker's
 * thread. */
uint64_t call_end(struct call *call);

/* Asks the call that turn names to end: sets CALL_CANCELLED and makes the fd readable. False if
 * that call is over or was asked already. Any thread; does not block. */
bool call_cancel(struct call *call, uint64_t turn);

/* Takes the task away from the call that turn names: sets CALL_STUCK. True: the caller owns the
 * task from here on, and the worker's call_end will say so. False: that call is over. Control
 * loop. */
bool call_give_up(struct call *call, uint64_t turn);

/* Returns the one table of host functions that all plugins of this process get (ABI
 * SLUICE_ABI_MAJOR.SLUICE_ABI_MINOR). */
const struct sluice_host *call_host(void);
