/* backlog: all that waits in a group: its queue, and beside it the tasks of jobs whose own cap is
 * reached, and those of SERIAL types whose turn is taken, so that others can go. What has stepped
 * aside keeps its order, and goes before what came later with the same priority. Embedded in its
 * group and guarded by the group's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "execute/gate.h"
#include "execute/queue.h"

/* Tasks of one job, or of one SERIAL type, that have stepped aside. */
struct aside {
    struct aside *next;
    struct job *job;         /* only compared, if no task is left; NULL: they are of a type */
    const struct type *type; /* NULL: they are of a job */
    struct queue queue;
    bool waits; /* the gate has yet to answer, or the turn to be free: none of them may go */
    /* of a type */
    struct group *group;
    struct pool *pool;          /* of the turn that it waits for */
    struct aside *next_waiting; /* guarded by the lock of that pool */
    /* of a job */
    bool has_grant; /* .grant is held for the next batch of them */
    struct grant grant;
    int32_t asked; /* the weight for which .grant was, or is, asked; it may hold less */
};

struct backlog {
    struct queue queue;
    struct aside *asides;
    size_t aside_count; /* tasks */
    int64_t max_age_ns;
};

/* Which tasks may go. */
enum backlog_choice {
    BACKLOG_ANY,     /* all but those aside whose job or type waits */
    BACKLOG_GRANTED, /* only those aside for which a grant is held */
};

/* Makes an empty backlog. */
void backlog_init(struct backlog *backlog, int64_t max_age_ns);

/* Changes after which time a task goes before higher priorities. */
void backlog_set_max_age(struct backlog *backlog, int64_t max_age_ns);

/* Returns how many tasks there are. */
static inline size_t backlog_count(const struct backlog *backlog)
{
    return backlog->queue.count + backlog->aside_count;
}

/* Puts tasks of one job and type back in front of those of their priority, in the order of the
 * list; empties it. */
void backlog_put_back(struct backlog *backlog, struct task_list *tasks);

/* Returns the task that is to start next, NULL if there is none; *from says where it is: aside, or
 * (NULL) in the queue. It stays there. */
struct task *backlog_head(const struct backlog *backlog, enum backlog_choice choice,
                          struct aside **from);

/* Returns how many wait where such a task is. */
size_t backlog_length(const struct backlog *backlog, const struct aside *from);

/* Takes out what backlog_head returned, and returns the next one there. */
static inline struct task *backlog_pop_next(struct backlog *backlog, struct aside *from,
                                            struct task *head)
{
    if (from == NULL)
        return queue_pop_next(&backlog->queue, head);
    backlog->aside_count--;
    return queue_pop_next(&from->queue, head);
}

/* Returns what has stepped aside of a job, or NULL. */
struct aside *backlog_find(const struct backlog *backlog, const struct job *job);

/* Returns what has stepped aside of a SERIAL type, or NULL. */
struct aside *backlog_find_type(const struct backlog *backlog, const struct type *type);

/* Moves what backlog_head returned to what is aside of its job; returns where that is. The caller
 * tidies where it was. */
struct aside *backlog_step_aside(struct backlog *backlog, struct aside *from, struct task *head);

/* The same with what is aside of its type. */
struct aside *backlog_await_turn(struct backlog *backlog, struct aside *from, struct task *head);

/* Forgets it (NULL: nothing), if it has no tasks, no grant, and nothing to wait for. */
void backlog_tidy(struct backlog *backlog, struct aside *aside);

/* Moves the tasks that go to the list; O(length). */
void backlog_purge(struct backlog *backlog, const struct purge *purge, struct task_list *purged);

/* Returns when the task entered the host that has been in it longest of all that are next in their
 * priority; 0: there is none. */
int64_t backlog_oldest_ns(const struct backlog *backlog);
