/* follow: a submitted job to its end: failures are printed when they happen, and then what `run`
 * says at the end. Main thread. */
#pragma once

#include "cli/daemon.h"
#include "cli/options.h"

enum {
    FOLLOW_LOST_MOST_S = 60,       /* so long a daemon that does not answer is looked for */
    FOLLOW_GONE_MOST_S = 5,        /* so long one where nobody listens any more */
    FOLLOW_FAILURES_MOST = 1000,   /* listed in JSON, as by `run`; more are counted */
    FOLLOW_TOLD_MOST = 100 * 1000, /* failures that are printed one by one */
};

struct follow {
    const struct options *options;
    struct daemon *daemon;
    const char *job, *name, *file; /* its id, its name, its file as the command line names it */
    int64_t begun_ns;              /* when it was submitted, by the monotonic clock */
    int interrupt_fd;              /* see interrupt.h */
};

/* Follows it and returns the exit code: that of `run`, or EXIT_HOST if the daemon was lost for
 * long, or does not know the job any more. A signal ends the waiting, not the job, and is said
 * to. */
int follow_job(const struct follow *follow);
