/* feeder: one thread that moves what the host itself releases (delayed, parked, retried, later
 * dependents) into inbound as there is room, so that nobody inside the host ever waits for a full
 * queue. Created by the host. */
#pragma once

#include "accept/inbound.h"
#include "accept/task.h"
#include "support/error.h"

struct feeder;

/* Starts the thread; NULL with a message. */
struct feeder *feeder_start(struct inbound *inbound, struct error *error);

/* Takes all tasks of the list (READY) to be fed in soon, in order. Any thread; never blocks for
 * long. */
void feeder_release(struct feeder *feeder, struct task_list *tasks);

/* Joins the thread (inbound is closed before), moves what it still holds to the list, clears the
 * pointer; accepts NULL. */
void feeder_stop(struct feeder **feeder, struct task_list *left);
