/* room: how many tasks may be somewhere at once: the host's max_pending, a streamed job's window.
 * Producers take room before a task enters and wait here, outside; ending a task gives it back.
 * Embedded by its owner; any thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/thread.h"

struct room {
    struct mutex lock;
    struct cond freed;
    _Atomic size_t capacity; /* changed with the lock */
    size_t taken;            /* guarded by lock, as are all below */
    size_t aside;            /* of these: taken by what waits for others that are in the room */
    size_t waiting;          /* producers */
    bool called;             /* those who wait were woken and have not come yet */
    size_t
        watched; /* room_give answers true once fewer are taken and not aside; 0: nobody watches */
    bool closed;
};

/* Makes a room for capacity tasks. */
void room_init(struct room *room, size_t capacity);

/* Ends a room that nobody waits for. */
void room_fini(struct room *room);

/* Changes the capacity: what is taken stays, even if it is more. */
void room_set_capacity(struct room *room, size_t capacity);

/* Takes room for at least 1 and at most count tasks, and returns for how many; blocks while there
 * is none; 0 once it is closed. */
size_t room_take(struct room *room, size_t count);

/* Takes room for all of count tasks, or for none: false, at once, if there is not so much. */
bool room_reserve(struct room *room, size_t count);

/* Returns how many tasks it is for. */
size_t room_capacity(struct room *room);

/* Takes room for count tasks whether there is some or not: for what is only to be ended in
 * order. */
void room_force(struct room *room, size_t count);

/* Gives back room for count tasks; true: somebody watches for what is left now. */
bool room_give(struct room *room, size_t count);

/* Says that count of the tasks that have room wait for others that have it, too; true as room_give,
 * and if nobody comes in before somebody goes. */
bool room_put_aside(struct room *room, size_t count);

/* Says that count of these wait no more. */
void room_take_up(struct room *room, size_t count);

/* Returns how much is taken. */
size_t room_taken(struct room *room);

/* Returns whether nobody comes in before somebody goes. */
bool room_is_full(struct room *room);

/* Returns how much is taken and not aside; if it is more than most, the room_give that first leaves
 * no more than that answers true, once. */
size_t room_watch(struct room *room, size_t most);

/* Lets everyone who waits go away with 0, now and later. */
void room_close(struct room *room);
