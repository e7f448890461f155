/* status_view: what `status` shows, of the whole daemon, of a job or of a task, asked for and
 * written to a stream. Zero-initialised, embedded by the command; main thread. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "accept/job.h"
#include "cli/daemon.h"
#include "cli/options.h"

enum {
    STATUS_UNFINISHED_MOST = 100, /* jobs that are listed */
    STATUS_OVER_MOST = 10,        /* the newest of those that are over */
    STATUS_FAILED_MOST = 100,     /* tasks that are listed of a job */
};

struct status_view {
    struct daemon *daemon;
    const struct options *options;
    const char *id; /* of a job, or JOB:ID; NULL: the whole daemon */
    /* the job before those that are over and listed: there the next list begins */
    char over_after[JOB_ID_BYTES];
    bool is_over; /* set when it is written: nothing will change any more */
};

/* Asks and writes what the view is about. False with the reason printed and the exit code. */
bool status_view_write(struct status_view *view, FILE *to, int *code);

/* The same for the whole daemon. */
bool status_view_daemon(struct status_view *view, FILE *to, int *code);
