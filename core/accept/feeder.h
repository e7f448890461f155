/* feeder: one thread that moves what the host itself releases (delayed, parked, retried,
 * dependents) into inbound as there is room, so that nobody inside the host ever waits for a full
 * queue. Created by the host. */
#pragma once

#include "accept/inbound.h"
#include "accept/task.h"
#include "support/error.h"

struct feeder;

/* Starts the thread; NULL with a message. */
struct feeder *feeder_start(struct inbound *inbound, struct error *error);

/* Takes all tasks of the list (READY) to be fed in soon, in order; after feeder_close they stay in
 * the list. Any thread; never blocks for long. */
void feeder_release(struct feeder *feeder, struct task_list *tasks);

/* Joins the thread (inbound is closed before) and moves what it still holds to the list; once. */
void feeder_close(struct feeder *feeder, struct task_list *left);

/* Frees a closed feeder that nobody uses any more; clears the pointer; accepts NULL. */
void feeder_destroy(struct feeder **feeder);
