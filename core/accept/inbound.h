/* inbound: the one bounded queue through which every task enters dispatch. Reader and feeder
 * threads push, dispatcher threads take, all in batches. A pusher that finds it empty and every
 * taker asleep does a taker's work itself (inbound_set_serve): waking a thread costs more than
 * dispatching a batch. Created by the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/task.h"

struct inbound;

/* How a pusher does a taker's work. */
struct inbound_serve {
    size_t least; /* so many tasks are worth it; fewer are queued */
    void *context;
    /* Empties the list. Pusher's thread, no lock held. */
    void (*serve)(void *context, struct task_list *tasks);
};

/* Makes an empty queue for at most capacity tasks. */
struct inbound *inbound_create(size_t capacity);

/* Frees an empty queue that nobody uses any more; clears the pointer; accepts NULL. */
void inbound_destroy(struct inbound **inbound);

/* Says how many threads will take, and has a pusher call serve for its tasks when all of them wait
 * and nothing is queued: one call at a time and none while a taker is at work, so that the order
 * stays. Before the first push. */
void inbound_set_serve(struct inbound *inbound, size_t takers, const struct inbound_serve *serve);

/* Moves all tasks of the list in, in order; blocks while there is no room. After inbound_close
 * nothing more is taken: what is left stays in the list. */
void inbound_push(struct inbound *inbound, struct task_list *tasks);

/* The same for a thread that must not do a taker's work, because it is joined while that may have
 * to wait for a reader of what has ended. */
void inbound_queue(struct inbound *inbound, struct task_list *tasks);

/* Takes everything that is there into an empty list; blocks while there is nothing, or a pusher
 * serves; false when it is closed and empty. */
bool inbound_take(struct inbound *inbound, struct task_list *tasks);

/* Ends pushing and, when the rest is taken, taking. Any thread. */
void inbound_close(struct inbound *inbound);

/* Returns how many tasks wait. Any thread. */
size_t inbound_length(struct inbound *inbound);

/* Returns for how many there is room. Any thread. */
size_t inbound_capacity(const struct inbound *inbound);
