/* queue: tasks of one group in the order in which they are to start: by priority, first in first
 * out within one, and whoever has waited longer than max_age before all others. Embedded in its
 * group and guarded by the group's lock. Pushing and taking are O(1) at any length: one list for
 * each priority, a bitmap of those that hold something, and ageing looks at the heads alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept/task.h"

enum { QUEUE_LEVELS = TASK_PRIORITY_MAX - TASK_PRIORITY_MIN + 1 };

struct queue {
    struct task_list levels[QUEUE_LEVELS]; /* [0] holds the highest priority */
    uint64_t filled[(QUEUE_LEVELS + 63) / 64];
    size_t count;
    int64_t max_age_ns;
};

/* Which tasks are purged. */
enum purge_what {
    PURGE_ALL,
    PURGE_STOPPED, /* those that are not to start: job_stops */
};

struct purge {
    const struct job *job; /* of which job; NULL: of all */
    enum purge_what what;
};

/* Returns whether the task is one of those. Its owner. */
bool purge_takes(const struct purge *purge, const struct task *task);

/* Makes an empty queue. */
void queue_init(struct queue *queue, int64_t max_age_ns);

/* Adds a task behind those of its priority. */
void queue_push(struct queue *queue, struct task *task);

/* Puts tasks back in front of those of their priority, in the order of the list; empties it. */
void queue_put_back(struct queue *queue, struct task_list *tasks);

/* Returns the task that is to start next, or NULL if the queue is empty; it stays where it is. The
 * clock is read only if several priorities wait. */
struct task *queue_head(const struct queue *queue);

/* Takes out a task that queue_head returned. */
void queue_pop(struct queue *queue, struct task *head);

/* The same, and returns what queue_head would return then. */
struct task *queue_pop_next(struct queue *queue, struct task *head);

/* Moves the tasks that are purged to the list; O(length). */
void queue_purge(struct queue *queue, const struct purge *purge, struct task_list *purged);

/* Returns when the task entered the host that has been in it longest of the first of each priority:
 * 0: the queue is empty. */
int64_t queue_oldest_ns(const struct queue *queue);
