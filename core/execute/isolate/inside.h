/* inside: what a worker process does: it loads its plugin, says that it is ready, and makes the
 * calls that it is sent, until the host closes its end. The main thread makes the calls; another
 * one waits for what concerns the call in progress, and for the host's end. */
#pragma once

/* The descriptors that it is started with, in this order from CHILD_FIRST_FD on. */
enum inside_fd {
    INSIDE_WORK,    /* channel: SETUP, TASKS; READY, REFUSED, ANSWER, KEEP, SAID, DONE */
    INSIDE_CONTROL, /* channel: CANCEL; its end is the host's */
    INSIDE_SEAT,    /* struct seat, to be mapped */
    INSIDE_OUTPUT,  /* where what the process prints can be read; not there if nobody keeps it */
    INSIDE_FDS_MOST,
};

/* The role: serves until the host is gone; returns the exit code. Main thread, before any other. */
int inside_run(const char *name);
