/* pages: a list that the daemon gives page by page, row by row. Stateless; main thread. */
#pragma once

#include "cli/daemon.h"

enum { PAGES_ROWS = 1000 };

struct pages {
    const char *before, *name, *behind; /* the path, as in struct daemon_question */
    const char *query;                  /* "state=over", percent-encoded; NULL: none */
    const char *key;                    /* of the rows in an answer */
    const char *after;                  /* the row before the first one; NULL: from the start */
    bool (*visit)(void *context, const json_t *row);   /* false: enough */
    void (*note)(void *context, const json_t *answer); /* what a page says beside; NULL: nothing */
    void *context;
};

/* Visits the rows in the daemon's order. False with the reason printed and the exit code. */
bool pages_visit(struct daemon *daemon, const struct pages *pages, int *code);
