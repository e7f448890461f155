/* fake_job: the only job of the fake host, FAKE_JOB: a task for each state that there is, which is
 * its id, and `queued0` to `queued9`. The store knows them all, and how the ended ones have ended.
 * Made once, on the only thread; never changed. */
#pragma once

#include "accept/job.h"
#include "store/store.h"

#define FAKE_JOB "01KB3D5Y7Z8QWERTYVBNM12345"

/* Makes it and tells the store, which describes handles as task_describe does. */
struct job *fake_job_create(struct chunk_pool *pool, struct store *store);
