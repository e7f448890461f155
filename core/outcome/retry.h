/* retry: whether a task is tried again after an attempt that did not succeed, and how long it waits
 * before the next one. What the job file or the type says is in task->retry. Stateless; any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "accept/task.h"
#include "outcome/outcome.h"
#include "support/clock.h"

/* The longest wait of a policy that names none itself, unless its first one is longer. */
#define RETRY_WAIT_MOST_NS (3600 * NS_PER_S)

/* Returns whether an attempt that is over calls for another one: it failed or ran too long, and one
 * is left. A call that was given up may still be running, so it is not made again. */
bool retry_follows(const struct task *task, const struct attempt *attempt);

/* Returns how long to wait behind the attempt-th attempt (from 1); never negative, never over the
 * policy's max_delay_ns. random: any number, spreads tasks that failed together. */
int64_t retry_wait_ns(const struct sluice_retry *policy, uint32_t attempt, uint64_t random);
