/* process: a worker process as its host sees it: started with a plugin loaded in it, and ended
 * with all that it has left behind. One owner, a worker thread of the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "execute/isolate/frame.h"
#include "execute/isolate/seat.h"
#include "support/child.h"
#include "support/error.h"

enum { PROCESS_TAIL_BYTES = 4096 };

struct process {
    struct child child; /* CHILD_NONE: there is none */
    int work_fd, control_fd;
    int output_fd; /* what it has printed and not sent itself; -1: that goes where ours does */
    struct seat *seat;
    struct buffer frame; /* the last one that came */
};

/* Makes one that does not run. */
void process_init(struct process *process);

/* Returns whether it runs, as far as we know. */
bool process_runs(const struct process *process);

/* Starts it and waits until it is ready, at most until deadline_ns. name: for people. False with a
 * message: it does not run, and why. Lines that it says are written on the way. */
bool process_start(struct process *process, const char *name, const struct frame_setup *setup,
                   int64_t deadline_ns, struct error *error);

/* Asks it to leave (worker_exit, deinit), waits for that until deadline_ns at most, then kills
 * what is left of it, and is done with it. The seat stays readable. Nothing if it does not run. */
void process_stop(struct process *process, int64_t deadline_ns);

/* Waits until it has ended by itself; false: it has not by then. */
bool process_await(const struct process *process, int64_t deadline_ns);

/* Kills it with all that it has started (child_kill) and says how it has ended. What it had sent
 * can still be received: until process_drop. */
void process_kill(struct process *process, struct child_end *end);

/* Closes what is left of one that was killed. */
void process_drop(struct process *process);

/* Reads what it has printed last, PROCESS_TAIL_BYTES at most, NULs masked. Never waits. */
void process_tail(struct process *process, struct buffer *tail);

/* Returns the clock of the processor time that it uses, for thread_cpu_ns. */
clockid_t process_cpu_clock(const struct process *process);

/* Frees the rest; it does not run. */
void process_fini(struct process *process);

/* Writes a line of a process's own log to ours. */
void process_say(const char *line);
