/* window: the last JOB_STREAM_WINDOW tasks of a streamed job: how they have ended, and who waits
 * for whom. Made with the job. Its reader thread adds tasks and what they need, while any thread
 * ends others. dependents.h is the same for a checked job. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/needed.h"
#include "accept/result.h"
#include "accept/task.h"

struct window;

enum { WINDOW_OUTPUTS_MOST_BYTES = 16 * 1024 * 1024 }; /* kept of a stream's tasks in all */

/* What a task needs: earlier tasks of the window, and their ids, each with its NUL, one behind the
 * other. */
struct window_needs {
    const uint32_t *tasks;
    const char *ids;
    size_t count;
};

/* Makes an empty window; running out of memory aborts, here and below. */
struct window *window_create(void);

/* Frees it; clears the pointer; accepts NULL. */
void window_destroy(struct window **window);

/* Says that a task was added, with the next number. Reader thread. */
void window_add(struct window *window, uint32_t number);

/* Says what the task added last needs, perhaps nothing. As with dependents, it has a share of its
 * own that it gives up when it enters. Reader thread. */
void window_need(struct window *window, struct task *task, struct window_needs needs);

/* Returns whether a task of the window that has not been released needs others. Reader thread. */
bool window_wait(const struct window *window, uint32_t number);

/* Gives up a task's own share, now that it is in the host; true if nothing else is left: the caller
 * releases it, else whoever ends the last that it needs. Reader thread. */
bool window_enter(struct window *window, uint32_t number);

/* Returns the result of a task of the window with a share for the caller. Reader thread, which has
 * not yet said that another one needs it. */
struct result *window_hold(struct window *window, uint32_t number);

/* Keeps the outputs of a task that has ended, for those that come to refer to it: of the last
 * JOB_STREAM_WINDOW tasks, within WINDOW_OUTPUTS_MOST_BYTES. Any thread, before window_end. */
void window_keep(struct window *window, const struct task *task, const struct buffer *outputs);

/* Says that a task has ended, in its final state, and adds those that waited for nothing else to
 * the list. Any thread. */
void window_end(struct window *window, const struct task *task, struct task_list *released);

/* Returns what became of all that a released task needs; the id lives until the task has ended.
 * Whoever released it. */
struct needed window_needed(struct window *window, uint32_t number);
