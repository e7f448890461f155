/* seat: what a worker process and its host both see while a batch runs: a mapping of plain memory,
 * written by stores alone, which outlives the process. So which task was at work when a process
 * died, and what had become of those before it, is never lost on the way.
 * The process writes and the host reads, but for .next, with which the host takes the rest of a
 * batch away. The process is not trusted: whatever stands here is checked when it is used. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "execute/isolate/frame.h"
#include "plugin/call.h"
#include "plugin/crash.h"

/* How far a task of the batch is; any other value is nothing. */
enum seat_phase {
    SEAT_WAITS,
    SEAT_RUNS,      /* .started_ns is set */
    SEAT_SUCCEEDED, /* .ended_ns is set; it has put nothing out */
    SEAT_ANSWERED,  /* the same, and its ANSWER was sent before */
};

/* Index in the batch that says: nothing more of it is to start. */
enum { SEAT_TAKEN = 1 << 16 };

struct seat_task {
    _Atomic uint32_t phase;
    _Atomic int64_t started_ns, ended_ns; /* of the monotonic clock */
};

struct seat {
    _Atomic uint32_t next;         /* index of the next task to start; taken by adding one */
    struct call_progress progress; /* of the call in progress */
    struct seat_task tasks[FRAME_TASKS_MOST];
    struct crash_record crash;
};
