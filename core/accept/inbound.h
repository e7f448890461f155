/* inbound: the one bounded queue through which every task enters dispatch. Reader and feeder
 * threads push, dispatcher threads take, all in batches. Created by the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "accept/task.h"

struct inbound;

/* Makes an empty queue for at most capacity tasks. */
struct inbound *inbound_create(size_t capacity);

/* Frees an empty queue that nobody uses any more; clears the pointer; accepts NULL. */
void inbound_destroy(struct inbound **inbound);

/* Moves all tasks of the list in, in order; blocks while there is no room. After inbound_close
 * nothing more is taken: what is left stays in the list. */
void inbound_push(struct inbound *inbound, struct task_list *tasks);

/* Takes everything that is there into an empty list; blocks while there is nothing; false when it
 * is closed and empty. */
bool inbound_take(struct inbound *inbound, struct task_list *tasks);

/* Ends pushing and, when the rest is taken, taking. Any thread. */
void inbound_close(struct inbound *inbound);

/* Returns how many tasks wait. Any thread. */
size_t inbound_length(struct inbound *inbound);
