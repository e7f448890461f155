/* line: who waits for weight, first come first served. Guarded by admission's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "execute/gate.h"

struct party;

/* One who waits: a group with its next batch, or with what has stepped aside for one job's cap. */
struct wait {
    struct wait *next;
    struct party *party;
    struct group *group;
    struct job *job; /* for which it asks */
    bool aside;      /* allocated for itself; a group's own one is a part of its party */
    int32_t wanted;
    int32_t asked;      /* the same, clamped */
    int64_t since_ns;   /* when it asked */
    struct grant grant; /* if it is granted and not told yet */
};

struct line {
    struct wait *head, **tail;
};

/* Makes a line empty; in its place, since it points into itself. */
static inline void line_init(struct line *line)
{
    line->head = NULL;
    line->tail = &line->head;
}

/* Adds somebody at the end. */
static inline void line_push(struct line *line, struct wait *wait)
{
    wait->next = NULL;
    *line->tail = wait;
    line->tail = &wait->next;
}

/* Takes the first out; NULL: there is none. */
static inline struct wait *line_pop(struct line *line)
{
    struct wait *wait = line->head;
    if (wait == NULL)
        return NULL;
    line->head = wait->next;
    if (line->head == NULL)
        line->tail = &line->head;
    return wait;
}

/* Takes out who waits for a party with a job's tasks that stepped aside (NULL: with its own next
 * batch); NULL: nobody does. */
static inline struct wait *line_take(struct line *line, const struct party *party,
                                     const struct job *job)
{
    struct wait *found = NULL;
    struct line kept;
    line_init(&kept);
    for (struct wait *wait; (wait = line_pop(line)) != NULL;) {
        if (found == NULL && wait->party == party &&
            (job == NULL ? !wait->aside : wait->aside && wait->job == job))
            found = wait;
        else
            line_push(&kept, wait);
    }
    for (struct wait *wait; (wait = line_pop(&kept)) != NULL;)
        line_push(line, wait);
    return found;
}
